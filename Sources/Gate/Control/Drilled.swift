// Drilled.swift: what a drill on this host found, as the gate that serves it is told.

internal import Neutralization

/// What `herse drill` measured.
package struct DrillReport: Codable, Sendable, Equatable {
    /// RFC 3339, when it ended.
    package var at: String
    package var sessions: Int
    /// At the client, the disk included.
    package var p50Milliseconds: Double
    package var p99Milliseconds: Double
    package var maxMilliseconds: Double
    /// What the gate itself took, the disk left out.
    package var insideP99Milliseconds: Double
    package var boundMilliseconds: Double
    package var insideBoundMilliseconds: Double
    /// Whether every bound held, and nothing flowed afterwards.
    package var isWithin: Bool
    /// Connections on which something flowed after the neutralization, or that were not cut.
    package var leaks: Int

    package init(
        at: String, sessions: Int, p50Milliseconds: Double, p99Milliseconds: Double,
        maxMilliseconds: Double, insideP99Milliseconds: Double, boundMilliseconds: Double,
        insideBoundMilliseconds: Double, isWithin: Bool, leaks: Int
    ) {
        self.at = at
        self.sessions = sessions
        self.p50Milliseconds = p50Milliseconds
        self.p99Milliseconds = p99Milliseconds
        self.maxMilliseconds = maxMilliseconds
        self.insideP99Milliseconds = insideP99Milliseconds
        self.boundMilliseconds = boundMilliseconds
        self.insideBoundMilliseconds = insideBoundMilliseconds
        self.isWithin = isWithin
        self.leaks = leaks
    }

    /// Whether it can be one: what is shown later is checked when it comes.
    fileprivate var isSound: Bool {
        let times = [
            p50Milliseconds, p99Milliseconds, maxMilliseconds, insideP99Milliseconds,
            boundMilliseconds, insideBoundMilliseconds,
        ]
        return UnixSeconds(rfc3339: at) != nil && (0...1_000_000).contains(sessions) && leaks >= 0
            && times.allSatisfy { $0.isFinite && $0 >= 0 }
    }
}

extension ControlPlane {
    /// Keeps the result of the last drill for status, and says it in the log.
    func drilled(_ report: DrillReport, by: String) -> ControlAnswer {
        guard report.isSound else { return .refused(["the report of the drill makes no sense"]) }
        lastDrill = report
        let verdict = report.isWithin ? "within" : "NOT within"
        log.say(
            "drill by \(by): \(report.sessions) sessions cut, p99 \(report.p99Milliseconds) ms, "
                + "inside the gate \(report.insideP99Milliseconds) ms, \(report.leaks) leaked: "
                + "\(verdict) \(report.boundMilliseconds) ms and "
                + "\(report.insideBoundMilliseconds) ms")
        return .noted
    }
}
