// QueueTests.swift: what waits, what is sent as one, what goes when there is too much.

import Testing

@testable import Alerts

private func alert(
    _ kind: AlertKind = .probing, _ subject: String = "account:1",
    _ severity: AlertSeverity = .warning
) -> Alert { Alert(kind, severity, subject: subject, "something about \(subject)", at: 1000) }

/// A queue that expectations may change.
private final class Waiting {
    private var queue: AlertQueue

    init(waiting: Int = 1000, distinct: Int = 100) {
        queue = AlertQueue(
            waitingMax: waiting, distinctMax: distinct, window: 60_000, keep: 3_600_000)
    }

    var count: Int { queue.count }
    var alertCount: Int { queue.alertCount }
    var dropped: Int { queue.dropped }
    var nextDue: UInt64? { queue.nextDue }

    func add(_ alert: Alert, now: UInt64) -> Bool { queue.add(alert, now: now) }
    func add(_ entry: AlertQueue.Entry, now: UInt64) { queue.add(entry, now: now) }
    func expire(now: UInt64) { queue.expire(now: now) }
    func takeAll() -> [AlertQueue.Entry] { queue.takeAll() }
    func take(now: UInt64, hurried: Bool = false) -> AlertQueue.Entry? {
        queue.take(now: now, hurried: hurried)
    }
}

@Suite struct `A queue of alerts` {
    @Test
    func `gives the first of its kind at once, and all that follow as one when the window is over`()
        throws
    {
        let queue = Waiting()
        #expect(queue.add(alert(), now: 0) == true)
        #expect(queue.take(now: 0)?.count == 1)
        for step in 1...100_000 { _ = queue.add(alert(), now: UInt64(step / 10)) }
        #expect(queue.count == 1)
        #expect(queue.nextDue == 60_000)
        #expect(queue.take(now: 59_999) == nil)
        let second = try #require(queue.take(now: 60_000))
        #expect(second.count == 100_000)
        #expect(queue.nextDue == nil)
    }

    @Test func `keeps 100,000 subjects of a storm in a hundred entries and one`() {
        let queue = Waiting()
        for number in 0..<100_000 { _ = queue.add(alert(.probing, "network:\(number)"), now: 0) }
        #expect(queue.count == 101)
        #expect(queue.alertCount == 100_000)
        #expect(queue.dropped == 0)
        var last: AlertQueue.Entry?
        while let entry = queue.take(now: 0) { last = entry }
        #expect(last?.count == 99_900)
        #expect(last?.alert.subject == "")
        #expect(
            last?.alert.text == "different subjects, the latest: something about network:99999")
        // Another kind has its own room.
        #expect(queue.add(alert(.neutralized), now: 0) == true)
    }

    @Test func `drops the least bad first, of them the oldest, and counts it`() {
        let queue = Waiting(waiting: 3)
        _ = queue.add(alert(.started, "a", .notice), now: 0)
        _ = queue.add(alert(.journalFailed, "b", .critical), now: 1)
        _ = queue.add(alert(.started, "c", .notice), now: 2)
        _ = queue.add(alert(.listStale, "d", .error), now: 3)
        #expect(queue.dropped == 1)
        #expect(queue.takeAll().map(\.alert.subject) == ["b", "c", "d"])
        for subject in ["e", "f", "g"] { _ = queue.add(alert(.listStale, subject, .error), now: 4) }
        _ = queue.add(alert(.started, "h", .notice), now: 5)
        #expect(queue.takeAll().map(\.alert.subject) == ["e", "f", "g"])
        #expect(queue.dropped == 2)
    }

    @Test func `gives the worst first`() {
        let queue = Waiting()
        _ = queue.add(alert(.started, "a", .notice), now: 0)
        _ = queue.add(alert(.journalFailed, "b", .critical), now: 1)
        #expect(queue.take(now: 1)?.alert.subject == "b")
        #expect(queue.take(now: 1)?.alert.subject == "a")
    }

    @Test func `lets others pass one that is never taken`() throws {
        let queue = Waiting()
        _ = queue.add(alert(.journalFailed, "poison", .critical), now: 0)
        var entry = try #require(queue.take(now: 0))
        entry.attempts += 1
        queue.add(entry, now: 0)
        _ = queue.add(alert(.started, "a", .notice), now: 1)
        #expect(queue.take(now: 1)?.alert.subject == "a")
        // What failed waits for no window.
        #expect(queue.take(now: 1)?.alert.subject == "poison")
    }

    @Test func `puts what comes back together with what came meanwhile, and tells the latest`()
        throws
    {
        let queue = Waiting()
        _ = queue.add(alert(), now: 0)
        var entry = try #require(queue.take(now: 0))
        let end = Alert(.probing, .notice, subject: "account:1", "over", weight: .warning)
        _ = queue.add(end, now: 10)
        entry.attempts = 1
        queue.add(entry, now: 20)
        #expect(queue.count == 1)
        let both = try #require(queue.take(now: 60_000))
        #expect(both.count == 2)
        #expect(both.alert.text == "over")
        #expect(both.since == 0)
        #expect(both.weight == .warning)
    }

    @Test func `drops what nobody could take in time`() {
        let queue = Waiting()
        _ = queue.add(alert(), now: 0)
        queue.expire(now: 3_599_999)
        #expect(queue.count == 1)
        queue.expire(now: 3_600_000)
        #expect(queue.count == 0)
        #expect(queue.dropped == 1)
    }

    @Test func `waits for no window when the gate is about to end`() {
        let queue = Waiting()
        _ = queue.add(alert(), now: 0)
        _ = queue.take(now: 0)
        _ = queue.add(alert(), now: 1)
        #expect(queue.take(now: 1) == nil)
        #expect(queue.take(now: 1, hurried: true)?.count == 1)
    }
}

