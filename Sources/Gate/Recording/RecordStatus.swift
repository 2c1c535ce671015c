// RecordStatus.swift: how the record is, as `herse status` shows it.

internal import Alerts
internal import Neutralization
internal import Policy
internal import Record
internal import RecordKeeping
internal import Sealing

/// How the record is kept.
package struct RecordReport: Codable, Sendable {
    package var durable: String
    package var problem: String?
    package var failedCommits: UInt64
    /// Whom it is sealed to, by the beginnings of their keys' hashes; empty when it is not sealed.
    package var sealedTo: [String] = []
    /// Its name in checkpoints.
    package var origin = ""
    /// Entries, heads and checkpoints among them.
    package var entries: UInt64 = 0
    package var segments = 0
    /// What its folder takes, and what is free on its file system.
    package var bytes: Int?
    package var freeBytes: Int?
    /// What its folder may take, and what is to be left free.
    package var bytesMax: Int?
    package var freeBytesMin = 0
    /// `fine`, `low` or `full`.
    package var room = "fine"
    /// RFC 3339.
    package var oldest: String?
    /// Seconds after which segments are purged.
    package var keepSeconds: Int64?
    package var checkpoint: CheckpointReport?
    package var witnesses: [WitnessStatus] = []
}

/// The newest checkpoint.
package struct CheckpointReport: Codable, Sendable, Equatable {
    package var entries: UInt64
    package var ageSeconds: Int64
}

/// A witness of the record.
package struct WitnessStatus: Codable, Sendable, Equatable {
    package var name: String
    /// `url`, `syslog` or `file`.
    package var kind: String
    /// `fresh`, `behind`, `late` (for more than three of its turns), `contradicts` or `unknown`.
    package var state: String
    /// Entries of the last checkpoint it took, and when.
    package var entries: UInt64
    package var ageSeconds: Int64?
    /// Entries it has not seen.
    package var behind: UInt64
    package var behindSeconds: Int64?
    package var problem: String?

    init(_ report: WitnessReport, now: Int64) {
        name = report.name
        kind = report.kind
        entries = report.size
        ageSeconds = report.at == 0 ? nil : now - Int64(clamping: report.at)
        behind = report.behind
        behindSeconds = report.behindMilliseconds.map { Int64(clamping: $0 / 1000) }
        problem = report.problem
        state =
            report.isContradicted
            ? "contradicts"
            : report.isLate
                ? "late" : report.behind > 0 ? "behind" : report.at == 0 ? "unknown" : "fresh"
    }
}

extension ControlPlane {
    func recordReport(_ generation: Generation) -> RecordReport {
        let (kept, progress) = (services.keeper.report, record.progress)
        let keeping = generation.record.keeping
        var report = RecordReport(
            durable: generation.configuration.durability.rawValue,
            problem: record.problem?.message ?? record.refusalReason,
            failedCommits: record.failedCommits)
        report.sealedTo = generation.record.auditors.map(\.id)
        report.origin = services.keeper.origin
        report.entries = max(progress.size, kept.checkpoint?.size ?? 0)
        report.segments = kept.segments
        report.bytes = kept.use?.bytes
        report.freeBytes = kept.use?.free
        report.bytesMax = keeping.ceiling.bytesMax
        report.freeBytesMin = keeping.ceiling.freeMin
        report.room =
            switch kept.level {
            case .fine: "fine"
            case .low: "low"
            case .full: "full"
            }
        report.oldest = kept.oldest
        report.keepSeconds = keeping.keep
        report.checkpoint = kept.checkpoint.map {
            CheckpointReport(entries: $0.size, ageSeconds: now.value - Int64(clamping: $0.at))
        }
        report.witnesses = kept.witnesses.map { WitnessStatus($0, now: now.value) }
        return report
    }

    /// What is not as it should be with the record.
    func recordShortcomings(_ generation: Generation) -> [Shortcoming] {
        let kept = services.keeper.report
        var found: [Shortcoming] = []
        let durability = generation.configuration.durability
        if durability != .beforeDelivery {
            found.append("record: durable is `\(durability.rawValue)`, not `before-delivery`")
        }
        if let problem = record.problem {
            found.append(
                Shortcoming(.recordFailed, "record", "record: \(problem.message)", .critical))
        } else if let trouble = record.recentTrouble {
            found.append(
                Shortcoming(
                    .recordFailed, "disk of the record",
                    "record: less than an hour ago: \(trouble.message) (\(record.failedCommits) "
                        + "commits failed since the start); look at the disk", .error))
        }
        if let reason = record.refusalReason {
            found.append(
                Shortcoming(
                    .recordFailed, "room for the record",
                    "record: \(reason): nothing more is disclosed", .critical))
        } else if case .low(let text) = kept.level {
            found.append(Shortcoming(.recordRoom, "room for the record", "record: \(text)"))
        } else if case .full(let text) = kept.level {
            found.append(Shortcoming(.recordRoom, "room for the record", "record: \(text)", .error))
        }
        if let text = record.loss {
            found.append(
                Shortcoming(.recordContradicted, "end of the record", "record: \(text)", .critical))
        }
        if let text = kept.contradiction {
            found.append(
                Shortcoming(
                    .recordContradicted, "record", "record: was changed: \(text)", .critical))
        }
        if let text = kept.problem { found.append("record: \(text)") }
        for witness in kept.witnesses {
            let name = "witness `\(witness.name)`"
            if witness.isContradicted {
                found.append(
                    Shortcoming(
                        .recordContradicted, name,
                        "\(name) contradicts the record: \(witness.problem ?? "")", .critical))
            } else if witness.isLate {
                found.append(
                    Shortcoming(
                        .witnessBehind, name,
                        "\(name) has not seen the last \(witness.behind) entries"
                            + (witness.problem.map { ": \($0)" } ?? ""), .error))
            }
        }
        return found
    }
}
