// LayerTests.swift: lists of several authorities, hashed accounts, proofs from before a moment.

import Testing

@testable import Neutralization

private let monday = time("2026-11-16T12:00:00Z")
private let tuesday = time("2026-11-17T12:00:00Z")
private let wednesday = time("2026-11-18T12:00:00Z")
private let thursday = time("2026-11-19T12:00:00Z")

private func layer(
    _ name: String, _ authority: ListAuthority, _ text: String, key: AccountHashKey? = nil
) throws -> NeutralizationLayer {
    NeutralizationLayer(
        name: name, authority: authority,
        entries: try parseList(Array(text.utf8).span, mayHash: key != nil), hashKey: key)
}

private func neutralize(_ text: String, at: UnixSeconds) throws -> Command {
    Command(.neutralize(until: nil), try Subject(text), at: at, reason: "why", by: "root")
}

extension NeutralizationState {
    fileprivate func source(_ text: String, _ now: UnixSeconds) throws -> Neutralized.Source? {
        verdict(on: try Subject(text), now: now)?.source
    }

    fileprivate func reinstating(_ text: String, at: UnixSeconds) throws -> NeutralizationState {
        obeying([reinstatement(of: try Subject(text), at: at, reason: "error", by: "root")])
    }
}

@Suite struct `Lists of several authorities` {
    @Test(arguments: ListAuthority.allCases)
    func `deny beside one another`(authority: ListAuthority) throws {
        let state = NeutralizationState(
            list: try list("account A\n"),
            layers: [try layer("other", authority, "account B\nnetwork 203.0.113.0/24\n")])
        #expect(try state.source("A", monday) == .list(line: 1))
        #expect(try state.source("B", monday) == .signedList("other", line: 1))
        #expect(try state.source("C", monday) == nil)
        #expect(state.verdict(address: NetworkAddress("203.0.113.9"), now: monday) != nil)
        #expect(try state.obeying([neutralize("C", at: monday)]).source("C", monday) != nil)
    }

    @Test func `are overridden by operators unless their authority is higher`() throws {
        for (authority, denies) in [
            (ListAuthority.lower, false), (.same, false), (.higher, true),
        ] {
            let state = NeutralizationState(
                layers: [try layer("other", authority, "account A since=2026-11-16T12:00:00Z\n")])
            let reinstated = try state.reinstating("A", at: tuesday)
            #expect(try (reinstated.source("A", wednesday) != nil) == denies, "\(authority)")
        }
    }

    @Test func `deny again in a line that is later, or another`() throws {
        let state = NeutralizationState(layers: [try layer("other", .lower, "account A\n")])
        let reinstated = try state.reinstating("A", at: tuesday)
        #expect(try reinstated.source("A", wednesday) == nil)
        // The same line in the next issue changes nothing.
        let same = reinstated.replacing(
            layers: [try layer("other", .lower, "account B\naccount A\n")], at: wednesday)
        #expect(same.settled.isEmpty)
        #expect(try same.state.source("A", wednesday) == nil)
        let again = reinstated.replacing(
            layers: [try layer("other", .lower, "account A reason=again\n")], at: wednesday)
        #expect(again.settled.map(\.verb) == [.settle])
        #expect(try again.state.source("A", wednesday) == .signedList("other", line: 1))
        let later = reinstated.replacing(
            layers: [
                try layer("other", .lower, "account A\naccount A since=2026-11-18T12:00:00Z\n")
            ],
            at: tuesday)
        #expect(try later.state.source("A", thursday) != nil)
    }

    @Test func `stay when only the operator's own list is replaced`() throws {
        let state = NeutralizationState(layers: [try layer("other", .same, "account A\n")])
        let (next, _) = state.replacing(list: try list("account B\n"), at: monday)
        #expect(try next.source("A", monday) != nil)
        #expect(try next.source("B", monday) != nil)
        let (gone, _) = next.replacing(layers: [], at: monday)
        #expect(try gone.source("A", monday) == nil)
        #expect(try gone.source("B", monday) != nil)
    }

    /// Whether a line of `one` that reinstates overrides a line of `other` that denies.
    @Test func `reinstate what the same or a lower authority denied before`() throws {
        for one in ListAuthority.allCases {
            for other in ListAuthority.allCases {
                let state = NeutralizationState(layers: [
                    try layer("one", one, "reinstate account A since=2026-11-17T12:00:00Z\n"),
                    try layer("other", other, "account A since=2026-11-16T12:00:00Z\n"),
                ])
                #expect(try state.source("A", monday) != nil, "not in force yet")
                #expect(
                    try (state.source("A", wednesday) == nil) == (one >= other), "\(one) \(other)")
                let later = NeutralizationState(layers: [
                    try layer("one", one, "reinstate account A since=2026-11-17T12:00:00Z\n"),
                    try layer("other", other, "account A since=2026-11-18T12:00:00Z\n"),
                ])
                #expect(try later.source("A", thursday) != nil, "denied after it was reinstated")
            }
        }
    }

    @Test func `reinstate what was ordered here only if they may`() throws {
        for (authority, restores) in [(ListAuthority.lower, false), (.same, true), (.higher, true)]
        {
            let state = NeutralizationState(
                layers: [
                    try layer("one", authority, "reinstate account A since=2026-11-17T12:00:00Z\n")
                ]
            ).obeying([try neutralize("A", at: monday)])
            #expect(try (state.source("A", wednesday) == nil) == restores, "\(authority)")
            let after = state.obeying([try neutralize("A", at: wednesday)])
            #expect(try after.source("A", wednesday) != nil, "ordered after it")
        }
    }

    @Test func `can be cut to a scope`() throws {
        let whole = try list("account A\nstructure 10B0152872\naccount B\n")
        let (kept, dropped) = whole.keeping { $0.subject.kind == .account }
        #expect(dropped == 1)
        let state = NeutralizationState(list: kept)
        #expect(try state.source("B", monday) == .list(line: 3))
        #expect(try state.source("structure:10B0152872", monday) == nil)
        #expect(whole.keeping { _ in true }.dropped == 0)
        #expect(whole.keeping { _ in false }.list.isEmpty)
    }

    @Test(arguments: [
        ("reinstate account A\n", ListProblem.Fault.reinstatedSinceWhen),
        ("reinstate\n", .missingSubject(kind: "reinstate")),
        (
            "account hmac-sha256:" + String(repeating: "0", count: 64) + "\n",
            .hashedWithoutKey
        ),
        ("issued-before yesterday\n", .subject(.notAMoment)),
        (String(repeating: "issued-before 2026-11-16T12:00:00Z\n", count: 257), .tooManyMoments),
    ])
    func `refuse what they cannot mean`(text: String, fault: ListProblem.Fault) throws {
        let problem = try #require(throws: ListError.self) { try list(text) }
        #expect(problem.problems.last?.fault == fault)
    }

    @Test func `count lines from where they stand in their file`() throws {
        let entries = try parseList(Array("account A\n".utf8).span, firstLine: 7)
        #expect(entries.entry(0).line == 7)
        let bad = try #require(throws: ListError.self) {
            try parseList(Array("account A\nacount B\n".utf8).span, firstLine: 7)
        }
        #expect(bad.problems.first?.line == 8)
    }
}

