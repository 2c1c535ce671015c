// Replaying.swift: recorded requests, decided anew by a candidate configuration.
//
// Route, interaction and vagueness are judged by the gate's own functions, limits by its own table,
// made for the replay and at the record's times. What the record does not hold cannot be judged
// anew: paths, queries, titles on cards, when a card was shown.

import Gate
import Limits
import Lookup
import Policy
import RecordReading

/// Decides recorded requests by a configuration, and keeps what comes out otherwise.
final class Replay {
    private let rulebook: Rulebook
    private let table: LimitTable
    private let sets: [Limits.LimitSet]
    private let routes: [String: Int]
    /// Milliseconds since 1970; what comes before is only counted.
    private let since: UInt64
    private let until: UInt64
    private var now: UInt64 = 0
    private var unknownPersons: UInt64 = 0
    private(set) var result = ReplayResult()

    init(
        _ configuration: Configuration, table: LimitTable, since: UInt64, until: UInt64
    ) throws(LimitSetError) {
        rulebook = Rulebook(configuration)
        self.table = table
        self.since = since
        self.until = until
        routes = Dictionary(
            configuration.routes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { a, _ in a }
        )
        let emergency = Set(configuration.routes.compactMap { $0.lookupRules?.breakGlass?.limits })
        var sets: [Limits.LimitSet] = []
        for (index, set) in configuration.limitSets.enumerated() {
            sets.append(
                try table.prepare(
                    name: set.name, scope: emergency.contains(index) ? set.name : "",
                    windows: set.limits.map { LimitWindow($0) }))
        }
        self.sets = sets
    }

    private var configuration: Configuration { rulebook.configuration }

    /// How long before its beginning a period must be read for its windows to be full.
    static func memory(of configuration: Configuration) -> UInt64 {
        let spans = configuration.limitSets.flatMap(\.limits).map(\.per.components.seconds)
        return UInt64(clamping: spans.max() ?? 0) * 1000
    }

    /// Takes the next line, in the order of the record.
    func take(_ exchange: RecordedEntry) {
        // Every request has one line that begins its answer; what ends one says nothing new.
        guard exchange.delivery == "begun", exchange.time < until else { return }
        let isReported = exchange.time >= since
        if isReported { result.requests += 1 }
        switch decide(exchange) {
        case .failure(let reason):
            if isReported { result.notReplayed[reason, default: 0] += 1 }
        case .success(let verdict):
            if isReported { result.note(exchange, verdict) }
        }
    }

    private func decide(_ exchange: RecordedEntry) -> Result<ReplayVerdict, NotReplayed> {
        let wasStopped: Bool
        switch RecordedOutcome(exchange) {
        case .passed: wasStopped = false
        case .stopped: wasStopped = true
        case .refusedOtherwise: return .failure(.refusedOtherwise(exchange.why))
        }
        guard !exchange.route.isEmpty else { return .failure(.noRoute) }
        guard let index = routes[exchange.route] else {
            return .failure(.routeMissing(exchange.route))
        }
        guard !exchange.professional.isEmpty || !exchange.structure.isEmpty else {
            return .failure(.nobody)
        }
        var verdict = ReplayVerdict(wasStopped: wasStopped)
        verdict.decision = judge(exchange, route: index, &verdict)
        if verdict.decision == .noRoom { return .failure(.noRoom) }
        return .success(verdict)
    }

    private func judge(
        _ exchange: RecordedEntry, route index: Int, _ verdict: inout ReplayVerdict
    ) -> ReplayDecision {
        let route = configuration.routes[index]
        let professional = Array(exchange.professional.utf8)
        let structure = Array(exchange.structure.utf8)
        guard route.professionals.allows(professional.span) else {
            return stopped(.professionalNotAllowed(route: index))
        }
        guard route.structures.allows(structure.span) else {
            return stopped(.structureNotAllowed(route: index))
        }
        var event = LimitEvent(requests: 1)
        if let question = question(of: exchange, route) {
            switch rulebook.judge(question, route: index) {
            case .passes(let lookups):
                let isRecorded = exchange.asked == nil && exchange.lookups > 0
                event.lookups = UInt32(clamping: isRecorded ? exchange.lookups : lookups)
            case .refused(let decision): return stopped(decision)
            }
        }
        var set = route.limits
        if exchange.breakGlass != nil, let glass = route.lookupRules?.breakGlass {
            set = glass.limits
        }
        let owner = professional.isEmpty ? structure : professional
        let charge = Charge(
            route: index, set: set, exchange: exchange, structure: structure,
            who: LimitSubjects(
                professional: table.professional(owner.span),
                structure: structure.isEmpty ? nil : table.structure(structure.span)))
        if event.lookups > 0, let refusal = exhausted(charge) { return refusal }
        if let refusal = self.charge(charge, event, [], &verdict) { return refusal }
        return settle(exchange, route, charge, &verdict)
    }

