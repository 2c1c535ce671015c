// PersonsFileTests.swift: the file of persons over kills, damage, a full disk, and many threads.

import Foundation
import Synchronization
import Testing

@testable import Limits

private let start: UInt64 = 1_000_000_000

@Suite struct `A file of persons` {
    /// A child shows persons one after another, says after each charge how far it has come, and is
    /// killed somewhere in it; whoever was acknowledged must be there.
    @Test(arguments: 0..<12) func `loses nobody who was acknowledged before a kill`(
        round: Int
    ) async throws {
        let scratch = try Scratch()
        let path = scratch.path
        let micros = UInt32.random(in: 500...40_000)
        try Data(count: 24).write(to: scratch.url("acknowledged"))
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, micros = micros as UInt32] in
            let reading = ClockReading(
                boot: BootID(high: 0, low: 1), sinceBootMilliseconds: 1_000,
                wallMilliseconds: start)
            let table = try LimitTable.open(
                stateFolder: path, slots: 1024, personsBytes: 1 << 26, reading: reading)
            let set = try table.prepare(
                name: "s", windows: [patients(1_000_000, per: 86_400)])
            // Safe because the path and the numbers outlive the calls.
            let file = unsafe open(path + "/acknowledged", O_RDWR)
            Thread.detachNewThread {
                usleep(micros)
                kill(getpid(), SIGKILL)
            }
            // Three professionals in turn, 1 to 5 persons an answer, so that sets of many sizes
            // are written anew at any moment.
            var shown = [UInt64](repeating: 0, count: 3)
            for charge in 0..<UInt64.max {
                let who = Int(charge % 3)
                let answer = (0..<charge % 5 + 1).map { mixed(shown[who] + $0) }
                let now = LimitTime(milliseconds: start + charge)
                let outcome = table.show(answer, to: table.who("\(who)"), set, now: now)
                guard outcome.decision == .allowed else { exit(3) }
                shown[who] += UInt64(answer.count)
                guard unsafe pwrite(file, shown, 24, 0) == 24 else { exit(4) }
            }
        }
        let file = try Data(contentsOf: scratch.url("acknowledged"))
        let shown = (0..<3).map { who in
            (0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(file[who * 8 + $1]) }
        }
        let table = try scratch.openTable(up: 2_000)
        let set = try table.prepare(name: "s", windows: [patients(1_000_000, per: 86_400)])
        let now = table.clock.time(sinceBootMilliseconds: 2_000)
        for who in 0..<3 {
            let used = table.usage(table.who("\(who)"), set, now: now)[0]
            #expect(used.used + 2 * used.margin >= shown[who], "killed after \(micros) µs")
            #expect(used.used <= shown[who] + 5 + 2 * used.margin, "killed after \(micros) µs")
            // And it goes on: nobody of them is new.
            for first in stride(from: 0, to: min(shown[who], 8_000), by: 100)
            where used.error == 0 {
                let answer = (first..<min(first + 100, shown[who])).map(mixed)
                _ = table.show(answer, to: table.who("\(who)"), set, now: now)
            }
            if used.error == 0 {
                #expect(table.usage(table.who("\(who)"), set, now: now)[0].used == used.used)
            }
        }
    }

    @Test func `keeps everybody over restarts`() throws {
        let scratch = try Scratch()
        for round in 0..<5 as Range<UInt64> {
            let table = try scratch.openTable()
            let set = try table.prepare(name: "s", windows: [patients(10_000, per: 86_400)])
            for who in 0..<50 as Range<UInt64> {
                let answer = (0..<who * 3 + 1).map { mixed(round << 32 | who << 16 | $0) }
                let now = LimitTime(milliseconds: start + round)
                let outcome = table.show(answer, to: table.who("\(who)"), set, now: now)
                #expect(outcome.decision == .allowed)
                let used = table.usage(table.who("\(who)"), set, now: now)[0].used
                #expect(used == (who * 3 + 1) * (round + 1))
            }
        }
    }

    @Test func `has no room when it is full, charges nothing then, and has room again later`()
        throws
    {
        let scratch = try Scratch()
        // 4 MiB of sets and not one more: 16 slabs.
        let table = try scratch.openTable(slots: 16_384, personsBytes: 1 << 20)
        let windows = [
            patients(10_000, per: 86_400),
            LimitWindow(count: .disclosures, limit: 100_000, spanSeconds: 60),
        ]
        let set = try table.prepare(name: "s", windows: windows)
        let now = LimitTime(milliseconds: start)
        func show(_ who: Int, _ count: Int, _ now: LimitTime) -> LimitOutcome.Decision {
            let answer = (0..<UInt64(count)).map { mixed($0) }
            let starts = Array(0...count)
            return table.charge(
                table.who("\(who)"), set, event: LimitEvent(disclosures: UInt32(count)),
                persons: answer.span, starts: starts.span, now: now
            ).decision
        }
        let decisions = (0..<2_000).map { show($0, 400, now) }
        let full = try #require(decisions.firstIndex(of: .noRoom))
        // 400 persons take 528 cells, so 61 sets a slab.
        #expect(full >= 61 * 15 && full <= 61 * 16 + 1)
        #expect(decisions[full...].allSatisfy { $0 == .noRoom })
        let refused = table.usage(table.who("\(full)"), set, now: now).map(\.used)
        #expect(refused == [0, 0])
        // Those who are there go on as long as they need no larger set.
        #expect(show(0, 420, now) == .allowed)
        #expect(show(1, 600, now) == .noRoom)
        #expect(table.usage(table.who("1"), set, now: now).map(\.used) == [400, 400])
        // 400 days later nobody's persons are left, and their room is taken back.
        let later = LimitTime(milliseconds: start + 401 * dayMilliseconds)
        #expect((5_000..<5_900).allSatisfy { show($0, 400, later) == .allowed })
    }

    @Test func `survives an index, links and sets full of anything`() throws {
        let scratch = try Scratch()
        _ = try scratch.openTable()
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        let url = scratch.url("persons.table")
        let size = try Data(contentsOf: url).count
        for round in 0..<30 {
            let file = try FileHandle(forUpdating: url)
            var words: [UInt64] = []
            for _ in 0..<(512 * 2 + 2048 * 2 + 40_000) {
                // References that are nearly right are the dangerous ones.
                let isReference = round % 3 != 0 && random.next() % 2 == 0
                words.append(
                    isReference
                        ? 1 << 63 | random.next() % 27 << 32 | random.next() % 70_000
                        : random.next() >> (random.next() % 64))
            }
            try file.seek(toOffset: 4096)
            try file.write(
                contentsOf: words.flatMap { word in
                    (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) }
                })
            try file.close()
            let table = try scratch.openTable()
            let set = try table.prepare(
                name: "s", windows: [patients(50, per: 60), patients(500, per: 34_560_000)])
            for number in 0..<100 {
                let now = LimitTime(milliseconds: random.next() >> (random.next() % 64))
                let answer = (0..<random.next() % 40).map { _ in random.next() % 300 }
                _ = table.show(answer, to: table.who("\(number % 20)"), set, now: now)
                _ = table.usage(table.who("\(number)"), set, now: now)
            }
        }
        #expect(try Data(contentsOf: url).count >= size, "seed \(seed)")
    }

    // (offset, what is written there, what is then said)
    @Test(
        arguments: [
            (0, 1, "not a table of limits"), (8, 2, "version 2"), (16, 3, "damaged header"),
            (32, 1, "damaged header"), (56, 255, "bytes long instead of"),
        ] as [(UInt64, UInt8, String)])
    func `is refused when its head is damaged`(
        offset: UInt64, byte: UInt8, message: String
    ) throws {
        let scratch = try Scratch()
        _ = try scratch.openTable()
        let file = try FileHandle(forUpdating: scratch.url("persons.table"))
        try file.seek(toOffset: offset)
        try file.write(contentsOf: [byte])
        try file.close()
        do {
            _ = try scratch.openTable()
            Issue.record("opened")
        } catch let error as LimitTableError {
            #expect(error.message.contains(message), "\(error.message)")
            #expect(error.message.contains("persons.table"))
        }
    }

    @Test func `cut short is refused`() throws {
        let scratch = try Scratch()
        _ = try scratch.openTable()
        let url = scratch.url("persons.table")
        let bytes = try Data(contentsOf: url)
        for length in [0, 100, 5_000, bytes.count - 1] {
            try bytes.prefix(length).write(to: url)
            #expect(throws: LimitTableError.self) { try scratch.openTable() }
        }
    }

    @Test func `gives no patient away`() throws {
        let scratch = try Scratch()
        let key: UInt64 = 0x1122_3344_5566_7788
        do {
            let table = try scratch.openTable()
            let set = try table.prepare(name: "s", windows: [patients(10, per: 60)])
            let now = LimitTime(milliseconds: start)
            _ = table.show([key], to: table.who("899700218896"), set, now: now)
        }
        let bytes = try Data(contentsOf: scratch.url("persons.table"))
        #expect(bytes.range(of: Data("99700218896".utf8)) == nil)
        #expect(bytes.range(of: Data([0x88, 0x77, 0x66, 0x55])) == nil)
    }
}

