// PurgeOrder.swift: what somebody wants purged, and what came of it.

internal import Foundation

/// Which segments are to go, and why.
package struct PurgeOrder: Equatable, Sendable {
    /// Where it ends.
    package enum Extent: Equatable, Sendable {
        /// Those whose last entry is older than so many seconds.
        case olderThan(seconds: Int64)
        /// All up to one, itself among them.
        case through(segment: Int)
    }

    package var extent: Extent
    /// One line of at most `Tombstone.reasonMax` bytes.
    package var reason: String
    package var by: String
    /// Only say what would go.
    package var isPreview = false

    package init(_ extent: Extent, reason: String, by: String) {
        self.extent = extent
        self.reason = reason
        self.by = by
    }

    /// Whether it names a segment; `now` is in milliseconds since 1970.
    func names(_ segment: ClosedSegment, now: UInt64) -> Bool {
        switch extent {
        case .through(let number): segment.number <= number
        case .olderThan(let seconds):
            // One whose times cannot be told stays.
            moment(segment.last).map {
                $0 < Int64(clamping: now / 1000) - seconds
            } ?? false
        }
    }
}

/// What a purge came to.
package struct PurgeResult: Equatable, Sendable {
    /// What is gone, or would be.
    package var purged: [ClosedSegment] = []
    /// Why it went no further.
    package var problem: String?

    package init(problem: String? = nil) { self.problem = problem }
}

/// The seconds since 1970 of a time as the record writes it; nil for anything else.
func moment(_ text: String) -> Int64? {
    let digits = Array(text.utf8)
    let form = Array("dddd-dd-ddTdd:dd:dd.dddZ".utf8)
    guard digits.count == form.count,
        zip(digits, form).allSatisfy({ byte, meant in
            meant == UInt8(ascii: "d") ? (0x30...0x39).contains(byte) : byte == meant
        })
    else { return nil }
    func number(_ range: Range<Int>) -> Int {
        digits[range].reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
    var parts = DateComponents()
    parts.year = number(0..<4)
    parts.month = number(5..<7)
    parts.day = number(8..<10)
    parts.hour = number(11..<13)
    parts.minute = number(14..<16)
    parts.second = number(17..<19)
    var calendar = Calendar(identifier: .gregorian)
    guard let zone = TimeZone(secondsFromGMT: 0) else { return nil }
    calendar.timeZone = zone
    return calendar.date(from: parts).map { Int64($0.timeIntervalSince1970) }
}
