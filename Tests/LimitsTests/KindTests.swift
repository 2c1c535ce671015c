// KindTests.swift: every kind of count, structures, step-up, weights, grants, what applies to whom.

import Testing

@testable import Limits

private let start: UInt64 = 1_000_000_000
private let now = LimitTime(milliseconds: start)

private func window(
    _ count: CountKind, _ limit: UInt32, per seconds: UInt32 = 3600,
    _ enforcement: LimitEnforcement = .deny, each: LimitHolder = .professional
) -> LimitWindow {
    LimitWindow(
        count: count, limit: limit, spanSeconds: seconds, enforcement: enforcement, each: each)
}

private let one = LimitEvent(requests: 1, lookups: 1, disclosures: 1, misses: 1)

@Suite struct `Limits of every kind` {
    let scratch: Scratch
    let table: LimitTable

    init() throws {
        scratch = try Scratch()
        table = try scratch.openTable()
    }

    private func who(_ professional: String, of structure: String) -> LimitSubjects {
        LimitSubjects(
            professional: table.who(professional).professional,
            structure: table.structure(Array(structure.utf8).span))
    }

    @Test func `count each its own`() throws {
        let set = try table.prepare(
            name: "s", windows: CountKind.allCases.map { window($0, 100) })
        let who = table.who("A")
        let event = LimitEvent(requests: 1, lookups: 2, disclosures: 5, misses: 7)
        let persons: [UInt64] = [1, 2, 3]
        let starts = [0, 1, 2, 3]
        for _ in 0..<2 {
            let outcome = table.charge(
                who, set, event: event, persons: persons.span, starts: starts.span, now: now)
            #expect(outcome.decision == .allowed)
        }
        #expect(table.usage(who, set, now: now).map(\.used) == [2, 4, 3, 10, 14])
    }

    // (used before, amount, limit) → whether it passes
    @Test(
        arguments: [
            (0, 10, 10, true), (0, 11, 10, false), (5, 5, 10, true), (5, 6, 10, false),
            (0, UInt32.max, 10, false), (0, UInt32.max, UInt32.max, true),
            (1, UInt32.max, UInt32.max, false),
        ] as [(UInt32, UInt32, UInt32, Bool)])
    func `weigh amounts`(before: UInt32, amount: UInt32, limit: UInt32, passes: Bool) throws {
        let set = try table.prepare(name: "s", windows: [window(.lookups, limit)])
        let who = table.who("A")
        _ = table.charge(who, set, event: LimitEvent(lookups: before), now: now)
        let outcome = table.charge(who, set, event: LimitEvent(lookups: amount), now: now)
        #expect((outcome.decision == .allowed) == passes)
        if amount > limit {
            #expect(outcome.decision == .limited(window: 0, retryAfterSeconds: 3600))
        }
        let used = passes ? UInt64(before) + UInt64(amount) : UInt64(before)
        #expect(table.usage(who, set, now: now)[0].used == used)
    }

    @Test func `leave alone what an event has nothing of`() throws {
        let set = try table.prepare(
            name: "s", windows: [window(.requests, 1), window(.misses, 0), window(.patients, 0)])
        let who = table.who("A")
        let request = LimitEvent(requests: 1)
        #expect(table.charge(who, set, event: request, now: now).decision == .allowed)
        // Its answer is no other request.
        #expect(table.charge(who, set, event: LimitEvent(), now: now).decision == .allowed)
        #expect(table.charge(who, set, event: LimitEvent(misses: 1), now: now).decision != .allowed)
        #expect(table.show([1], to: who, set, now: now).decision != .allowed)
    }

