// ReportingSignals.swift: how the streams of security events are, for `herse status`.

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

    /// What an operator has to know of streams, one sentence each.
    func signalProblems(_ status: SignalStatus?) -> [String] {
        guard let status else { return [] }
        let received = status.receivers.compactMap { one -> String? in
            let why = one.problem.map { ": \($0)" } ?? ""
            switch one.state {
            case "stale": return "signals `\(one.name)`: the stream is stale\(why)"
            case "unknown" where one.problem != nil:
                return "signals `\(one.name)`: nothing was heard of the stream yet\(why)"
            default: return nil
            }
        }
        let told = status.transmitter.compactMap { one -> String? in
            if let problem = one.problem {
                return "signals to `\(one.name)`: \(one.waiting) events wait: \(problem)"
            }
            return one.failed > 0
                ? "signals to `\(one.name)`: \(one.failed) events were never taken" : nil
        }
        return received + told
    }
}
