// Explanation.swift: a decision taken apart into the steps of admission.

import Identity
import KeyedHash
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

    /// What the request asks, in the words of its protocol.
    struct Asked: Encodable {
        let interaction: String
        /// Of IHE, such as ITI-78.
        let transaction: String?
        /// As many as it counts for, weights included.
        let lookups: Int
        let vague: String?
    }

    /// Whom the answer discloses.
    struct Disclosed: Encodable {
        /// `understood`, `miss`, `nothing` or `unparsed`.
        let finding: String
        let unparsed: String?
        let persons: Int
        /// One for each person, under a key made for this run: they tell persons apart, no more.
        let keys: [String]
        let fields: [String]
    }

    /// One window, and what this request would add to it.
    struct Charge: Encodable {
        let limit: String
        let place: String
        let enforce: String
        /// Whether it holds for who asks.
        let applies: Bool
        let used: Int
        let added: Int
        let left: Int
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
    let asked: Asked?
    let disclosed: Disclosed?
    let charges: [Charge]
    /// Whether orders of the running gate were looked at.
    let gateConsulted: Bool
    let notes: [String]

    init(
        _ rulebook: Rulebook, _ inquiry: Inquiry, _ asker: Asker, key: SipKey,
        _ verdict: NeutralizationVerdict, whyUnproven: String? = nil, note: String? = nil
    ) {
        let configuration = rulebook.configuration
        var inquiry = inquiry
        inquiry.isNeutralized = verdict.isNeutralized
        let hearing = rulebook.hear(inquiry, key: key)
        let decision = hearing.decision
        let rule = rulebook.rule(of: decision)

        request = "\(printable(inquiry.method)) \(printable(inquiry.target))"
        subject = asker.description
        listener = configuration.listeners[inquiry.listener].name
        isAllowed = decision.status == nil
        status = decision.status
        self.rule = rule.name
        place = rule.place?.description
        route = decision.route.map { configuration.routes[$0].name }
        identityServer = decision.route.map {
            configuration.identityServers[configuration.routes[$0].identityServer].name
        }
        gateConsulted = verdict.gateConsulted
        var notes = verdict.notes + (note.map { [$0] } ?? [])
        if hearing.question?.page != nil {
            notes.append("a page link passes only for who was given it, which only the gate knows")
        }
        self.notes = notes
        asked = hearing.question.map { Asked($0, lookups: hearing.charge.lookups) }
        disclosed = hearing.inspected.map(Disclosed.init)
        charges = Self.charges(configuration, inquiry, hearing)
        steps =
            Trail(
                rulebook: rulebook, inquiry: inquiry, hearing: hearing, rule: rule,
                professional: asker.account?.description, verdict: verdict,
                whyUnproven: whyUnproven
            ).steps
    }

    private static func charges(
        _ configuration: Configuration, _ inquiry: Inquiry, _ hearing: Hearing
    ) -> [Charge] {
        guard let set = hearing.set.map({ configuration.limitSets[$0] }) else { return [] }
        return set.limits.map { limit in
            let used = inquiry.used[limit.count]
            return Charge(
                limit: "\(set.name): \(limit.description)", place: limit.place.description,
                enforce: limit.enforcement.rawValue,
                applies: limit.applies(
                    titles: inquiry.holder.titles, structure: inquiry.holder.structure.span),
                used: used, added: hearing.charge[limit.count],
                left: max(0, limit.limit - min(used, limit.limit)))
        }
    }
}

extension Explanation.Asked {
    init(_ question: Question, lookups: Int) {
        interaction = question.interaction.rawValue
        transaction = question.interaction.transaction?.description
        self.lookups = lookups
        vague = question.vagueness?.rawValue
    }

    /// `search (ITI-78), 1 lookup`.
    var words: String {
        var words = interaction + (transaction.map { " (\($0))" } ?? "")
        words += ", " + counted(lookups, "lookup")
        if let vague { words += ", vague: \(vague)" }
        return words
    }
}

extension Explanation.Disclosed {
    init(_ inspected: Inspected) {
        switch inspected.finding {
        case .understood: (finding, unparsed) = ("understood", nil)
        case .miss: (finding, unparsed) = ("miss", nil)
        case .nothing: (finding, unparsed) = ("nothing", nil)
        case .unparsed(let why): (finding, unparsed) = ("unparsed", why.rawValue)
        }
        persons = inspected.persons.count
        keys = inspected.persons.map { key in
            let digits = String(key >> 32, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }
        fields = inspected.fields.words
    }

    /// `2 patients: name, birth-date (0f3a…, …)`.
    var words: String {
        switch finding {
        case "miss": return "nobody was found, which is counted as a miss"
        case "nothing": return "nothing about patients"
        case "unparsed": return "not understood: \(unparsed ?? "")"
        default: break
        }
        var words = counted(persons, "patient")
        if !fields.isEmpty { words += ": " + fields.joined(separator: ", ") }
        if !keys.isEmpty {
            let more = keys.count > 5 ? ", …" : ""
            words += " (\(keys.prefix(5).joined(separator: ", "))\(more))"
        }
        return words
    }
}

extension Explanation {
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
        if !charges.isEmpty {
            var table = Table("LIMIT", ">USED", ">ADDED", ">LEFT", "ENFORCED", "AT")
            for charge in charges {
                table.add(
                    charge.limit, String(charge.used), String(charge.added), String(charge.left),
                    charge.applies ? charge.enforce : "not for this holder", charge.place)
            }
            lines += ["", table.text, ""]
        }
        lines += notes.map { "note: \($0)" }
        return lines.joined(separator: "\n")
    }
}