@Suite struct `The pace of a destination` {
    @Test func `is a burst, and then so many a minute`() {
        var pace = AlertPace(rate: 6)
        var sent = 0
        for second in 0..<120 {
            let now = 1_000_000 + UInt64(second) * 1000
            while pace.next <= now {
                pace.spend(now: now)
                sent += 1
            }
        }
        // Six at once, and one every ten seconds.
        #expect(sent == 6 + 11)
    }

    @Test func `leaves one that fails alone, longer each time and for five minutes at most`() {
        var pace = AlertPace(rate: 600)
        var pauses: [UInt64] = []
        for _ in 0..<20 {
            pace.fail(now: 1_000_000, chance: 1)
            pauses.append(pace.next - 1_000_000)
        }
        #expect(pauses.prefix(4) == [1000, 2000, 4000, 8000])
        #expect(pauses.last == 300_000)
        pace.fail(now: 1_000_000, chance: 0)
        #expect(pace.next == 1_150_000)
        pace.succeed()
        #expect(pace.next == 0)
    }
}

@Suite struct `An alert` {
    @Test func `holds nothing that breaks a line or has no end`() {
        let long = String(repeating: "é", count: 2000)
        let alert = Alert(
            .probing, .warning, subject: "a\r\nBcc: x@y", "one\ntwo\u{2028}\u{202E}" + long,
            facts: Array(repeating: AlertFact(.by, "x\u{0}y" + long), count: 99), incident: "i\n")
        #expect(alert.subject == "a\u{FFFD}\u{FFFD}Bcc: x@y")
        #expect(alert.text.hasPrefix("one\u{FFFD}two\u{FFFD}\u{FFFD}éé"))
        #expect(alert.text.utf8.count <= 1024)
        #expect(alert.facts.count == 16)
        #expect(alert.facts.allSatisfy { $0.value.utf8.count <= 256 })
        #expect(alert.incident == "i\u{FFFD}")
    }

    @Test func `has an incident of its own`() {
        let some = (0..<100).map { _ in alert().incident }
        #expect(Set(some).count == 100)
        #expect(some.allSatisfy { $0.utf8.count == 16 })
    }

    @Test func `is told to those who take its kind, if it is bad enough`() {
        var settings = SinkSettings(
            name: "x",
            target: .mail(MailTarget(sender: "a@b", recipients: [], mailer: .program("/x"))))
        #expect(settings.takes(alert()))
        #expect(!settings.takes(alert(.started, "gate", .notice)))
        // The end of what was bad enough.
        #expect(settings.takes(Alert(.listStale, .notice, subject: "l", "over", weight: .error)))
        settings.kinds = [.journalFailed]
        #expect(!settings.takes(alert()))
        #expect(settings.takes(alert(.journalFailed, "j", .critical)))
    }
}