    /// What a line says was asked; nil when it does not, or the candidate looks nothing up there.
    private func question(of exchange: RecordedEntry, _ route: Route) -> Question? {
        guard let rules = route.lookupRules,
            let interaction = Interaction(rawValue: exchange.interaction)
        else { return nil }
        var question = Question(interaction)
        question.vagueness = Vagueness(rawValue: exchange.vague)
        if let asked = exchange.asked { question.lookups = asked }
        // The record does not name operations: one that passed is taken for one of those listed.
        if interaction == .operation { question.operations = Array(rules.operations.prefix(1)) }
        return question
    }

    /// Charges what was answered, as far as it is known.
    private func settle(
        _ exchange: RecordedEntry, _ route: Route, _ charge: Charge,
        _ verdict: inout ReplayVerdict
    ) -> ReplayDecision {
        var event = LimitEvent()
        var persons = exchange.persons.map(\.key)
        if exchange.finding == "miss" {
            event.misses = UInt32(clamping: max(1, exchange.asked ?? 1))
        }
        if exchange.finding == "unparsed", let rules = route.lookupRules {
            guard case .charge(let count) = rules.unparsed else {
                return stopped(.answerWithheld(route: charge.route, .unexpected))
            }
            persons = (0..<count).map { _ in
                unknownPersons += 1
                return unknownPersons &* 0x9E37_79B9_7F4A_7C15
            }
        }
        verdict.isAnswerKnown = !exchange.finding.isEmpty
        event.disclosures = UInt32(clamping: persons.count)
        guard event.disclosures > 0 || event.misses > 0 else { return .passes }
        return self.charge(charge, event, persons, &verdict) ?? .passes
    }

    /// Who is charged, by which set, for which line.
    private struct Charge {
        let route: Int
        let set: Int?
        let exchange: RecordedEntry
        let structure: [UInt8]
        let who: LimitSubjects
    }

    private func exhausted(_ charge: Charge) -> ReplayDecision? {
        guard let set = charge.set else { return nil }
        let found = table.exhausted(
            charge.who, sets[set], applies: applies(charge, set), kinds: .ofAnswers,
            now: time(of: charge.exchange))
        guard let found else { return nil }
        return stopped(.limitReached(route: charge.route, set: set, limit: found.window))
    }

    /// Counts an event in all windows, or says why not; nil when it passes.
    private func charge(
        _ charge: Charge, _ event: LimitEvent, _ persons: [UInt64], _ verdict: inout ReplayVerdict
    ) -> ReplayDecision? {
        guard let set = charge.set else { return nil }
        let starts = persons.isEmpty ? [] : Array(0...persons.count)
        let outcome = table.charge(
            charge.who, sets[set], applies: applies(charge, set), event: event,
            persons: persons.span, starts: starts.span, authenticationAge: 0,
            now: time(of: charge.exchange))
        let limits = configuration.limitSets[set].limits
        for index in limits.indices {
            let bit = UInt16(1) << UInt16(truncatingIfNeeded: index)
            let rule = rulebook.rule(of: .limitReached(route: charge.route, set: set, limit: index))
            if outcome.shadowed & bit != 0 { verdict.shadowed.append(ReplayRule(rule)) }
            if outcome.steppedUp & bit != 0 { verdict.steppedUp.append(ReplayRule(rule)) }
        }
        switch outcome.decision {
        case .allowed: return nil
        case .limited(let window, _), .stepUpNeeded(let window, _):
            return stopped(.limitReached(route: charge.route, set: set, limit: window))
        case .noRoom: return .noRoom
        }
    }

    /// Limits that hold for some titles hold for nobody here: the record does not name them.
    private func applies(_ charge: Charge, _ set: Int) -> UInt16 {
        configuration.limitSets[set].applying(titles: [], structure: charge.structure.span)
    }

    /// The time of a line; lines of several workers can stand a little out of order.
    private func time(of exchange: RecordedEntry) -> LimitTime {
        now = max(now, exchange.time)
        return LimitTime(milliseconds: now)
    }

    private func stopped(_ decision: Policy.Decision) -> ReplayDecision {
        .stopped(ReplayRule(rulebook.rule(of: decision)))
    }
}
