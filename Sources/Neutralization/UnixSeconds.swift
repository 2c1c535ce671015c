// UnixSeconds.swift: a moment in UTC to the second, and its RFC 3339 text.

/// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
package struct UnixSeconds: Hashable, Comparable, Sendable {
    package let value: Int64

    package init(_ value: Int64) { self.value = value }

    package static func < (left: UnixSeconds, right: UnixSeconds) -> Bool {
        left.value < right.value
    }

    /// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what four digits of year can say.
    static let textRange: ClosedRange<Int64> = -62_167_219_200...253_402_300_799
}

extension UnixSeconds {
    /// Reads `2026-11-20T08:00:00Z` (RFC 3339 §5.6, UTC only: `Z` or `+00:00`); a fraction of a
    /// second is read and dropped, a leap second is the second after it; `nil` when it is not one.
    package init?(rfc3339 text: Span<UInt8>) {
        guard text.count >= 20, text.count <= 40 else { return nil }
        guard
            let year = decimal(text, 0, 4), text[4] == 0x2D,
            let month = decimal(text, 5, 2), text[7] == 0x2D,
            let day = decimal(text, 8, 2), text[10] | 0x20 == 0x74,
            let hour = decimal(text, 11, 2), text[13] == 0x3A,
            let minute = decimal(text, 14, 2), text[16] == 0x3A,
            let second = decimal(text, 17, 2)
        else { return nil }
        guard month >= 1, month <= 12, day >= 1, day <= daysInMonth(month, of: year),
            hour <= 23, minute <= 59, second <= 59 || (second == 60 && hour == 23 && minute == 59)
        else { return nil }

        var index = 19
        if text[index] == 0x2E {
            index += 1
            let first = index
            while index < text.count, isDigit(text[index]) { index += 1 }
            guard index > first, index < text.count else { return nil }
        }
        switch text.count - index {
        case 1:
            guard text[index] | 0x20 == 0x7A else { return nil }
        case 6:
            guard text[index] == 0x2B, decimal(text, index + 1, 2) == 0,
                text[index + 3] == 0x3A, decimal(text, index + 4, 2) == 0
            else { return nil }
        default:
            return nil
        }
        let days = daysSince1970(year: year, month: month, day: day)
        self.init(days * 86400 + hour * 3600 + minute * 60 + second)
    }

    /// Reads the text a person gave on a command line.
    package init?(rfc3339 text: String) {
        self.init(rfc3339: Array(text.utf8).span)
    }
}

extension UnixSeconds: CustomStringConvertible {
    /// RFC 3339 in UTC, as in `2026-11-20T08:00:00Z`; what lies beyond the years 0 to 9999 is
    /// shown as the nearest moment within them.
    package var description: String {
        let moment = min(max(value, Self.textRange.lowerBound), Self.textRange.upperBound)
        let clock = ((moment % 86400) + 86400) % 86400
        let (year, month, day) = civilDate(daysSince1970: (moment - clock) / 86400)
        return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) + "T"
            + padded(clock / 3600, 2) + ":" + padded(clock / 60 % 60, 2) + ":"
            + padded(clock % 60, 2) + "Z"
    }
}

private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

/// The number that `count` digits from `start` say; `start + count` lies within `text`.
private func decimal(_ text: Span<UInt8>, _ start: Int, _ count: Int) -> Int64? {
    var value: Int64 = 0
    for index in start..<start + count {
        guard isDigit(text[index]) else { return nil }
        value = value * 10 + Int64(text[index] - 0x30)
    }
    return value
}

private func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

private func daysInMonth(_ month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
}

/// Days in 400 Gregorian years, after which the calendar repeats.
private let daysPerCycle: Int64 = 146_097
/// Days from 0000-03-01 to 1970-01-01: years are reckoned from March, so that the leap day is last.
private let daysToEpoch: Int64 = 719_468

private func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
    // One cycle is added and taken away again, so that every division is of a positive number.
    let reckoned = year + 400 - (month <= 2 ? 1 : 0)
    let monthFromMarch = (month + 9) % 12
    let daysBefore = 365 * reckoned + reckoned / 4 - reckoned / 100 + reckoned / 400
    return daysBefore + (153 * monthFromMarch + 2) / 5 + day - 1 - daysToEpoch - daysPerCycle
}

private func civilDate(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + daysToEpoch + daysPerCycle
    let cycle = shifted / daysPerCycle
    let dayOfCycle = shifted % daysPerCycle
    // The last day of a 4-year, 100-year or 400-year run must not count as a year of its own.
    let yearOfCycle =
        (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
    let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = (cycle - 1) * 400 + yearOfCycle + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
}
