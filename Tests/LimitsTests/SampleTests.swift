// SampleTests.swift: sets larger than are kept whole: the newest exact, the older ones estimated.

import Testing

@testable import Limits

private let start: UInt64 = 10_000_000_000

private func at(seconds: UInt64) -> LimitTime {
    LimitTime(milliseconds: start + seconds * 1000)
}

@Suite struct `A very large set of persons` {
    let scratch: Scratch
    let table: LimitTable
    let who: LimitSubjects

    init() throws {
        scratch = try Scratch()
        table = try scratch.openTable()
        who = table.who("A")
    }

    @Test func `is exact for its newest and estimated, within its error, beyond`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        // One answer of 20 persons each 10 seconds.
        let spans: [UInt32] = [1_000, 4_000, 20_000, 50_000]
        let set = try table.prepare(
            name: "s", windows: spans.map { patients(1_000_000, per: $0, .shadow) })
        for answer in 0..<3_000 {
            let persons = (0..<20).map { _ in random.next() }
            let now = at(seconds: UInt64(answer) * 10)
            #expect(table.show(persons, to: who, set, now: now).decision == .allowed)
        }
        let usage = table.usage(who, set, now: at(seconds: 29_990))
        for (used, span) in zip(usage, spans) {
            let truth = min(UInt64(span) / 10 + 1, 3_000) * 20
            if truth <= UInt64(PersonsTable.exactMax) {
                #expect(used.used == truth && used.error == 0, "seed \(seed)")
            } else {
                #expect(used.error > 0 && used.error < 0.03)
                // Never below the truth by more than the margin, once in 700 runs at most each.
                #expect(used.used + 2 * used.margin >= truth, "seed \(seed)")
                #expect(used.used <= truth + 2 * used.margin, "seed \(seed)")
            }
        }
        #expect(usage.map { $0.error > 0 } == [false, false, true, true])
    }

    @Test func `stops a ceiling beyond what is exact, no later than its margin`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        let set = try table.prepare(name: "s", windows: [patients(30_000, per: 86_400)])
        var shown = 0
        for answer in 0..<500 {
            let persons = (0..<100).map { _ in random.next() }
            let now = at(seconds: UInt64(answer) * 10)
            if table.show(persons, to: who, set, now: now).decision != .allowed { break }
            shown += 100
        }
        let usage = table.usage(who, set, now: at(seconds: 5_000))[0]
        #expect(shown <= 30_000 + Int(usage.margin), "seed \(seed)")
        #expect(shown >= 30_000 - 2 * Int(usage.margin) - 100, "seed \(seed)")
    }

    @Test func `moves who is shown again back among the exact`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        let set = try table.prepare(
            name: "s", windows: [patients(1_000_000, per: 100, .shadow)])
        let persons = (0..<20_000).map { _ in random.next() }
        for group in 0..<200 {
            let answer = Array(persons[group * 100..<(group + 1) * 100])
            _ = table.show(answer, to: who, set, now: at(seconds: UInt64(group) * 20))
        }
        _ = table.show(Array(persons[..<1_000]), to: who, set, now: at(seconds: 9_000))
        let usage = table.usage(who, set, now: at(seconds: 9_000))[0]
        #expect(usage.used == 1_000 && usage.error == 0)
    }

    @Test func `takes one answer larger than itself`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        let set = try table.prepare(
            name: "s", windows: [patients(1_000_000, per: 3600), patients(1_000_000, per: 60)])
        let persons = (0..<100_000).map { _ in random.next() }
        for second in 0..<3 as Range<UInt64> {
            #expect(
                table.show(persons, to: who, set, now: at(seconds: second)).decision == .allowed)
        }
        let few = (0..<100).map { _ in random.next() }
        _ = table.show(few, to: who, set, now: at(seconds: 70))
        let usage = table.usage(who, set, now: at(seconds: 70))
        #expect(usage[0].used + 2 * usage[0].margin >= 100_100, "seed \(seed)")
        #expect(usage[0].used <= 100_100 + 2 * usage[0].margin, "seed \(seed)")
        #expect(usage[1].used == 100 && usage[1].error == 0)
    }

    @Test func `is exact again when the older ones have left every window`() throws {
        var random = SplitMix(state: 1)
        let set = try table.prepare(name: "s", windows: [patients(1_000_000, per: 34_560_000)])
        let persons = (0..<30_000).map { _ in random.next() }
        _ = table.show(persons, to: who, set, now: at(seconds: 0))
        _ = table.show([1, 2], to: who, set, now: at(seconds: 1_000))
        #expect(table.usage(who, set, now: at(seconds: 1_000))[0].error > 0)
        let later = at(seconds: 34_560_002)
        _ = table.show([3], to: who, set, now: later)
        let usage = table.usage(who, set, now: later)[0]
        #expect(usage.used == 3 && usage.error == 0)
    }
}

@Suite struct `A set of persons over the years` {
    @Test func `forgets at 400 days, however long nobody came`() throws {
        let day: UInt64 = 86_400
        // (days between two charges, whether the first person is still in 400 days' window)
        for (pause, isKept) in [
            (1, true), (31, true), (301, true), (399, true), (401, false), (700, false),
            (776, false), (777, false), (800, false), (1_200, false), (40_000, false),
        ] as [(UInt64, Bool)] {
            let scratch = try Scratch()
            let table = try scratch.openTable()
            let set = try table.prepare(name: "s", windows: [patients(9, per: 34_560_000)])
            let who = table.who("A")
            _ = table.show([1], to: who, set, now: at(seconds: 0))
            // A charge in between, so that the age has to be carried along.
            _ = table.show([2], to: who, set, now: at(seconds: pause * day / 2))
            _ = table.show([3], to: who, set, now: at(seconds: pause * day))
            let used = table.usage(who, set, now: at(seconds: pause * day))[0].used
            let second: UInt64 = pause / 2 <= 400 ? 1 : 0
            #expect(used == 1 + second + (isKept ? 1 : 0), "after \(pause) days")
        }
    }

    @Test func `keeps what was counted when its clock is lost`() throws {
        let scratch = try Scratch()
        let table = try scratch.openTable()
        let set = try table.prepare(name: "s", windows: [patients(2, per: 3600)])
        let who = table.who("A")
        _ = table.show([1, 2], to: who, set, now: at(seconds: 90_000_000))
        // A little back: another thread read the clock later.
        #expect(table.show([3], to: who, set, now: at(seconds: 89_999_999)).decision != .allowed)
        // Far back: only damage or a lost clock; counts as just counted, and time goes on.
        #expect(table.show([3], to: who, set, now: at(seconds: 0)).decision != .allowed)
        #expect(table.show([1], to: who, set, now: at(seconds: 0)).decision == .allowed)
        #expect(table.show([3], to: who, set, now: at(seconds: 3_500)).decision != .allowed)
        #expect(table.show([3], to: who, set, now: at(seconds: 3_602)).decision == .allowed)
        #expect(table.usage(who, set, now: at(seconds: 3_602))[0].used == 1)
    }

    @Test func `counts at the end of time`() throws {
        let scratch = try Scratch()
        let table = try scratch.openTable()
        let set = try table.prepare(name: "s", windows: [patients(2, per: 3600)])
        let end = LimitTime(milliseconds: .max)
        #expect(table.show([1, 2], to: table.who("A"), set, now: end).decision == .allowed)
        #expect(table.show([3], to: table.who("A"), set, now: end).decision != .allowed)
    }
}
