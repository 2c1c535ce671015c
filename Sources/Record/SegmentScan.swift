// SegmentScan.swift: what of a segment counts, for whoever goes on with its record.
//
// INVARIANT: an entry that was acknowledged counts. Acknowledged entries are whole and stand first;
// after them there is padding, and of what was being written any part. Nothing is cut off: the next
// segment's head says where this one ends, and what is beyond is still there to be looked at.

internal import Glibc
package import Transparency

/// What was found in a segment, up to where it counts.
package struct SegmentScan: Equatable, Sendable {
    /// Nil in a segment that has none, of a gate before 0.2.
    package var head: SegmentHead?
    /// All entries up to here, and those of this segment.
    package var tree = CompactRange()
    package var range = CompactRange()
    /// Bytes that hold them.
    package var bytes = 0
    /// Whether the last of them is a checkpoint, so that nothing is unsigned.
    package var isSigned = false
    /// Whether there is anything but blank lines beyond.
    package var hasMore = false
    /// Whether there is a line at all.
    package var isBlank = true

    package init() {}

    /// Reads the segment at `path`.
    ///
    /// Its signatures are not looked at: whoever verifies does that.
    package init(path: String) throws(RecordError) {
        var scan = SegmentScan()
        try readLines(of: path) { line, place in
            let isFirst = scan.isBlank
            scan.isBlank = false
            // Commits follow one another without a gap: what stands after one was being written
            // when the power was cut, and what was before it did not reach the disk.
            let follows = place.offset == scan.bytes || (scan.head == nil && !isFirst)
            guard follows, place.isWhole(line), scan.take(line, isFirst: isFirst) else {
                scan.hasMore = true
                return false
            }
            scan.bytes = place.offset + line.count + 1
            return true
        }
        self = scan
    }

    /// Takes the next line; false when it does not count.
    private mutating func take(_ line: Span<UInt8>, isFirst: Bool) -> Bool {
        if isFirst {
            guard let found = SegmentHead(line: bytesOf(line)) else {
                return !begins(line, SegmentHead.mark)
            }
            head = found
            tree = found.tree
            range = CompactRange(begin: found.begins)
        }
        guard head != nil else { return true }
        isSigned = begins(line, CheckpointLine.mark)
        if isSigned {
            guard let spelled = CheckpointLine(line: bytesOf(line)),
                let note = SignedNote(spelled.note), let checkpoint = Checkpoint(note.text),
                checkpoint.size == tree.end, checkpoint.root == tree.root
            else { return false }
        }
        let leaf = TreeHash.leaf(line)
        tree.append(leaf)
        range.append(leaf)
        return true
    }
}

/// Whether a line begins with a text.
package func begins(_ line: Span<UInt8>, _ text: StaticString) -> Bool {
    guard line.count >= text.utf8CodeUnitCount else { return false }
    for index in 0..<text.utf8CodeUnitCount {
        // Safe because index is below the text's own count.
        guard unsafe line[index] == text.utf8Start[index] else { return false }
    }
    return true
}

/// A copy of a line.
package func bytesOf(_ line: Span<UInt8>) -> [UInt8] {
    // Safe because the span's bytes are only read, within this call.
    unsafe line.withUnsafeBufferPointer { unsafe Array($0) }
}
