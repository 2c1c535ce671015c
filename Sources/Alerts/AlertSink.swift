// AlertSink.swift: one destination at work: a queue, a thread that empties it, and how it fares.

internal import CSystem
internal import Glibc
internal import Reactor
internal import Synchronization

/// How one destination is.
package struct SinkReport: Equatable, Sendable {
    /// What the last attempt says of a destination.
    package enum State: String, Sendable {
        /// The last message was taken.
        case fresh
        /// The last message was not.
        case failing
        /// Nothing was ever sent.
        case unknown
    }

    package let name: String
    /// `syslog`, `webhook` or `mail`.
    package let kind: String
    package let state: State
    /// Alerts not sent yet.
    package let waiting: Int
    package let sent: Int
    /// Alerts that never will be.
    package let dropped: Int
    package let problem: String?
    /// Seconds since a message was taken.
    package let sinceSuccess: Int64?
}

/// One destination; any thread may raise, none waits.
///
/// Everything is in memory alone: what waits when the process dies is lost.
final class AlertSink: Sendable {
    private struct State {
        var queue: AlertQueue
        var pace: AlertPace
        /// Alerts on their way now.
        var underway = 0
        var sent = 0
        /// Dropped after the queue had let go of them.
        var lost = 0
        /// Of all that were dropped, those the destination was told of.
        var droppedTold = 0
        var problem: String?
        var succeededAt: UInt64?
        var wasTried = false
        var isHurried = false
        var isRetired = false
        /// Who takes over what is left.
        var heir: AlertSink?

        var dropped: Int { queue.dropped + lost }
    }

    let settings: SinkSettings
    private let state: Mutex<State>
    private let bell: Int32
    private let say: @Sendable (String) -> Void

    /// Starts its thread.
    init(
        _ settings: SinkSettings, say: @escaping @Sendable (String) -> Void
    ) throws(SystemError) {
        self.settings = settings
        self.say = say
        state = Mutex(
            State(
                queue: AlertQueue(
                    window: UInt64(clamping: settings.window) * 1000,
                    keep: UInt64(clamping: settings.keep) * 1000),
                pace: AlertPace(rate: settings.rate)))
        bell = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        guard bell >= 0 else { throw SystemError("eventfd") }
        try startThread(name: "herse-alerts") { self.run() }
    }

    deinit { close(bell) }

    private func ring() {
        var one: UInt64 = 1
        // Safe because eight bytes are written from a local.
        _ = unsafe write(bell, &one, 8)
    }

    /// Takes an alert in, if it is one for here.
    func raise(_ alert: Alert) {
        guard settings.takes(alert) else { return }
        let (isNew, heir) = state.withLock { state -> (Bool, AlertSink?) in
            // Replaced a moment ago, by whoever has the alerts now.
            if state.isRetired { return (false, state.heir) }
            return (state.queue.add(alert, now: monotonic()), nil)
        }
        if isNew { ring() }
        heir?.raise(alert)
    }

    private func inherit(_ entries: [AlertQueue.Entry]) {
        if entries.isEmpty { return }
        state.withLock { state in
            for entry in entries {
                if settings.takes(entry.alert) {
                    state.queue.add(entry, now: monotonic())
                } else {
                    state.lost += entry.count
                }
            }
        }
        ring()
    }

    /// Ends its thread when what is under way is over; `heir` gets what waits.
    ///
    /// Returns how many alerts nobody gets.
    func retire(heir: AlertSink?) -> Int {
        let entries = state.withLock { state in
            state.isRetired = true
            state.heir = heir
            return state.queue.takeAll()
        }
        ring()
        if let heir {
            heir.inherit(entries)
            return 0
        }
        return entries.reduce(0) { $0 + $1.count }
    }

    /// Sends what waits without any more patience: the gate is about to end.
    func hurry() {
        state.withLock { state in
            state.isHurried = true
            state.pace.hurry(now: monotonic())
        }
        ring()
    }

    /// Alerts that wait or are on their way.
    var left: Int { state.withLock { $0.queue.alertCount + $0.underway } }

