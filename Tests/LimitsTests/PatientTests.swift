// PatientTests.swift: distinct persons in windows, against an exact model.

import Testing

@testable import Limits

func patients(
    _ limit: UInt32, per seconds: UInt32, _ enforcement: LimitEnforcement = .deny,
    each: LimitHolder = .professional
) -> LimitWindow {
    LimitWindow(
        count: .patients, limit: limit, spanSeconds: seconds, enforcement: enforcement, each: each)
}

let dayMilliseconds: UInt64 = 86_400_000
private let start: UInt64 = 1_000_000_000

private func at(_ milliseconds: UInt64) -> LimitTime {
    LimitTime(milliseconds: start + milliseconds)
}

@Suite struct `A limit on patients` {
    let scratch: Scratch
    let table: LimitTable

    init() throws {
        scratch = try Scratch()
        table = try scratch.openTable()
    }

    @Test func `counts each person once, however often he is shown`() throws {
        let set = try table.prepare(name: "s", windows: [patients(3, per: 3600)])
        let who = table.who("A")
        for _ in 0..<10 {
            #expect(table.show([1, 2], to: who, set, now: at(0)).decision == .allowed)
        }
        #expect(table.usage(who, set, now: at(0)).map(\.used) == [2])
        #expect(table.show([3], to: who, set, now: at(0)).decision == .allowed)
        #expect(table.show([4], to: who, set, now: at(0)).decision != .allowed)
        // Care goes on with those he has seen; an answer with one new person is withheld whole.
        #expect(table.show([1, 2, 3], to: who, set, now: at(0)).decision == .allowed)
        #expect(table.show([1, 2, 3, 4], to: who, set, now: at(0)).decision != .allowed)
        #expect(table.usage(who, set, now: at(0)).map(\.used) == [3])
        #expect(table.usage(table.who("B"), set, now: at(0)).map(\.used) == [0])
    }

    @Test func `says when enough persons leave the window`() throws {
        let set = try table.prepare(name: "s", windows: [patients(3, per: 100)])
        let who = table.who("A")
        for person in 1...3 as ClosedRange<UInt64> {
            let now = at(person * 10_000)
            #expect(table.show([person], to: who, set, now: now).decision == .allowed)
        }
        // Two places are needed: persons 1 and 2 leave at 110 and 120 s, a tick or two later.
        let refused = table.show([7, 8], to: who, set, now: at(50_000))
        #expect(refused.decision == .limited(window: 0, retryAfterSeconds: 71))
        // Person 1 is in the answer: he takes a place even when he has left.
        let again = table.show([1, 7, 8], to: who, set, now: at(50_000))
        #expect(again.decision == .limited(window: 0, retryAfterSeconds: 81))
        let never = table.show([4, 5, 6, 7], to: who, set, now: at(50_000))
        #expect(never.decision == .limited(window: 0, retryAfterSeconds: 101))
        #expect(table.show([7, 8], to: who, set, now: at(119_000)).decision != .allowed)
        #expect(table.show([7, 8], to: who, set, now: at(121_000)).decision == .allowed)
    }

    @Test func `keeps what was counted under other limits, spans and names, not other scopes`()
        throws
    {
        let who = table.who("A")
        let first = try table.prepare(name: "s", windows: [patients(10, per: 3600)])
        _ = table.show([1, 2, 3], to: who, first, now: at(0))
        for windows in [[patients(2, per: 3600)], [patients(5, per: 60), patients(5, per: 7200)]] {
            let other = try table.prepare(name: "t", windows: windows)
            #expect(table.usage(who, other, now: at(0)).allSatisfy { $0.used == 3 })
        }
        let apart = try table.prepare(
            name: "s", scope: "break-glass", windows: [patients(2, per: 3600)])
        #expect(table.usage(who, apart, now: at(0))[0].used == 0)
        #expect(table.show([1, 9], to: who, apart, now: at(0)).decision == .allowed)
        #expect(table.usage(who, first, now: at(0))[0].used == 3)
    }

    @Test func `grows from a handful to thousands`() throws {
        let set = try table.prepare(name: "s", windows: [patients(7_000, per: 3600)])
        let who = table.who("A")
        for person in 0..<7_000 as Range<UInt64> {
            let outcome = table.show([mixed(person)], to: who, set, now: at(person))
            #expect(outcome.decision == .allowed)
        }
        #expect(table.usage(who, set, now: at(7_000))[0].used == 7_000)
        #expect(table.show([1], to: who, set, now: at(7_000)).decision != .allowed)
        for person in 0..<7_000 as Range<UInt64> {
            let outcome = table.show([mixed(person)], to: who, set, now: at(8_000))
            #expect(outcome.decision == .allowed)
        }
    }

    /// Random answers over simulated weeks, against a list of when each person was last shown.
    @Test(arguments: 0..<4) func `counts what an exact model counts`(_: Int) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        let spans: [UInt32] = [60, 3600, 86_400, 7 * 86_400, 30 * 86_400]
        let limits: [UInt32] = [12, 30, 60, 150, 300]
        let set = try table.prepare(
            name: "s", windows: zip(limits, spans).map { patients($0, per: $1) })
        let who = table.who("A")
        var last: [UInt64: UInt64] = [:]
        var now: UInt64 = 0
        var refused = 0
        for _ in 0..<5_000 {
            let pause = [250, 20_000, 1_000_000, 40_000_000][Int(random.next() % 4)] as UInt64
            now += random.next() % pause / 250 * 250
            let answer = Set((0..<random.next() % 6).map { _ in random.next() % 1_000 })
            if answer.isEmpty { continue }
            func isWithin(_ person: UInt64, _ span: UInt32) -> Bool {
                last[person].map { now - $0 <= UInt64(span) * 1000 + 250 } ?? false
            }
            let fits = zip(limits, spans).allSatisfy { limit, span in
                let union = last.keys.filter { isWithin($0, span) && !answer.contains($0) }
                let new = answer.filter { !isWithin($0, span) }
                return new.isEmpty || union.count + answer.count <= Int(limit)
            }
            let decision = table.show(answer.map { $0 }, to: who, set, now: at(now)).decision
            #expect((decision == .allowed) == fits, "seed \(seed)")
            if fits { for person in answer { last[person] = now } } else { refused += 1 }
        }
        let used = table.usage(who, set, now: at(now)).map(\.used)
        let exact = spans.map { span in
            last.values.filter { now - $0 <= UInt64(span) * 1000 + 250 }.count
        }
        #expect(used == exact.map { UInt64($0) }, "seed \(seed)")
        #expect(refused > 100 && refused < 4_900, "both happen")
    }
}
