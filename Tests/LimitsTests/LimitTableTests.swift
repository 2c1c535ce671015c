// LimitTableTests.swift: what is charged, refused, kept and forgotten.

import Testing

@testable import Limits

private func requests(
    _ limit: UInt32, per seconds: UInt32, shadow: Bool = false
) -> LimitWindow {
    LimitWindow(
        count: .requests, limit: limit, spanSeconds: seconds, enforcement: shadow ? .shadow : .deny)
}

private let start: UInt64 = 1_000_000_000

private func at(_ milliseconds: UInt64) -> LimitTime {
    LimitTime(milliseconds: start + milliseconds)
}

@Suite struct `A charge` {
    let scratch: Scratch
    let table: LimitTable

    init() throws {
        scratch = try Scratch()
        table = try scratch.openTable()
    }

    @Test func `passes up to the limit and then says when to come back`() throws {
        let set = try table.prepare(name: "standard", windows: [requests(3, per: 23)])
        let who = table.who("899700218896")
        for used in 1...3 {
            let outcome = table.charge(who, set, now: at(0))
            #expect(outcome.decision == .allowed)
            #expect(outcome.tightest?.remaining == UInt64(3 - used))
        }
        let refused = table.charge(who, set, now: at(1_500))
        // Buckets last a second; that of moment 0 is forgotten at second 24.
        #expect(refused.decision == .limited(window: 0, retryAfterSeconds: 23))
        #expect(table.charge(who, set, now: at(23_999)).decision != .allowed)
        #expect(table.charge(who, set, now: at(24_000)).decision == .allowed)
    }

    @Test func `of one professional does not touch another's`() throws {
        let set = try table.prepare(name: "standard", windows: [requests(1, per: 60)])
        #expect(table.charge(table.who("A"), set, now: at(0)).decision == .allowed)
        #expect(table.charge(table.who("A"), set, now: at(0)).decision != .allowed)
        #expect(table.charge(table.who("B"), set, now: at(0)).decision == .allowed)
    }

    @Test(arguments: [1, 34_560_000] as [UInt32])
    func `is counted for the shortest and the longest span, and forgotten after it`(
        span: UInt32
    ) throws {
        let set = try table.prepare(name: "standard", windows: [requests(2, per: span)])
        let who = table.who("A")
        let whole = UInt64(span) * 1000
        #expect(table.charge(who, set, now: at(0)).decision == .allowed)
        #expect(table.charge(who, set, now: at(whole / 2)).decision == .allowed)
        let refused = table.charge(who, set, now: at(whole))
        guard case .limited(_, let seconds) = refused.decision else {
            Issue.record("not limited: \(refused)")
            return
        }
        // Of two buckets too many at most, as each is forgotten whole.
        #expect(seconds >= 1 && seconds <= UInt64(span) / 23 * 2 + 1)
        #expect(table.charge(who, set, now: at(whole + seconds * 1000)).decision == .allowed)
        #expect(table.usage(who, set, now: at(whole * 4)).map(\.used) == [0])
    }

    @Test func `is counted at the end of time`() throws {
        let set = try table.prepare(
            name: "standard", windows: [requests(1, per: 34_560_000), requests(1, per: 1)])
        let who = table.who("A")
        let end = LimitTime(milliseconds: .max)
        #expect(table.charge(who, set, now: end).decision == .allowed)
        #expect(table.charge(who, set, now: end).decision != .allowed)
        // A clock that was lost: what was counted counts as counted now.
        #expect(table.charge(who, set, now: at(0)).decision != .allowed)
    }

    @Test func `that one window refuses is charged on none`() throws {
        let set = try table.prepare(
            name: "standard", windows: [requests(100, per: 3600), requests(2, per: 10)])
        let who = table.who("A")
        for _ in 0..<5 { _ = table.charge(who, set, now: at(0)) }
        #expect(table.usage(who, set, now: at(0)).map(\.used) == [2, 2])
    }

    @Test func `names the window that stays exhausted longest`() throws {
        let set = try table.prepare(
            name: "standard", windows: [requests(1, per: 10), requests(1, per: 600)])
        let who = table.who("A")
        _ = table.charge(who, set, now: at(0))
        let outcome = table.charge(who, set, now: at(1_000))
        guard case .limited(let window, let seconds) = outcome.decision else {
            Issue.record("not limited: \(outcome)")
            return
        }
        #expect(window == 1)
        #expect(seconds >= 600 && seconds <= 630)
    }

    @Test func `is never refused by a shadow window, which says it would have`() throws {
        let set = try table.prepare(
            name: "standard",
            windows: [requests(5, per: 60), requests(2, per: 60 * 60, shadow: true)]
        )
        let who = table.who("A")
        let outcomes = (0..<6).map { _ in table.charge(who, set, now: at(0)) }
        #expect(outcomes.map { $0.decision == .allowed } == [true, true, true, true, true, false])
        #expect(outcomes.map(\.shadowed) == [0, 0, 2, 2, 2, 2])
        #expect(table.usage(who, set, now: at(0)).map(\.used) == [5, 2])
        #expect(outcomes[0].tightest?.window == 0)
    }

    @Test func `with a limit of nothing never passes`() throws {
        let set = try table.prepare(name: "closed", windows: [requests(0, per: 60)])
        let outcome = table.charge(table.who("A"), set, now: at(0))
        #expect(outcome.decision == .limited(window: 0, retryAfterSeconds: 60))
    }

