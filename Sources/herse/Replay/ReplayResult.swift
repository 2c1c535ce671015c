// ReplayResult.swift: what a replay found: who would newly be stopped, and who let through.

import Policy
import RecordReading

/// What became of a request when it was made, as far as a policy can change it.
enum RecordedOutcome {
    case passed
    case stopped
    /// By something that no configuration decides, or that a line does not tell enough of.
    case refusedOtherwise

    /// Refusals that another policy might not make.
    private static let byPolicy: Set<String> = [
        "limit", "step-up", "interaction-not-allowed", "vague", "professional-not-allowed",
        "structure-not-allowed", "answer-not-understood",
    ]
    /// Failures of a request that the policy had let pass.
    private static let afterAdmission: Set<String> = [
        "server-unreachable", "server-slow", "server-answer-malformed", "answer-too-large",
        "not-recorded",
    ]

    init(_ exchange: RecordedEntry) {
        if exchange.decision == "allow" || Self.afterAdmission.contains(exchange.why) {
            self = .passed
        } else if Self.byPolicy.contains(exchange.why) {
            self = .stopped
        } else {
            self = .refusedOtherwise
        }
    }
}

/// Why a line could not be decided anew.
enum NotReplayed: Error, Hashable {
    /// Its route does not exist in the candidate.
    case routeMissing(String)
    case noRoute
    /// It names neither professional nor structure.
    case nobody
    case refusedOtherwise(String)
    /// The replay's own table is full.
    case noRoom

    var words: String {
        switch self {
        case .routeMissing(let name): "the candidate has no route `\(printable(name))`"
        case .noRoute: "no route was reached"
        case .nobody: "nobody was proven"
        case .refusedOtherwise(let why):
            "refused for what is decided without a policy: \(printable(why.isEmpty ? "?" : why))"
        case .noRoom: "more professionals than a replay counts"
        }
    }
}

/// A rule, and where it stands in the candidate.
struct ReplayRule: Hashable {
    let name: String
    let place: String?

    init(_ rule: Rule) {
        name = rule.name
        place = rule.place?.description
    }

    init(name: String, place: String?) {
        self.name = name
        self.place = place
    }
}

/// What a candidate decides of one request.
enum ReplayDecision: Equatable {
    case passes
    case stopped(ReplayRule)
    case noRoom
}

/// The decision on one request, beside the one that was made.
struct ReplayVerdict {
    let wasStopped: Bool
    var decision = ReplayDecision.passes
    /// Whether it is known whom the answer showed, or would have.
    var isAnswerKnown = false
    /// Limits in shadow that would have stopped it.
    var shadowed: [ReplayRule] = []
    /// Limits it passes only with a card shown lately.
    var steppedUp: [ReplayRule] = []

    init(wasStopped: Bool) { self.wasStopped = wasStopped }
}

/// One professional, one rule, and how often they met.
struct ReplayGroup: Encodable {
    let professional: String
    let structure: String?
    /// The candidate's rule; of those let through, the word of the refusal that was.
    let rule: String
    let place: String?
    var requests: Int
    /// Milliseconds since 1970.
    var first: UInt64
    var last: UInt64

    private enum CodingKeys: String, CodingKey {
        case professional, structure, rule, place, requests, first, last
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(professional, forKey: .professional)
        try container.encodeIfPresent(structure, forKey: .structure)
        try container.encode(rule, forKey: .rule)
        try container.encodeIfPresent(place, forKey: .place)
        try container.encode(requests, forKey: .requests)
        try container.encode(shownMoment(first), forKey: .first)
        try container.encode(shownMoment(last), forKey: .last)
    }
}

/// Groups of requests, by professional and rule.
struct ReplayGroups {
    private struct Key: Hashable {
        let professional: String
        let rule: ReplayRule
    }

    private var groups: [Key: ReplayGroup] = [:]
    private(set) var requests = 0

    mutating func add(_ exchange: RecordedEntry, _ rule: ReplayRule) {
        requests += 1
        let isNamed = !exchange.professional.isEmpty
        let professional = isNamed ? exchange.professional : "structure " + exchange.structure
        let key = Key(professional: professional, rule: rule)
        if var group = groups[key] {
            group.requests += 1
            group.first = min(group.first, exchange.time)
            group.last = max(group.last, exchange.time)
            groups[key] = group
        } else {
            groups[key] = ReplayGroup(
                professional: professional,
                structure: exchange.structure.isEmpty ? nil : exchange.structure, rule: rule.name,
                place: rule.place, requests: 1, first: exchange.time, last: exchange.time)
        }
    }

    var professionals: Int { Set(groups.keys.map(\.professional)).count }

    /// Those with the most requests first.
    var ranked: [ReplayGroup] {
        groups.values.sorted {
            ($1.requests, $0.professional, $0.rule) < ($0.requests, $1.professional, $1.rule)
        }
    }
}

/// Everything a replay found.
struct ReplayResult {
    /// Requests of the period.
    var requests = 0
    var unchanged = 0
    var newlyStopped = ReplayGroups()
    var letThrough = ReplayGroups()
    /// Of those let through, how many nobody knows whom they would have shown.
    var letThroughUnseen = 0
    var shadowed = ReplayGroups()
    var steppedUp = ReplayGroups()
    var notReplayed: [NotReplayed: Int] = [:]

    mutating func note(_ exchange: RecordedEntry, _ verdict: ReplayVerdict) {
        for rule in verdict.shadowed { shadowed.add(exchange, rule) }
        for rule in verdict.steppedUp { steppedUp.add(exchange, rule) }
        switch (verdict.wasStopped, verdict.decision) {
        case (false, .stopped(let rule)): newlyStopped.add(exchange, rule)
        case (true, .passes):
            let place = exchange.rule.isEmpty ? nil : exchange.rule
            letThrough.add(exchange, ReplayRule(name: exchange.why, place: place))
            if !verdict.isAnswerKnown { letThroughUnseen += 1 }
        default: unchanged += 1
        }
    }
}
