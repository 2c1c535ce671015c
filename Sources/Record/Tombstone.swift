// Tombstone.swift: what is left of a segment that was purged: its hashes, and why it went.

internal import Foundation
package import Transparency

/// What `NNNNNN.purged` says.
package struct Tombstone: Equatable, Sendable {
    package var origin: String
    package var segment: Int
    /// The entries that are gone, as the head of the next segment has them.
    package var range: CompactRange
    /// When the first and the last of them was written, RFC 3339.
    package var first: String
    package var last: String
    package var purgedAt: String
    /// One line.
    package var reason: String

    private static let mark = "herse record purge v1"
    /// Bytes of a file that is read.
    package static let lengthMax = 64 * 1024
    /// Bytes of a reason.
    package static let reasonMax = 200

    package init(
        origin: String, segment: Int, range: CompactRange, first: String, last: String,
        purgedAt: String, reason: String
    ) {
        self.origin = origin
        self.segment = segment
        self.range = range
        self.first = first
        self.last = last
        self.purgedAt = purgedAt
        self.reason = reason
    }

    /// The text of its note.
    package var text: String {
        let lines =
            [
                Self.mark, origin, "\(segment) \(range.begin) \(range.end)", "\(first) \(last)",
                purgedAt, reason,
            ] + range.nodes.map(\.hash.base64)
        return lines.joined(separator: "\n") + "\n"
    }

    /// Reads the text of a note; nil when it is none.
    package init?(_ text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard text.utf8.count <= Self.lengthMax, lines.popLast() == "", lines.count >= 6,
            lines[0] == Self.mark
        else { return nil }
        let numbers = lines[2].split(separator: " ", omittingEmptySubsequences: false)
        let times = lines[3].split(separator: " ", omittingEmptySubsequences: false)
        let hashes = lines[6...].compactMap { TreeHash(base64: $0) }
        guard numbers.count == 3, times.count == 2, let segment = Int(numbers[0]), segment > 0,
            let begin = UInt64(numbers[1]), let end = UInt64(numbers[2]),
            hashes.count == lines.count - 6,
            let range = CompactRange(begin: begin, end: end, hashes: hashes)
        else { return nil }
        self.init(
            origin: lines[1], segment: segment, range: range, first: String(times[0]),
            last: String(times[1]), purgedAt: lines[4], reason: lines[5])
        guard self.text == text else { return nil }
    }
}