@Suite struct `Persons counted by threads` {
    @Test func `are never one too many`() throws {
        let scratch = try Scratch()
        let table = try scratch.openTable()
        let set = try table.prepare(
            name: "s",
            windows: [patients(300, per: 3600), patients(500, per: 3600, each: .structure)])
        let structure = table.structure(Array("10B1".utf8).span)
        let shown = Mutex<[Set<UInt64>]>([[], []])
        // Four threads, two professionals of one structure, answers that overlap.
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            var random = SplitMix(state: UInt64(thread))
            let who = thread % 2
            let subject = LimitSubjects(
                professional: table.who("\(who)").professional, structure: structure)
            for event in 0..<1_500 {
                let answer = Array(Set((0..<3).map { _ in random.next() % 2_000 }))
                let now = LimitTime(milliseconds: start + UInt64(event))
                if table.show(answer, to: subject, set, now: now).decision == .allowed {
                    shown.withLock { $0[who].formUnion(answer) }
                }
            }
        }
        let seen = shown.withLock { $0 }
        #expect(seen.allSatisfy { $0.count <= 300 && $0.count > 150 })
        let together = seen[0].union(seen[1]).count
        #expect(together <= 500 && together > 400)
        let now = LimitTime(milliseconds: start + 1_500)
        for who in 0..<2 {
            let subject = LimitSubjects(
                professional: table.who("\(who)").professional, structure: structure)
            let used = table.usage(subject, set, now: now).map(\.used)
            #expect(used == [UInt64(seen[who].count), UInt64(together)])
        }
    }

    @Test func `are all there while sets grow at once`() throws {
        let scratch = try Scratch()
        let table = try scratch.openTable(slots: 4096)
        let set = try table.prepare(name: "s", windows: [patients(100_000, per: 86_400)])
        let wrong = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            var counts = [UInt64](repeating: 0, count: 40)
            for round in 0..<4_000 {
                let number = round * 7 % 40
                let who = table.who("\(thread)/\(number)")
                let now = LimitTime(milliseconds: start + UInt64(round))
                let outcome = table.show([mixed(counts[number])], to: who, set, now: now)
                counts[number] += 1
                let used = table.usage(who, set, now: now)[0].used
                if outcome.decision != .allowed || used != counts[number] {
                    wrong.wrappingAdd(1, ordering: .relaxed)
                }
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
    }
}
