// PeriodArgument.swift: a period as an operator writes it, for every command that reads the record.

import ArgumentParser
import Foundation
import Neutralization

/// Milliseconds since 1970 of now.
func millisecondsNow() -> UInt64 { UInt64(max(0, Date().timeIntervalSince1970 * 1000)) }

/// Milliseconds since 1970 of a time (`2026-12-01T00:00:00Z`), or of so long before `end` (`7d`);
/// nil for anything else.
func moment(_ text: String, before end: UInt64) -> UInt64? {
    if let span = secondsOfDuration(text) { return end - min(end, UInt64(clamping: span) * 1000) }
    return UnixSeconds(rfc3339: text).map { UInt64(clamping: $0.value) * 1000 }
}

/// Refuses what is no moment, in the words of the option it was given to.
func mustBeMoment(_ text: String?, _ option: String) throws {
    guard let text, moment(text, before: 0) == nil else { return }
    throw ValidationError(
        "\(option): `\(printable(text))` is neither a duration (7d) nor a time in UTC "
            + "(2026-12-01T00:00:00Z)")
}

/// Refuses what is empty, as options are whose variable a shell does not know: all would be found
/// that has no such thing.
func mustSaySomething(_ options: [(name: String, values: [String])]) throws {
    for option in options where option.values.contains(where: { $0.allSatisfy(\.isWhitespace) }) {
        throw ValidationError("\(option.name): is empty")
    }
}

/// The period from `begin` to `end`, where it is said, in milliseconds since 1970.
///
/// A duration at its beginning counts back from its end.
func readPeriod(
    from begin: String?, to end: String?, now: UInt64
) -> (since: UInt64?, until: UInt64?) {
    let until = end.flatMap { moment($0, before: now) }
    return (begin.flatMap { moment($0, before: until ?? now) }, until)
}
