// ReportingSignals.swift: how the streams of security events are, for `herse status`.

internal import Alerts
internal import Neutralization
internal import Policy
internal import Signals

/// The streams of security events.
package struct SignalStatus: Codable, Sendable {
    package var receivers: [SignalReceiverStatus]
    package var transmitter: [SignalTargetStatus]
}

/// A stream that is received; counts are since the start.
package struct SignalReceiverStatus: Codable, Sendable {
    package var name: String
    /// `fresh`, `stale` or `unknown` (nothing was heard of it yet).
    package var state: String
    package var received: UInt64
    package var applied: UInt64
    package var refused: UInt64
    /// Events about nobody known here.
    package var unresolved: UInt64
    package var ignored: UInt64
    /// Events that came again.
    package var repeated: UInt64
    package var lastEventSeconds: Int64?
    package var problem: String?
}

/// Somebody who is told; counts are since the start.
package struct SignalTargetStatus: Codable, Sendable {
    package var name: String
    package var waiting: Int
    package var sent: UInt64
    /// Refused for good, or given up.
    package var failed: UInt64
    /// Age of the oldest that waits.
    package var oldestSeconds: Int64?
    package var problem: String?
}

extension ControlPlane {
    func signalStatus(_ generation: Generation) -> SignalStatus? {
        guard generation.configuration.signals != nil else { return nil }
        let moment = now.value
        let desks = generation.ways.signals
        let receivers = desks.receivers.map { desk in
            let report = desk.life.health.report(now: moment)
            return SignalReceiverStatus(
                name: desk.rule.name, state: report.state.rawValue, received: report.received,
                applied: report.applied, refused: report.refused, unresolved: report.unresolved,
                ignored: report.ignored, repeated: report.repeated,
                lastEventSeconds: report.lastEventAt.map { max(0, moment - $0) },
                problem: report.problem)
        }
        let targets = desks.transmitter.map { desk in
            desk.rule.receivers.map { target in
                let waiting = desk.outbox.waiting(for: target.name)
                let counts = desk.outbox.counts(of: target.name)
                return SignalTargetStatus(
                    name: target.name, waiting: waiting.count, sent: counts.sent,
                    failed: counts.failed,
                    oldestSeconds: waiting.oldestAt.map { max(0, moment - $0) },
                    problem: desk.delivery(to: target.name).problem)
            }
        }
        return SignalStatus(receivers: receivers, transmitter: targets ?? [])
    }

    /// Streams that do not live, and receivers that do not take what they are told.
    func signalShortcomings() -> [Shortcoming] {
        guard let status = signalStatus(generation) else { return [] }
        let received = status.receivers.compactMap { one -> Shortcoming? in
            let name = "signals `\(one.name)`"
            let why = one.problem.map { ": \($0)" } ?? ""
            switch one.state {
            case "stale":
                return Shortcoming(
                    .signalsStale, name, "\(name): the stream is stale\(why)", .error)
            case "unknown" where one.problem != nil:
                return Shortcoming(
                    .signalsStale, name, "\(name): nothing was heard of the stream yet\(why)",
                    .error)
            default: return nil
            }
        }
        let told = status.transmitter.compactMap { one -> Shortcoming? in
            let name = "signals to `\(one.name)`"
            if let problem = one.problem {
                return Shortcoming(
                    .signalsStale, name, "\(name): \(one.waiting) events wait: \(problem)", .error)
            }
            return one.failed > 0
                ? Shortcoming(
                    .signalsStale, name, "\(name): \(one.failed) events were never taken", .error)
                : nil
        }
        return received + told
    }
}
