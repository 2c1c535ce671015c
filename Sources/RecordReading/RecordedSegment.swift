// RecordedSegment.swift: one segment as its readers see it: which of its lines count, in clear.

package import Record
package import Sealing
internal import Transparency

/// A segment of a record.
package struct RecordedSegment: Sendable {
    package let number: Int
    package let path: String
    /// Nil in a segment of a gate before 0.2, which has none and is in no tree.
    package let head: SegmentHead?
    /// Bytes that count, as the next segment's head tells; nil for the last: all whole lines.
    package let bytes: Int?
    /// What opens its entries; nil when they are not sealed, or no key of an auditor was given
    /// that fits.
    package let key: SegmentKey?
    /// The first line, without its line feed; empty when there is none.
    let firstLine: [UInt8]

    /// Whether entries are sealed.
    package var isSealed: Bool { head?.sealedTo != nil }
    /// Whether its entries can be read.
    package var isOpen: Bool { !isSealed || key != nil }
    /// The number of its first line in the record's tree; lines of a segment without a head are
    /// numbered on their own.
    package var begins: UInt64 { head?.begins ?? 0 }

    init(
        number: Int, path: String, firstLine: [UInt8], head: SegmentHead?, bytes: Int?,
        auditorKeys: [AuditorKey]
    ) {
        self.number = number
        self.path = path
        self.firstLine = firstLine
        self.head = head
        self.bytes = bytes
        key = head.flatMap { opened($0, auditorKeys) }
    }

    /// The key under which an index of this segment knows people, 32 bytes; nil when the segment
    /// cannot be opened.
    ///
    /// That of an unsealed segment is no secret: its index tells no more than it does.
    package var indexKey: [UInt8]? {
        guard isOpen else { return nil }
        if let key { return key.indexKey }
        return TreeHash.leaf(firstLine.span).bytes
    }

    /// What entry `number` says, of the line that holds it; nil when it is no entry, or was not
    /// sealed with this segment's key under this number.
    package func plain(
        _ line: Span<UInt8>, number: UInt64, _ opener: EntryOpener
    ) -> [UInt8]? {
        guard let sealed = sealedText(line) else {
            return isSealed || isOfTheRecordItself(line) ? nil : bytesOf(line)
        }
        guard let key else { return nil }
        return opener.open(line.extracting(sealed), entryKey: key.entryKey(number))
    }

    /// Gives every line that counts to `take`, with its number in the tree, until it returns false.
    package func lines(
        from start: Int = 0, number first: UInt64? = nil,
        _ take: (Span<UInt8>, LinePlace, UInt64) -> Bool
    ) throws(RecordReadingError) {
        var number = first ?? begins
        do throws(RecordError) {
            try readLines(of: path, from: start, to: bytes ?? .max) { line, place in
                defer { number += 1 }
                return take(line, place, number)
            }
        } catch {
            throw RecordReadingError(error.message, hint: "can this user read the folder?")
        }
    }
}

private func opened(_ head: SegmentHead, _ auditorKeys: [AuditorKey]) -> SegmentKey? {
    for auditor in auditorKeys {
        for sealed in head.sealedTo ?? [] where sealed.auditor == auditor.publicKey.id {
            if let key = SegmentKey.opened(
                sealed, with: auditor, origin: head.origin, segment: head.segment)
            {
                return key
            }
        }
    }
    return nil
}

/// Where the base64 of a sealed entry stands; nil when the line is none.
package func sealedText(_ line: Span<UInt8>) -> Range<Int>? {
    let mark: StaticString = "{\"sealed\":\""
    let start = mark.utf8CodeUnitCount
    guard begins(line, mark), line.count >= start + 2, line[line.count - 1] == 0x7D,
        line[line.count - 2] == 0x22
    else { return nil }
    return start..<(line.count - 2)
}

/// Whether a line speaks of the record itself: the head of a segment, or a checkpoint.
package func isOfTheRecordItself(_ line: Span<UInt8>) -> Bool {
    begins(line, CheckpointLine.mark) || begins(line, SegmentHead.mark)
}