    @Test func `count all professionals of a structure together`() throws {
        let set = try table.prepare(
            name: "s",
            windows: [
                window(.lookups, 3, each: .structure), window(.patients, 4, each: .structure),
                window(.patients, 3),
            ])
        let first = who("A", of: "10B1")
        let second = who("B", of: "10B1")
        let other = who("C", of: "10B2")
        #expect(table.show([1, 2, 3], to: first, set, now: now).decision == .allowed)
        // Two of them the structure has seen already.
        #expect(table.show([2, 3, 4], to: second, set, now: now).decision == .allowed)
        #expect(table.usage(second, set, now: now).map(\.used) == [0, 4, 3])
        let refused = table.show([2, 3, 5], to: who("D", of: "10B1"), set, now: now)
        #expect(refused.decision == .limited(window: 1, retryAfterSeconds: 3601))
        #expect(table.usage(who("D", of: "10B1"), set, now: now).map(\.used) == [0, 4, 0])
        #expect(table.show([5, 6], to: other, set, now: now).decision == .allowed)
        for subject in [first, second, first] {
            let event = LimitEvent(lookups: 1)
            #expect(table.charge(subject, set, event: event, now: now).decision == .allowed)
        }
        let event = LimitEvent(lookups: 1)
        #expect(table.charge(second, set, event: event, now: now).decision != .allowed)
        // Who is of no structure has no such window.
        #expect(table.charge(table.who("A"), set, event: event, now: now).decision == .allowed)
        #expect(table.usage(table.who("A"), set, now: now).map(\.window) == [2])
    }

    @Test func `never take a structure for a professional of the same name`() throws {
        let set = try table.prepare(name: "s", windows: [window(.patients, 9)])
        let name = Array("10B1".utf8)
        let structure = LimitSubjects(professional: table.structure(name.span))
        _ = table.show([1], to: structure, set, now: now)
        #expect(table.usage(table.who("10B1"), set, now: now)[0].used == 0)
    }

