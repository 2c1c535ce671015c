// FailurePause.swift: not waiting again and again for somebody who does not answer.

internal import Synchronization

/// Counts failures in a row, after which nobody should wait for another for a moment.
///
/// Threads that wait are few: an address that lets each run into its deadline would take them all.
package final class FailurePause: Sendable {
    private let failures = Mutex((count: 0, at: Int64.min))

    /// Failures in a row that begin a pause.
    package static let failuresMax = 3
    /// Seconds it lasts, from the last failure.
    package static let seconds: Int64 = 5

    package init() {}

    /// Whether to give up before having asked.
    package func isOn(now: Int64) -> Bool {
        failures.withLock { failures in
            failures.count >= Self.failuresMax && now >= failures.at
                && now < failures.at.addingReportingOverflow(Self.seconds).partialValue
        }
    }

    /// Tells how asking ended.
    package func note(failed: Bool, now: Int64) {
        failures.withLock { failures in
            failures = failed ? (min(failures.count + 1, Self.failuresMax), now) : (0, now)
        }
    }
}