    @Test func `without any window passes`() throws {
        let set = try table.prepare(name: "free", windows: [])
        let outcome = table.charge(table.who("A"), set, now: at(0))
        #expect(
            outcome == LimitOutcome(decision: .allowed, shadowed: 0, steppedUp: 0, tightest: nil))
    }

    @Test func `keeps what was counted when the limit changes, not when the span does`() throws {
        let who = table.who("A")
        let before = try table.prepare(name: "standard", windows: [requests(10, per: 60)])
        for _ in 0..<4 { _ = table.charge(who, before, now: at(0)) }
        let lower = try table.prepare(name: "standard", windows: [requests(3, per: 60)])
        #expect(table.charge(who, lower, now: at(0)).decision != .allowed)
        #expect(table.usage(who, lower, now: at(0))[0].used == 4)
        #expect(table.usage(who, lower, now: at(0))[0].remaining == 0)
        let other = try table.prepare(name: "standard", windows: [requests(3, per: 61)])
        #expect(table.usage(who, other, now: at(0))[0].used == 0)
        let renamed = try table.prepare(name: "strict", windows: [requests(3, per: 60)])
        #expect(table.usage(who, renamed, now: at(0))[0].used == 0)
    }

    @Test func `made a little in the past counts now`() throws {
        let set = try table.prepare(name: "standard", windows: [requests(2, per: 23)])
        let who = table.who("A")
        #expect(table.charge(who, set, now: at(5_000)).decision == .allowed)
        #expect(table.charge(who, set, now: at(3_000)).decision == .allowed)
        #expect(table.charge(who, set, now: at(3_000)).decision != .allowed)
    }

    @Test func `is refused when a lost clock leaves counts in the future`() throws {
        let set = try table.prepare(name: "standard", windows: [requests(1, per: 23)])
        let who = table.who("A")
        _ = table.charge(who, set, now: at(10_000_000))
        #expect(table.charge(who, set, now: at(0)).decision != .allowed)
        // They are forgotten a window later, not at the time they were counted at.
        #expect(table.charge(who, set, now: at(25_000)).decision == .allowed)
    }
}

@Suite struct `A set of limits` {
    @Test func `refuses windows that make no sense`() throws {
        let scratch = try Scratch()
        let table = try scratch.openTable()
        #expect(throws: LimitSetError.spanOutOfRange(window: 0)) {
            try table.prepare(name: "a", windows: [requests(1, per: 0)])
        }
        #expect(throws: LimitSetError.spanOutOfRange(window: 0)) {
            try table.prepare(name: "a", windows: [requests(1, per: 34_560_001)])
        }
        #expect(throws: LimitSetError.tooManyWindows(17)) {
            try table.prepare(name: "a", windows: (1...17).map { requests(1, per: $0) })
        }
    }
}

@Suite struct `A sliding window` {
    /// Random events against an exact list of those admitted.
    @Test(arguments: [1, 7, 60, 3600] as [UInt32])
    func `never admits more than the limit and forgets within a twenty-third`(
        span: UInt32
    ) throws {
        let scratch = try Scratch()
        let table = try scratch.openTable()
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        let limit = 20
        let set = try table.prepare(name: "s", windows: [requests(UInt32(limit), per: span)])
        let who = table.who("A")
        let spanMilliseconds = UInt64(span) * 1000
        let late = spanMilliseconds + 2 * Slot.bucketMilliseconds(spanSeconds: span)
        var admitted: [UInt64] = []
        var now: UInt64 = 0
        var promised: UInt64?
        for _ in 0..<4_000 {
            // Bursts and pauses around what the limit lets through.
            let pause = spanMilliseconds / UInt64(limit)
            now += random.next() % 3 == 0 ? random.next() % (pause * 4) : random.next() % 3
            let decision = table.charge(who, set, now: at(now)).decision
            if decision == .allowed {
                admitted.append(now)
                let inWindow = admitted.reversed().prefix { $0 + spanMilliseconds >= now }
                #expect(inWindow.count <= limit, "seed \(seed)")
                promised = nil
            } else if case .limited(_, let seconds) = decision {
                let kept = admitted.reversed().prefix { $0 + late > now }
                #expect(kept.count >= limit, "refused though forgotten, seed \(seed)")
                if let promised { #expect(now < promised, "refused after the wait, seed \(seed)") }
                promised = now + seconds * 1000
            }
        }
        #expect(admitted.count > limit * 3, "the stream reaches the limit more than once")
    }

    @Test func `lets the next one pass as soon as it said, and no second before`() throws {
        let scratch = try Scratch()
        let table = try scratch.openTable()
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        let set = try table.prepare(name: "s", windows: [requests(9, per: 46)])
        var now: UInt64 = 0
        for round in 0..<200 {
            let who = table.who("P\(round)")
            now += random.next() % 10_000
            var seconds: UInt64?
            while seconds == nil {
                now += random.next() % 5_000
                if case .limited(_, let wait) = table.charge(who, set, now: at(now)).decision {
                    seconds = wait
                }
            }
            let wait = try #require(seconds) * 1000
            #expect(wait > 0)
            #expect(table.charge(who, set, now: at(now + wait - 1_000)).decision != .allowed)
            #expect(table.charge(who, set, now: at(now + wait)).decision == .allowed)
        }
    }
}
