// Moment.swift: a moment of the record, to the millisecond.

internal import Record

/// Milliseconds by which times of entries may be out of their order, since a clock that went ahead
/// was set back: one day.
package let recordClockSlack: UInt64 = 86_400_000

/// Milliseconds since 1970.
package struct Moment: Hashable, Comparable, Sendable {
    package let milliseconds: UInt64

    package init(milliseconds: UInt64) { self.milliseconds = milliseconds }

    package static func < (left: Moment, right: Moment) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// Reads `2026-11-20T08:00:00Z` or `2026-11-20T08:00:00.123Z` (RFC 3339 §5.6, UTC only).
    ///
    /// From 1970 on; further digits of the fraction are dropped. Nil when it is not one.
    package init?(stamp text: Span<UInt8>) {
        guard text.count >= 20, text.count <= 40, text[4] == 0x2D, text[7] == 0x2D,
            text[10] == 0x54, text[13] == 0x3A, text[16] == 0x3A, text[text.count - 1] == 0x5A,
            let year = number(text, 0, 4), let month = number(text, 5, 2),
            let day = number(text, 8, 2), let hour = number(text, 11, 2),
            let minute = number(text, 14, 2), let second = number(text, 17, 2),
            year >= 1970, (1...12).contains(month), (1...31).contains(day), hour < 24,
            minute < 60, second < 61
        else { return nil }
        var fraction: UInt64 = 0
        if text.count > 20 {
            guard text[19] == 0x2E, text.count > 21 else { return nil }
            var weight: UInt64 = 100
            for index in 20..<(text.count - 1) {
                guard (0x30...0x39).contains(text[index]) else { return nil }
                fraction += UInt64(text[index] - 0x30) * weight
                weight /= 10
            }
        }
        let days = daysSince1970(year: Int(year), month: Int(month), day: Int(day))
        milliseconds =
            ((UInt64(days) * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + fraction
    }
}

extension Moment {
    /// `2026-11-20T08:00:00.123Z`.
    package var stamp: String { rfc3339(milliseconds: milliseconds) }
}

/// The number of `count` digits from `start` on.
private func number(_ text: Span<UInt8>, _ start: Int, _ count: Int) -> UInt64? {
    var value: UInt64 = 0
    for index in start..<(start + count) {
        guard (0x30...0x39).contains(text[index]) else { return nil }
        value = value * 10 + UInt64(text[index] - 0x30)
    }
    return value
}

/// Days of the Gregorian calendar, a year beginning in March so that the leap day is its last.
private func daysSince1970(year: Int, month: Int, day: Int) -> Int {
    let year = month > 2 ? year : year - 1
    let month = month > 2 ? month - 3 : month + 9
    let era = year / 400
    let ofEra = year - era * 400
    let ofYear = (153 * month + 2) / 5 + day - 1
    return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
}
