// SegmentHeads.swift: the lines of a record that speak of the record itself: heads and checkpoints.

import Record
import Sealing
import Transparency

extension FuzzTarget {
    /// A head reads back, its hashes are as many as its numbers say, and whoever holds an auditor's
    /// key may try it on whatever is said to be sealed.
    static let segmentHead = FuzzTarget(name: "segment-head") { bytes in
        guard let head = SegmentHead(line: bytesOf(bytes)) else { return }
        guard let line = head.line else { preconditionFailure("what was read is spelled") }
        precondition(begins(line.span, SegmentHead.mark), "a head is known by how it begins")
        precondition(SegmentHead(line: line) == head, "a head reads back")
        precondition(head.begins == head.tree.end, "its number is what comes after the tree")
        check(head.tree)
        if let before = head.previous {
            check(before.range)
            precondition(before.range.end == head.begins, "it begins where the one before ends")
            precondition(before.segment < head.segment, "and comes after it")
        }
        guard let auditor = auditor else { return }
        for sealed in (head.sealedTo ?? []).prefix(2) {
            _ = SegmentKey.opened(
                sealed, with: auditor, origin: head.origin, segment: head.segment)
        }
    }

    /// A checkpoint's line is taken in one spelling only.
    static let checkpointLine = FuzzTarget(name: "checkpoint-line") { bytes in
        let line = bytesOf(bytes)
        guard let checkpoint = CheckpointLine(line: line) else { return }
        precondition(checkpoint.line == line, "a checkpoint is read as it was written")
        precondition(isWholeObject(bytes), "and is whole")
    }

    /// An auditor whose key is written here, so that the corpus holds what it opens.
    static let auditor: AuditorKey? = {
        let der: [UInt8] = [0x30, 0x2E, 2, 1, 0, 0x30, 5, 6, 3, 0x2B, 0x65, 0x6E, 4, 0x22, 4, 0x20]
        let text = spelledBase64(der + Array(1...32))
        let pem = "-----BEGIN PRIVATE KEY-----\n\(text)\n-----END PRIVATE KEY-----\n"
        return try? AuditorKey(pem: Array(pem.utf8))
    }()
}

/// A range covers as many leaves as its subtrees hold, and takes the next one.
func check(_ range: CompactRange) {
    var leaves: UInt64 = 0
    for node in range.nodes { leaves += 1 << UInt64(node.level) }
    precondition(leaves == range.end - range.begin, "the subtrees cover the range")
    let again = CompactRange(
        begin: range.begin, end: range.end, hashes: range.nodes.map(\.hash))
    precondition(again == range, "a range is made of its hashes")
    var longer = range
    longer.append(TreeHash.empty)
    precondition(longer.end == range.end + 1, "it takes one more")
    var next = CompactRange(begin: range.end)
    next.append(TreeHash.empty)
    var joined = range
    precondition(joined.append(next) && joined == longer, "alone or as a range")
}
