// Watch.swift: who tries again after having been cut, and who comes from there; nothing grows.

import Synchronization
import Testing

@testable import Gate

private let now: Int64 = 1_800_000_000

/// What was told, in order.
private final class Told: Sendable {
    private let said = Mutex<[String]>([])
    var lines: [String] { said.withLock { $0 } }
    func say(_ line: String) { said.withLock { $0.append(line) } }
}

private func watch() -> (ProbingWatch, Told) {
    let told = Told()
    return (ProbingWatch { text, _ in told.say(text) }, told)
}

@Suite struct `The watch for probing` {
    @Test func `counts every attempt and tells of a subject once in ten minutes`() {
        let (watch, told) = watch()
        for second in 0..<100 {
            watch.attempted("account:A", from: "203.0.113.5", now: now + Int64(second))
        }
        watch.attempted("account:B", from: "203.0.113.6", now: now)
        #expect(told.lines.count == 2)
        let report = watch.report(now: now + 100)
        #expect(report.attempts == 101)
        #expect(report.subjects.map(\.attempts) == [100, 1])
        #expect(report.subjects.map(\.peer) == ["203.0.113.5", "203.0.113.6"])
        watch.attempted("account:A", from: "203.0.113.5", now: now + 600)
        #expect(told.lines.count == 3)
        #expect(told.lines.last?.contains("(101 times)") == true)
    }

    @Test func `tells again when the clock is set back, and does not trap at its ends`() {
        let (watch, told) = watch()
        watch.attempted("account:A", from: "::1", now: now)
        watch.attempted("account:A", from: "::1", now: now - 86_400)
        #expect(told.lines.count == 2)
        watch.attempted("account:A", from: "::1", now: 0)
        _ = watch.report(now: now)
    }

    @Test func `tells once of each other account that asks from there, for a day`() {
        let (watch, told) = watch()
        #expect(!watch.isWatching)
        watch.cut("account:A", from: ["203.0.113.5"], now: now)
        #expect(watch.isWatching)
        watch.asked("A", from: "203.0.113.5", now: now + 1)
        watch.asked("B", from: "203.0.113.9", now: now + 1)
        #expect(told.lines.isEmpty)
        for _ in 0..<3 { watch.asked("B", from: "203.0.113.5", now: now + 1) }
        #expect(told.lines == ["probing: account:B asks from 203.0.113.5, where account:A was cut"])
        watch.asked("C", from: "203.0.113.5", now: now + ProbingWatch.memorySeconds)
        #expect(told.lines.count == 1)
        #expect(watch.report(now: now + 2).neighbours.map(\.professional) == ["B"])
        #expect(watch.report(now: now + ProbingWatch.memorySeconds).neighbours.isEmpty)
    }

    @Test func `remembers no more than it may`() {
        let (watch, told) = watch()
        for number in 0..<ProbingWatch.subjectsMax + 100 {
            watch.attempted("account:\(number)", from: "::1", now: now)
        }
        #expect(told.lines.count == ProbingWatch.subjectsMax)
        #expect(watch.report(now: now).attempts == UInt64(ProbingWatch.subjectsMax + 100))
        // A day later there is room again.
        watch.attempted("account:new", from: "::1", now: now + ProbingWatch.memorySeconds)
        #expect(told.lines.count == ProbingWatch.subjectsMax + 1)
        watch.cut("account:A", from: (0..<10_000).map { "10.0.\($0 / 256).\($0 % 256)" }, now: now)
        let crowded = told.lines.count
        for number in 0..<100 { watch.asked("P\(number)", from: "10.0.0.1", now: now) }
        #expect(told.lines.count == crowded + ProbingWatch.othersMax)
    }
}

@Suite struct `Requests of the last hour` {
    @Test func `are counted for an hour, give or take five minutes`() {
        var count = HourCount()
        #expect(count.total(now: 0) == 0)
        for minute in 0..<120 as Range<UInt64> { count.add(now: minute * 60_000) }
        #expect((56...60).contains(count.total(now: 119 * 60_000)))
        #expect(count.total(now: 240 * 60_000) == 0)
        count.add(now: 240 * 60_000)
        #expect(count.total(now: 240 * 60_000) == 1)
    }

    @Test func `are told by professional, the busiest first`() {
        var one = Concerned(professional: "A", structure: "S")
        one.connections = 1
        one.requestsLastHour = 5
        var other = Concerned(professional: "B")
        other.requestsLastHour = 6
        let merged = Concerned.merged([one, other, one])
        #expect(merged.map(\.professional) == ["A", "B"])
        #expect(merged[0].connections == 2 && merged[0].requestsLastHour == 10)
        #expect(merged[0].structure == "S")
    }
}
