// Explanation.swift: a decision taken apart into the steps of admission.

import Identity
import Lookup
import Policy

/// What would be decided, step by step.
struct Explanation: Encodable {
    struct Step: Encodable {
        enum Outcome: String, Encodable {
            case passed
            case refused
            case notReached = "not_reached"
        }

        let name: String
        let outcome: Outcome
        /// What the step looked at, or why it refuses.
        let detail: String
        /// `FILE:LINE`.
        let place: String?
    }

    let request: String
    let subject: String
    let listener: String
    let isAllowed: Bool
    /// Of the gate's answer; nil when the identity server answers.
    let status: Int?
    let rule: String
    let place: String?
    let route: String?
    let identityServer: String?
    let steps: [Step]
    /// Whether orders of the running gate were looked at.
    let gateConsulted: Bool
    let notes: [String]

    init(
        _ rulebook: Rulebook, _ asker: Asker, proof: Proof, method: String, path: String,
        listener: Int, earlier: Int, _ verdict: NeutralizationVerdict
    ) {
        let configuration = rulebook.configuration
        let methodBytes = Array(method.utf8)
        let pathBytes = Array(path.prefix { $0 != "?" }.utf8)
        let professional = Array((asker.account?.description ?? "").utf8)
        let structure = Array((asker.structure?.description ?? "").utf8)
        let decision = rulebook.decide(
            rulebook.decide(
                isNeutralized: verdict.isNeutralized, method: Policy.Method(methodBytes.span),
                path: pathBytes.span, listener: listener, proof: proof,
                professional: professional.span, structure: structure.span),
            afterRequests: earlier)
        let rule = rulebook.rule(of: decision)

        request = "\(printable(method)) \(printable(path))"
        subject = asker.description
        self.listener = configuration.listeners[listener].name
        isAllowed = decision.status == nil
        status = decision.status
        self.rule = rule.name
        place = rule.place?.description
        route = decision.route.map { configuration.routes[$0].name }
        identityServer = decision.route.map {
            configuration.identityServers[configuration.routes[$0].identityServer].name
        }
        gateConsulted = verdict.gateConsulted
        notes = verdict.notes
        let asked = Asked(
            method: printable(method), listener: self.listener, proof: proof,
            professional: asker.account?.description, earlier: earlier)
        steps = Self.steps(of: decision, rulebook, rule, asked, verdict)
    }
}

/// The parts of a question its explanation repeats.
private struct Asked {
    let method: String
    let listener: String
    let proof: Proof
    let professional: String?
    let earlier: Int
}

extension Explanation {
    private static let names = ["neutralization", "route", "identity", "limits"]

    private static func steps(
        of decision: Decision, _ rulebook: Rulebook, _ rule: Rule, _ asked: Asked,
        _ verdict: NeutralizationVerdict
    ) -> [Step] {
        let refusing: Int
        let why: String
        switch decision {
        case .neutralized: (refusing, why) = (0, verdict.detail)
        case .ambiguousPath: (refusing, why) = (1, "the path can be read in two ways")
        case .unknownRoute:
            (refusing, why) = (1, "no route of listener \(asked.listener) has this path")
        case .methodNotAllowed:
            (refusing, why) = (1, "no route with this path accepts \(asked.method)")
        case .unproven: (refusing, why) = (2, "no certificate is shown")
        case .nobody: (refusing, why) = (2, "the certificate names no professional")
        case .organisationRefused: (refusing, why) = (2, "an organisation is no person")
        case .nonNominativeRefused: (refusing, why) = (2, "a service card names nobody")
        case .professionalNotAllowed:
            (refusing, why) = (2, "the professional is not among those allowed")
        case .structureNotAllowed:
            (refusing, why) = (2, "the structure is not among those allowed")
        case .questionNotUnderstood: (refusing, why) = (3, "what it asks is not understood")
        case .interactionNotAllowed(_, let interaction):
            (refusing, why) = (3, "\(interaction.rawValue) is not among those allowed")
        case .tooVague(_, let vagueness): (refusing, why) = (3, "too vague: \(vagueness.rawValue)")
        case .limitReached, .stepUpNeeded:
            (refusing, why) = (3, "\(rule.name), \(asked.earlier) made already")
        case .allowed: (refusing, why) = (4, "")
        }
        return names.enumerated().map { index, name in
            if index > refusing {
                return Step(name: name, outcome: .notReached, detail: "", place: nil)
            }
            if index == refusing {
                let place = index == 0 ? verdict.place : rule.place?.description
                return Step(name: name, outcome: .refused, detail: why, place: place)
            }
            let route = decision.route.map { rulebook.configuration.routes[$0] }
            let (detail, place) = passed(index, rulebook.configuration, route, asked, verdict)
            return Step(name: name, outcome: .passed, detail: detail, place: place)
        }
    }

    private static func passed(
        _ index: Int, _ configuration: Configuration, _ route: Route?, _ asked: Asked,
        _ verdict: NeutralizationVerdict
    ) -> (detail: String, place: String?) {
        switch index {
        case 0: return (verdict.detail, verdict.place)
        case 1: return (route.map { "\($0.name): \($0.path)" } ?? "", route?.place.description)
        case 2:
            let who = asked.professional.map { "professional \($0)" } ?? words(asked.proof)
            return ("\(who), by certificate", route?.requirementsPlace.description)
        default:
            guard let set = route?.limits.map({ configuration.limitSets[$0] }) else {
                return ("the route has none", nil)
            }
            let limits = set.limits.map { limit in
                limit.description + (limit.enforcement == .shadow ? " (shadow)" : "")
            }
            return ("\(set.name): \(limits.joined(separator: ", "))", set.place.description)
        }
    }

    private static func words(_ proof: Proof) -> String {
        switch proof {
        case .none, .nobody: "nobody"
        case .person: "a person"
        case .organisation: "an organisation"
        case .nonNominative: "a service card"
        }
    }

    /// For people.
    var text: String {
        var table = Table("STEP", "OUTCOME", "BY", "AT")
        for step in steps {
            let outcome =
                switch step.outcome {
                case .passed: "passed"
                case .refused: "REFUSED"
                case .notReached: "not reached"
                }
            table.add(step.name, outcome, step.detail, step.place)
        }
        var verdict = "allowed: goes to identity server \(identityServer ?? "?")"
        if let status { verdict = "refused with \(status)" }
        verdict += ", by \(rule)" + (place.map { " at \($0)" } ?? "")
        var lines = [
            "\(request) as \(printable(subject)) on listener \(listener)", "", table.text, "",
            verdict,
        ]
        lines += notes.map { "note: \($0)" }
        return lines.joined(separator: "\n")
    }
}