    var report: SinkReport {
        let now = monotonic()
        return state.withLock { state in
            let word: SinkReport.State =
                !state.wasTried ? .unknown : state.problem == nil ? .fresh : .failing
            return SinkReport(
                name: settings.name, kind: settings.target.word, state: word,
                waiting: state.queue.alertCount + state.underway, sent: state.sent,
                dropped: state.dropped, problem: state.problem,
                sinceSuccess: state.succeededAt.map { Int64(clamping: (now - min($0, now)) / 1000) }
            )
        }
    }

    /// Sends one alert by a carrier of its own, whatever waits; blocks as long as that takes.
    func test(_ alert: Alert) throws(DeliveryProblem) -> String {
        let carrier = makeCarrier(settings.target)
        let notice = AlertNotice(
            alert: alert, count: 1, since: alert.at, dropped: 0, host: hostName)
        return try carrier.deliver(notice)
    }

    // MARK: Its thread

    private enum Step {
        case deliver(AlertQueue.Entry, dropped: Int)
        /// Milliseconds; nil until the bell rings.
        case wait(UInt64?)
        case end
    }

    private func run() {
        herse_yield_to_others()
        let carrier = makeCarrier(settings.target)
        while true {
            switch nextStep() {
            case .end: return
            case .wait(let milliseconds): wait(milliseconds)
            case .deliver(let entry, let dropped):
                let notice = AlertNotice(
                    alert: entry.alert, count: entry.count, since: entry.sinceWall,
                    dropped: dropped, host: hostName)
                do throws(DeliveryProblem) {
                    _ = try carrier.deliver(notice)
                    succeeded(entry, dropped: dropped)
                } catch {
                    failed(entry, error)
                }
            }
        }
    }

    private func nextStep() -> Step {
        let now = monotonic()
        return state.withLock { state in
            if state.isRetired { return .end }
            state.queue.expire(now: now)
            guard let due = state.queue.nextDue else { return .wait(nil) }
            // What is hurried still leaves a destination alone that has just failed.
            let next =
                state.isHurried
                ? state.pace.resumeAt : max(due, state.pace.next)
            guard next <= now, let entry = state.queue.take(now: now, hurried: state.isHurried)
            else { return .wait(max(1, next - min(next, now))) }
            state.pace.spend(now: now)
            state.underway = entry.count
            return .deliver(entry, dropped: state.dropped - state.droppedTold)
        }
    }

    private func wait(_ milliseconds: UInt64?) {
        var event = pollfd(fd: bell, events: Int16(POLLIN), revents: 0)
        let limit = milliseconds.map { Int32(clamping: min($0, 60_000)) } ?? -1
        var count: UInt64 = 0
        // Safe because one descriptor is given and eight bytes are read, into locals.
        if unsafe poll(&event, 1, limit) > 0 { _ = unsafe read(bell, &count, 8) }
    }

    private func succeeded(_ entry: AlertQueue.Entry, dropped: Int) {
        let wasFailing = state.withLock { state in
            let wasFailing = state.problem != nil
            state.pace.succeed()
            state.sent += entry.count
            state.underway = 0
            state.droppedTold += dropped
            state.problem = nil
            state.wasTried = true
            state.succeededAt = monotonic()
            return wasFailing
        }
        if wasFailing { say("alerts: `\(settings.name)` takes them again") }
    }

    private func failed(_ entry: AlertQueue.Entry, _ problem: DeliveryProblem) {
        var back = entry
        back.attempts += 1
        let (isNews, heir, isRetired) = state.withLock { state -> (Bool, AlertSink?, Bool) in
            let isNews = state.problem != problem.text
            let now = monotonic()
            state.pace.fail(now: now, chance: Double.random(in: 0...1))
            state.problem = problem.text
            state.wasTried = true
            state.underway = 0
            if !state.isRetired { state.queue.add(back, now: now) }
            return (isNews, state.heir, state.isRetired)
        }
        if isNews { say("alerts: `\(settings.name)`: \(problem.text)") }
        guard isRetired else { return }
        if let heir {
            back.attempts = 0
            heir.inherit([back])
        } else {
            say("alerts: `\(settings.name)` is no more, \(back.count) alerts for it are dropped")
        }
    }
}

/// Milliseconds of a clock that never goes back.
private func monotonic() -> UInt64 { herse_clock(CLOCK_MONOTONIC) / 1_000_000 }
