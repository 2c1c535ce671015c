// LinkTests.swift: several keys of one person, and keys that must not make two persons one.

import Synchronization
import Testing

@testable import Limits

private let now = LimitTime(milliseconds: 1_000_000_000)

@Suite struct `Keys of one person` {
    let scratch: Scratch
    let table: LimitTable
    let set: LimitSet
    let who: LimitSubjects

    init() throws {
        scratch = try Scratch()
        table = try scratch.openTable()
        set = try table.prepare(name: "s", windows: [patients(100_000, per: 3600)])
        who = table.who("A")
    }

    /// Persons counted after each of these answers.
    private func counts(_ answers: [[[UInt64]]]) -> [UInt64] {
        answers.map { answer in
            #expect(table.show(keys: answer, to: who, set, now: now).decision == .allowed)
            return table.usage(who, set, now: now)[0].used
        }
    }

    // 10 to 13 are canonical, 20 to 23 INS, 30 to 33 local, 90 a placeholder.
    @Test(
        arguments: [
            // A weaker key alone is the person it was seen with.
            ([[[10, 20, 30]], [[30]], [[20]], [[20, 30]], [[10]]], [1, 1, 1, 1, 1]),
            // First known by the weaker key alone; then by both, and by either.
            ([[[30]], [[10, 30]], [[30]], [[10]]], [1, 1, 1, 2]),
            // Step by step: local to INS, INS to canonical.
            ([[[20, 30]], [[10, 20]], [[30]], [[10, 20, 30]]], [1, 1, 1, 1]),
            // A placeholder makes no two persons one, whatever comes first.
            ([[[10, 90]], [[11, 90]], [[12, 90]], [[90]], [[90]]], [1, 2, 3, 4, 4]),
            ([[[90]], [[10, 90]], [[11, 90]], [[12, 90]]], [1, 1, 2, 3]),
            ([[[10, 90], [11, 90], [12, 90], [13, 90]]], [4]),
            // A local id used again for somebody else.
            ([[[10, 30]], [[11, 30]], [[30]], [[10]], [[11]]], [1, 2, 3, 3, 3]),
        ] as [([[[UInt64]]], [UInt64])])
    func `count him once, and two persons twice`(answers: [[[UInt64]]], expected: [UInt64]) {
        #expect(counts(answers) == expected)
    }

    @Test func `are known to every professional, and after a restart`() throws {
        let path = try Scratch()
        do {
            let table = try path.openTable()
            let set = try table.prepare(name: "s", windows: [patients(10, per: 3600)])
            _ = table.show(keys: [[10, 20, 30]], to: table.who("A"), set, now: now)
        }
        let table = try path.openTable()
        let set = try table.prepare(name: "s", windows: [patients(10, per: 3600)])
        let other = table.who("B")
        _ = table.show(keys: [[10]], to: other, set, now: now)
        _ = table.show(keys: [[30]], to: other, set, now: now)
        #expect(table.usage(other, set, now: now)[0].used == 1)
    }

    @Test func `never undercount when more are known than are kept`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        let persons = (0..<6_000).map { _ in [random.next(), random.next(), random.next()] }
        for group in 0..<60 {
            let answer = Array(persons[group * 100..<(group + 1) * 100])
            _ = table.show(keys: answer, to: who, set, now: now)
        }
        #expect(table.usage(who, set, now: now)[0].used == 6_000)
        // By the weaker key, those whose link was crowded out are counted again, at most once.
        let weaker = persons.map { [$0[2]] }
        _ = table.show(keys: weaker, to: who, set, now: now)
        let used = table.usage(who, set, now: now)[0].used
        #expect(used >= 6_000 && used < 12_000, "seed \(seed)")
    }

    @Test func `without any key are somebody else each time`() throws {
        #expect(counts([[[]], [[]], [[1], []]]) == [1, 2, 4])
    }

    @Test func `that lie about where they begin are no reason to stop`() throws {
        let keys: [UInt64] = [1, 2, 3]
        let cuts = [[0, 9], [-5, 2, 1, 3], [3, 0], [Int.max, Int.min], [7]]
        for starts in cuts {
            let outcome = table.charge(
                who, set, event: LimitEvent(), persons: keys.span, starts: starts.span, now: now)
            #expect(outcome.decision == .allowed)
        }
    }
}

@Suite struct `A table of links` {
    @Test func `links nobody by a pair torn in two`() throws {
        let scratch = try Scratch()
        let table = try scratch.openTable()
        let persons = table.persons
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        var pairs: [(weak: UInt64, best: UInt64)] = []
        for _ in 0..<500 {
            let pair = (weak: random.next(), best: random.next())
            let keys = [pair.best, pair.weak]
            _ = persons.links.settle(keys.span, persons.mapping)
            pairs.append(pair)
        }
        // Each link keeps one word and gets the other of its neighbour, as a kill might leave it.
        for link in stride(from: 0, to: persons.mapping.header.links - 1, by: 2) {
            // Safe because both links lie in their table.
            let word = unsafe persons.mapping.link(link, 1).pointee.load(ordering: .relaxed)
            unsafe persons.mapping.link(link + 1, 1).pointee.store(word, ordering: .relaxed)
        }
        for pair in pairs {
            let found = persons.links.resolve(pair.weak, persons.mapping)
            #expect(found == pair.weak || found == pair.best, "seed \(seed)")
        }
    }
}
