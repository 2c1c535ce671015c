// Trail.swift: the steps of a decision, each with what it looked at or why it refuses.

import Identity
import Lookup
import Policy

/// What an explanation is made of, step by step.
struct Trail {
    let rulebook: Rulebook
    let inquiry: Inquiry
    let hearing: Hearing
    let rule: Rule
    let professional: String?
    let verdict: NeutralizationVerdict
    /// Why what is shown proves nothing; nil when it does, or nothing is shown.
    let whyUnproven: String?

    private static let names = [
        "neutralization", "route", "identity", "question", "limits", "answer",
    ]

    private var configuration: Configuration { rulebook.configuration }
    private var route: Route? { hearing.decision.route.map { configuration.routes[$0] } }

    var steps: [Explanation.Step] {
        let (refusing, why) = refusal
        return Self.names.enumerated().map { index, name in
            let isAsked = index < 5 || hearing.inspected != nil
            if index > refusing || !isAsked {
                return .init(name: name, outcome: .notReached, detail: "", place: nil)
            }
            if index == refusing {
                let place = index == 0 ? verdict.place : rule.place?.description
                return .init(name: name, outcome: .refused, detail: why, place: place)
            }
            let (detail, place) = passed(index)
            return .init(name: name, outcome: .passed, detail: detail, place: place)
        }
    }

    /// Which step refuses, beyond the last when none does, and why.
    private var refusal: (step: Int, why: String) {
        switch hearing.decision {
        case .neutralized: (0, verdict.detail)
        case .ambiguousPath: (1, "the path can be read in two ways")
        case .unknownRoute:
            (
                1,
                "no route of listener \(configuration.listeners[inquiry.listener].name) has this path"
            )
        case .methodNotAllowed:
            (1, "no route with this path accepts \(printable(inquiry.method))")
        case .unproven: (2, unproven)
        case .nobody: (2, "the \(evidence.method?.noun ?? "proof") names no professional")
        case .organisationRefused where route?.machines != nil:
            (2, "the organisation is not among the machines of the route")
        case .organisationRefused: (2, "an organisation is no person")
        case .nonNominativeRefused: (2, "a service card names nobody")
        case .professionalNotAllowed: (2, "the professional is not among those allowed")
        case .structureNotAllowed: (2, "the structure is not among those allowed")
        case .notInDirectory where evidence.standing == .left:
            (2, "the directory says that the professional has left")
        case .notInDirectory: (2, "the directory does not know the professional")
        case .levelTooLow:
            (
                2,
                "proven \(by), which is worth \(evidence.level.rawValue), "
                    + "where \(route?.levelMin.rawValue ?? "more") is asked for"
            )
        case .proofTooOld:
            (2, "proven \(ago), at most \(shown(.seconds(route?.ageMax ?? 0))) are allowed")
        case .questionNotUnderstood(_, let error): (3, words(error))
        case .interactionNotAllowed(_, let interaction)
        where inquiry.evidence.proof == .organisation
            && route?.lookupRules?.interactions.contains(interaction) == true:
            (3, "\(interaction.rawValue) is not for machines here")
        case .interactionNotAllowed(_, let interaction):
            (3, "\(interaction.rawValue) is not among the interactions allowed")
        case .tooVague(_, let vagueness): (3, "too vague: \(vagueness.rawValue)")
        case .limitReached(_, let set, let limit): (limitStep, reached(set, limit))
        case .stepUpNeeded(_, let set, let limit):
            (limitStep, reached(set, limit) + ", and " + missing(set, limit))
        case .answerWithheld(_, let why): (5, "the answer is not understood: \(why.rawValue)")
        case .allowed: (6, "")
        }
    }

    private var evidence: Evidence { inquiry.evidence }

    /// `by certificate`.
    private var by: String { "by \(evidence.method?.rawValue ?? "nothing")" }

    /// `5m ago`.
    private var ago: String {
        evidence.ageSeconds.map { "\(shown(.seconds($0))) ago" } ?? "at a time nobody knows"
    }

    private var unproven: String {
        if let whyUnproven { return whyUnproven }
        let accepted = (route?.requirements ?? []).map(\.noun)
        guard let method = evidence.method else {
            return "no \(accepted.joined(separator: ", no ")) is shown"
        }
        return "a \(method.noun) is shown, and accepted is a " + accepted.joined(separator: ", a ")
    }

    /// What a step-up lacks.
    private func missing(_ set: Int, _ limit: Int) -> String {
        let limit = configuration.limitSets[set].limits[limit]
        guard evidence.level >= limit.stepUpLevel else {
            return "the proof is worth \(evidence.level.rawValue), "
                + "not \(limit.stepUpLevel.rawValue)"
        }
        return evidence.method == .certificate
            ? "the card was not shown lately" : "identity was not proven lately"
    }

    /// Limits are asked before the request leaves, and again of what is answered.
    private var limitStep: Int { hearing.inspected == nil ? 4 : 5 }

    private func reached(_ set: Int, _ limit: Int) -> String {
        let count = configuration.limitSets[set].limits[limit].count
        return "\(rule.name), \(inquiry.used[count]) made already, \(hearing.charge[count]) more"
    }

    private func passed(_ index: Int) -> (detail: String, place: String?) {
        switch index {
        case 0: return (verdict.detail, verdict.place)
        case 1: return (route.map { "\($0.name): \($0.path)" } ?? "", route?.place.description)
        case 2:
            let who = professional.map { "professional \($0)" } ?? words(inquiry.proof)
            return ("\(who), \(by)", route?.requirementsPlace.description)
        case 3:
            guard let question = hearing.question else {
                return ("nothing is looked up on this route", route?.place.description)
            }
            let asked = Explanation.Asked(question, lookups: hearing.charge.lookups)
            return (asked.words, route?.lookupRules?.interactionsPlace.description)
        case 4:
            guard let set = hearing.set.map({ configuration.limitSets[$0] }) else {
                return ("the route has none", nil)
            }
            let limits = set.limits.map { limit in
                limit.description
                    + (limit.enforcement == .deny ? "" : " (\(limit.enforcement.rawValue))")
            }
            return ("\(set.name): \(limits.joined(separator: ", "))", set.place.description)
        default:
            return (hearing.inspected.map { Explanation.Disclosed($0).words } ?? "", nil)
        }
    }

    private func words(_ error: QuestionError) -> String {
        switch error {
        case .pathNotUnderstood: "the path is none of this interface"
        case .formNotUnderstood: "the query or form is not understood"
        case .bodyNotUnderstood: "the body is not understood"
        case .mediaTypeNotUnderstood: "the media type of the body is not understood"
        case .tooManyEntries: "too many requests in one"
        }
    }

    private func words(_ proof: Proof) -> String {
        switch proof {
        case .none, .nobody: "nobody"
        case .person: "a person"
        case .organisation: "an organisation"
        case .nonNominative: "a service card"
        }
    }

}

extension ProofMethod {
    /// What is shown.
    fileprivate var noun: String {
        switch self {
        case .certificate: "certificate"
        case .token: "token"
        case .session: "session"
        case .pamTOTP: "session of a local account, or its code"
        case .pamWebAuthn: "session of a local account with a security key"
        }
    }
}