    @Test func `apply as the caller says, and share one count`() throws {
        let set = try table.prepare(
            name: "s",
            windows: [
                window(.lookups, 2), window(.lookups, 5), window(.patients, 1),
                window(.patients, 3),
            ])
        let who = table.who("A")
        let event = LimitEvent(lookups: 1)
        for _ in 0..<5 {
            let outcome = table.charge(who, set, applies: 0b1010, event: event, now: now)
            #expect(outcome.decision == .allowed)
        }
        #expect(table.usage(who, set, now: now).map(\.used) == [5, 5, 0, 0])
        let refused = table.charge(who, set, applies: 0b1010, event: event, now: now)
        #expect(refused.decision.window == 1)
        #expect(
            table.charge(who, set, applies: 0b0101, event: event, now: now).decision.window == 0)
        #expect(table.charge(who, set, applies: 0, event: event, now: now).decision == .allowed)
        #expect(table.usage(who, set, now: now)[0].used == 5)
        // Both at once count once.
        let other = table.who("B")
        _ = table.charge(other, set, event: event, now: now)
        #expect(table.usage(other, set, now: now).map(\.used) == [1, 1, 0, 0])
        let persons: [UInt64] = [1, 2, 3]
        let starts = [0, 1, 2, 3]
        for (applies, passes) in [(0b0100, false), (0b1000, true), (0b0100, true)] {
            let outcome = table.charge(
                other, set, applies: UInt16(applies), event: LimitEvent(), persons: persons.span,
                starts: starts.span, now: now)
            #expect((outcome.decision == .allowed) == passes)
        }
    }

    @Test func `let pass whoever has proven anew who he is, and count on`() throws {
        let set = try table.prepare(
            name: "s",
            windows: [
                window(.lookups, 2, .stepUp(maxAgeSeconds: 300)),
                window(.patients, 1, .stepUp(maxAgeSeconds: 60)), window(.lookups, 4, per: 60),
            ])
        let who = table.who("A")
        func lookup(age: UInt32?) -> LimitOutcome {
            table.charge(
                who, set, event: LimitEvent(lookups: 1), authenticationAge: age, now: now)
        }
        #expect(lookup(age: nil).decision == .allowed)
        #expect(lookup(age: 9_999).decision == .allowed)
        let needed = lookup(age: 301)
        #expect(needed.decision == .stepUpNeeded(window: 0, maxAgeSeconds: 300))
        #expect(lookup(age: nil).decision == .stepUpNeeded(window: 0, maxAgeSeconds: 300))
        let passed = lookup(age: 300)
        #expect(passed.decision == .allowed && passed.steppedUp == 1)
        #expect(table.usage(who, set, now: now)[0].used == 3)
        #expect(lookup(age: 0).decision == .allowed)
        // Fresh proof passes no window that refuses.
        #expect(lookup(age: 0).decision.window == 2)
        #expect(lookup(age: nil).decision.window == 2)
        let persons: [UInt64] = [1, 2]
        let starts = [0, 1, 2]
        for (age, passes) in [(61, false), (60, true)] as [(UInt32, Bool)] {
            let outcome = table.charge(
                who, set, event: LimitEvent(), persons: persons.span, starts: starts.span,
                authenticationAge: age, now: now)
            #expect((outcome.decision == .allowed) == passes)
        }
    }

    @Test func `are raised by grants, and only of their kind`() throws {
        let set = try table.prepare(
            name: "s", windows: [window(.patients, 2), window(.disclosures, 2)])
        let who = table.who("A")
        let extras = LimitExtras(patients: 2)
        #expect(table.show([1, 2, 3], to: who, set, now: now).decision != .allowed)
        #expect(table.show([1, 2, 3], to: who, set, extras: extras, now: now).decision == .allowed)
        let usage = table.usage(who, set, extras: extras, now: now)
        #expect(usage.map(\.limit) == [4, 2])
        #expect(usage.map(\.remaining) == [1, 2])
        // Over, it is over, and what was seen may be seen again.
        #expect(table.show([4], to: who, set, now: now).decision != .allowed)
        #expect(table.show([1, 2, 3], to: who, set, now: now).decision == .allowed)
        let event = LimitEvent(disclosures: 3)
        #expect(table.charge(who, set, event: event, extras: extras, now: now).decision != .allowed)
    }

    @Test func `say beforehand what is exhausted`() throws {
        let set = try table.prepare(
            name: "s",
            windows: [
                window(.misses, 2), window(.disclosures, 5), window(.requests, 1),
                window(.misses, 1, per: 60, .shadow),
            ])
        let who = table.who("A")
        #expect(table.exhausted(who, set, kinds: [.misses, .disclosures], now: now) == nil)
        _ = table.charge(who, set, event: LimitEvent(misses: 1), now: now)
        #expect(table.exhausted(who, set, kinds: [.misses, .disclosures], now: now) == nil)
        _ = table.charge(who, set, event: LimitEvent(requests: 1, misses: 1), now: now)
        let found = table.exhausted(who, set, kinds: [.misses, .disclosures], now: now)
        #expect(found?.window == 0)
        #expect(found.map { $0.retryAfterSeconds > 3_000 } == true)
        let extras = LimitExtras(misses: 1)
        #expect(table.exhausted(who, set, kinds: .misses, extras: extras, now: now) == nil)
        #expect(table.exhausted(who, set, applies: 0b10, kinds: .misses, now: now) == nil)
        #expect(table.exhausted(who, set, kinds: .disclosures, now: now) == nil)
    }

    @Test func `that one of them refuses charge none`() throws {
        let set = try table.prepare(
            name: "s",
            windows: [
                window(.lookups, 9, each: .structure), window(.patients, 5),
                window(.disclosures, 2), window(.patients, 9, each: .structure),
            ])
        let subject = who("A", of: "10B1")
        let persons: [UInt64] = [1, 2, 3]
        let starts = [0, 1, 2, 3]
        let outcome = table.charge(
            subject, set, event: LimitEvent(lookups: 1, disclosures: 3), persons: persons.span,
            starts: starts.span, now: now)
        #expect(outcome.decision.window == 2)
        #expect(table.usage(subject, set, now: now).allSatisfy { $0.used == 0 })
    }

    @Test func `of patients in shadow say so and count who was really shown`() throws {
        let set = try table.prepare(name: "s", windows: [window(.patients, 2, .shadow)])
        let who = table.who("A")
        #expect(table.show([1, 2], to: who, set, now: now).shadowed == 0)
        let outcome = table.show([2, 3], to: who, set, now: now)
        #expect(outcome.decision == .allowed && outcome.shadowed == 1)
        #expect(table.usage(who, set, now: now)[0].used == 3)
    }
}

extension LimitOutcome.Decision {
    /// The refusing window.
    var window: Int? {
        if case .limited(let window, _) = self { window } else { nil }
    }
}
