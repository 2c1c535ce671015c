// SegmentHead.swift: the first line of a segment: where it stands in the tree, and who can open it.

internal import Foundation
package import Sealing
package import Transparency

/// What is said of the segment before.
package struct SegmentEnding: Equatable, Sendable {
    /// How the segment before ended.
    package enum Manner: String, Codable, Sendable {
        /// Full, or the gate stopped.
        case whole
        /// The disk failed.
        case failed
        /// Found so at a start.
        case crash
        /// It has no head: a gate before 0.2 wrote it.
        case untold
    }

    package var segment: Int
    /// The entries of it that count.
    package var range: CompactRange
    /// Bytes that hold them.
    package var bytes: Int
    package var manner: Manner

    package init(segment: Int, range: CompactRange, bytes: Int, manner: Manner) {
        self.segment = segment
        self.range = range
        self.bytes = bytes
        self.manner = manner
    }
}

/// The head of a segment.
package struct SegmentHead: Equatable, Sendable {
    package var segment: Int
    /// The time it was begun, RFC 3339.
    package var time: String
    package var origin: String
    /// The gate's public key.
    package var key: NoteVerifier
    /// All entries before.
    package var tree: CompactRange
    package var previous: SegmentEnding?
    /// The segment's key for each auditor; nil when entries are not sealed.
    package var sealedTo: [SealedSegmentKey]?

    /// The number of the head's own line.
    package var begins: UInt64 { tree.end }

    /// Bytes of a head that is read.
    package static let lengthMax = 256 * 1024
    /// What every head begins with, and nothing else.
    package static let mark: StaticString = "{\"segment\":"

    /// The line, without its line feed; nil when it cannot be spelled.
    package var line: [UInt8]? {
        let form = HeadForm(
            segment: segment, begins: begins, time: time, origin: origin, key: key.text,
            tree: spelled(tree),
            previous: previous.map {
                HeadForm.Previous(
                    segment: $0.segment, begins: $0.range.begin, ends: $0.range.end,
                    bytes: $0.bytes, closed: $0.manner, hashes: spelled($0.range))
            },
            sealed_to: sealedTo?.map {
                HeadForm.Sealed(
                    auditor: $0.auditor, encapsulated: Data($0.encapsulated), key: Data($0.key))
            })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        guard let data = try? encoder.encode(form) else { return nil }
        // The number goes first, so that the line is known by how it begins.
        return Array("\(Self.mark)\(segment),".utf8) + data.dropFirst()
    }

    /// Reads a line; nil when it is no head.
    package init?(line: [UInt8]) {
        guard line.count <= Self.lengthMax,
            line.starts(with: Array("\(Self.mark)".utf8)),
            let form = try? JSONDecoder().decode(HeadForm.self, from: Data(line)),
            form.segment > 0, let key = NoteVerifier(form.key),
            let tree = range(0, form.begins, form.tree)
        else { return nil }
        segment = form.segment
        time = form.time
        origin = form.origin
        self.key = key
        self.tree = tree
        if let before = form.previous {
            // It ends where this one begins: whoever goes from one to the next must arrive.
            guard let covered = range(before.begins, before.ends, before.hashes),
                before.ends == form.begins, (1..<form.segment).contains(before.segment),
                before.bytes >= 0
            else { return nil }
            previous = SegmentEnding(
                segment: before.segment, range: covered, bytes: before.bytes,
                manner: before.closed)
        }
        sealedTo = form.sealed_to?.map {
            SealedSegmentKey(
                auditor: $0.auditor, encapsulated: Array($0.encapsulated), key: Array($0.key))
        }
    }

    package init(
        segment: Int, time: String, origin: String, key: NoteVerifier, tree: CompactRange,
        previous: SegmentEnding?, sealedTo: [SealedSegmentKey]?
    ) {
        self.segment = segment
        self.time = time
        self.origin = origin
        self.key = key
        self.tree = tree
        self.previous = previous
        self.sealedTo = sealedTo
    }
}

private func spelled(_ range: CompactRange) -> [String] { range.nodes.map(\.hash.base64) }

private func range(_ begin: UInt64, _ end: UInt64, _ hashes: [String]) -> CompactRange? {
    let known = hashes.compactMap { TreeHash(base64: $0) }
    guard known.count == hashes.count else { return nil }
    return CompactRange(begin: begin, end: end, hashes: known)
}

/// How a head is spelled.
private struct HeadForm: Codable {
    struct Previous: Codable {
        var segment: Int
        var begins: UInt64
        var ends: UInt64
        var bytes: Int
        var closed: SegmentEnding.Manner
        var hashes: [String]
    }

    struct Sealed: Codable {
        var auditor: String
        var encapsulated: Data
        var key: Data
    }

    var segment: Int
    var begins: UInt64
    var time: String
    var origin: String
    var key: String
    var tree: [String]
    var previous: Previous?
    var sealed_to: [Sealed]?
}