/// A hash that any test can do in its head: the identifier, then zeros.
private let padding = AccountHashKey { account in
    (0..<32).map { $0 < account.count ? account[$0] : 0 }
}

private func hashed(_ account: String) -> String {
    let bytes = padding.digest(Array(account.utf8).span)
    return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

@Suite struct `A hashed account` {
    @Test func `is found by whoever has the key`() throws {
        let text = "account hmac-sha256:\(hashed("899700218896")) reason=campaign\n"
        let state = NeutralizationState(layers: [try layer("other", .same, text, key: padding)])
        let found = state.verdict(hashing: [Array("899700218896".utf8)], now: monday)
        #expect(found?.source == .signedList("other", line: 1))
        #expect(found?.subject.description == "account:hmac-sha256:\(hashed("899700218896"))")
        #expect(state.verdict(hashing: [Array("899700218897".utf8)], now: monday) == nil)
        #expect(try state.source("899700218896", monday) != nil, "also when it is looked up")
    }

    @Test func `is reinstated under its name`() throws {
        let text = "account hmac-sha256:\(hashed("899700218896"))\n"
        let state = NeutralizationState(layers: [try layer("other", .same, text, key: padding)])
        let reinstated = try state.reinstating("899700218896", at: tuesday)
        #expect(try reinstated.source("899700218896", wednesday) == nil)
        #expect(reinstated.verdict(hashing: [Array("899700218896".utf8)], now: wednesday) == nil)
        let changed = "account hmac-sha256:\(hashed("899700218896")) reason=again\n"
        let (again, settled) = reinstated.replacing(
            layers: [try layer("other", .same, changed, key: padding)], at: wednesday)
        #expect(settled.count == 1)
        #expect(try again.source("899700218896", wednesday) != nil)
    }
}

@Suite struct `Proofs from before a moment` {
    @Test func `count no more, and later ones do`() throws {
        let state = NeutralizationState(list: try list("issued-before 2026-11-17T12:00:00Z\n"))
        #expect(state.verdict(provenAt: tuesday.value - 1, now: wednesday) != nil)
        #expect(state.verdict(provenAt: tuesday.value, now: wednesday) == nil)
        #expect(state.verdict(provenAt: nil, now: wednesday) != nil, "nobody knows when")
        #expect(state.provenSince(now: wednesday) == tuesday)
        #expect(NeutralizationState().verdict(provenAt: nil, now: wednesday) == nil)
        #expect(NeutralizationState().provenSince(now: wednesday) == nil)
    }

    @Test func `count again when the order is over or taken back`() throws {
        let text = "issued-before 2026-11-16T12:00:00Z until=2026-11-17T12:00:00Z\n"
        let state = NeutralizationState(list: try list(text))
        #expect(state.verdict(provenAt: 0, now: monday) != nil)
        #expect(state.verdict(provenAt: 0, now: tuesday) == nil)
        let order = try neutralize("issued-before:2026-11-17T12:00:00Z", at: wednesday)
        let ordered = NeutralizationState().obeying([order])
        #expect(ordered.verdict(provenAt: monday.value, now: wednesday)?.subject == order.subject)
        let back = try ordered.reinstating("issued-before:2026-11-17T12:00:00Z", at: thursday)
        #expect(back.verdict(provenAt: monday.value, now: thursday) == nil)
    }

    @Test func `are judged by the latest moment in force`() throws {
        let state = NeutralizationState(
            list: try list(
                """
                issued-before 2026-11-16T12:00:00Z
                issued-before 2026-11-18T12:00:00Z since=2026-11-19T12:00:00Z
                """))
        #expect(state.verdict(provenAt: tuesday.value, now: wednesday) == nil)
        #expect(state.verdict(provenAt: tuesday.value, now: thursday) != nil)
        #expect(state.nextChange(after: wednesday) == thursday)
    }

    @Test func `are named in the journal and read back`() throws {
        let order = try neutralize("issued-before:2026-11-17T12:00:00Z", at: wednesday)
        let line = journalLine(order, number: 1)
        let read = try readJournalLine(line.span.extracting(0..<line.count - 1), number: 1)
        #expect(read == order)
    }
}
