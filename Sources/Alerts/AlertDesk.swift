// AlertDesk.swift: every destination of alerts, whatever configuration is in force.

internal import Reactor
internal import Synchronization

/// Takes alerts from anywhere and hands them to whoever wants them.
///
/// Raising is cheap and never waits: a lock held for moments, a queue with an end, a bell. Alerts
/// are in memory alone; the record and the journal are what stays.
package final class AlertDesk: Sendable {
    private let sinks = Mutex<[AlertSink]>([])
    private let isTesting = Atomic<Bool>(false)
    private let say: @Sendable (String) -> Void

    /// `say` writes a line to the log, and must not wait either.
    package init(say: @escaping @Sendable (String) -> Void) { self.say = say }

    /// Tells whoever wants to know; from any thread.
    package func raise(_ alert: Alert) {
        for sink in sinks.withLock({ $0 }) { sink.raise(alert) }
    }

    /// Puts these destinations in the place of all that are there.
    ///
    /// One whose settings are the same goes on untouched. One of the same name with other settings
    /// takes over what the former still had to send.
    package func use(_ settings: [SinkSettings]) {
        let former = sinks.withLock { $0 }
        var next: [AlertSink] = []
        for one in settings {
            if let same = former.first(where: { $0.settings == one }) {
                next.append(same)
                continue
            }
            do throws(SystemError) {
                next.append(try AlertSink(one, say: say))
            } catch {
                say("alerts: `\(one.name)` gets none: \(error.call): \(error.message.lowercased())")
            }
        }
        // First the new ones, so that nothing is raised to nobody.
        sinks.withLock { $0 = next }
        for sink in former where !next.contains(where: { $0 === sink }) {
            let heir = next.first { $0.settings.name == sink.settings.name }
            let lost = sink.retire(heir: heir)
            if lost > 0 {
                say("alerts: `\(sink.settings.name)` is no more, \(lost) alerts for it are dropped")
            }
        }
    }

    /// How each destination is, in the order of the configuration.
    package var reports: [SinkReport] { sinks.withLock { $0 }.map(\.report) }

    /// Sends what waits, without regard to paces and windows, for as long as `goesOn` says.
    ///
    /// Returns how many alerts each destination did not get.
    package func flush(
        while goesOn: () -> Bool, pause: () async -> Void
    ) async -> [(name: String, left: Int)] {
        let all = sinks.withLock { $0 }
        for sink in all { sink.hurry() }
        while goesOn(), all.contains(where: { $0.left > 0 }) { await pause() }
        return all.map { ($0.settings.name, $0.left) }.filter { $0.1 > 0 }
    }

    // MARK: Tests

    /// What a destination said to a test.
    package struct TestResult: Sendable {
        package let name: String
        package let kind: String
        package let isTaken: Bool
        /// Its answer, or what went wrong.
        package let answer: String
    }

    /// Sends a test to every destination, or to one, each on a thread of its own, and calls `done`
    /// once for each; returns their number, nil when a test is under way already.
    package func test(
        _ name: String?, _ alert: Alert, done: @escaping @Sendable (TestResult) -> Void
    ) -> Int? {
        guard !isTesting.exchange(true, ordering: .acquiring) else { return nil }
        let chosen = sinks.withLock { $0 }.filter { name == nil || $0.settings.name == name }
        if chosen.isEmpty { isTesting.store(false, ordering: .releasing) }
        let box = Countdown(left: chosen.count) {
            self.isTesting.store(false, ordering: .releasing)
        }
        for sink in chosen {
            let (name, kind) = (sink.settings.name, sink.settings.target.word)
            @Sendable func end(_ isTaken: Bool, _ answer: String) {
                box.oneDone()
                done(TestResult(name: name, kind: kind, isTaken: isTaken, answer: answer))
            }
            do throws(SystemError) {
                try startThread(name: "herse-alerts") {
                    do throws(DeliveryProblem) {
                        end(true, try sink.test(alert))
                    } catch {
                        end(false, error.text)
                    }
                }
            } catch {
                end(false, "\(error.call): \(error.message.lowercased())")
            }
        }
        return chosen.count
    }
}

/// Calls something when the last of several is done.
private final class Countdown: Sendable {
    private let left: Mutex<Int>
    private let end: @Sendable () -> Void

    init(left: Int, end: @escaping @Sendable () -> Void) {
        self.left = Mutex(left)
        self.end = end
    }

    func oneDone() {
        let isLast = left.withLock { left in
            left -= 1
            return left == 0
        }
        if isLast { end() }
    }
}
