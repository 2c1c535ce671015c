// PeriodOptions.swift: from when and until when.

import ArgumentParser
import Foundation
import Neutralization

/// A period of the record.
struct PeriodOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "From when: so long before now or --until, such as 30d, or a time.",
            valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Until when; now unless given.", valueName: "time"))
    var until: String?

    func validate() throws {
        if let until, UnixSeconds(rfc3339: until) == nil, secondsOfDuration(until) == nil {
            throw ValidationError(
                "--until: `\(printable(until))` is neither a duration (7d) nor a time "
                    + "(2026-12-01T00:00:00Z)")
        }
        if let since, secondsOfDuration(since) == nil, UnixSeconds(rfc3339: since) == nil {
            throw ValidationError(
                "--since: `\(printable(since))` is neither a duration (7d) nor a time "
                    + "(2026-12-01T00:00:00Z)")
        }
        let period = milliseconds(now: UInt64(clamping: secondsNow()) * 1000)
        guard period.since < period.until else {
            throw ValidationError("--since: the period ends before it begins")
        }
    }

    var isGiven: Bool { since != nil || until != nil }

    /// From then on and before, in milliseconds since 1970; all there is where nothing is said.
    func milliseconds(now: UInt64) -> (since: UInt64, until: UInt64) {
        func moment(_ text: String, before end: UInt64) -> UInt64? {
            if let span = secondsOfDuration(text) {
                return end - min(end, UInt64(clamping: span) * 1000)
            }
            return UnixSeconds(rfc3339: text).map { UInt64(clamping: $0.value) * 1000 }
        }
        let end = until.flatMap { moment($0, before: now) }
        return (since.flatMap { moment($0, before: end ?? now) } ?? 0, end ?? .max)
    }
}
