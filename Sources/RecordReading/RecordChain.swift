// RecordChain.swift: whether segments follow one another as their heads tell.

internal import Foundation
internal import Record
internal import Transparency

/// Where the record stands, as its segments follow one another.
struct RecordChain {
    var tree = CompactRange()
    var segment = 0
    /// How the segment before ended, as found.
    var range = CompactRange()
    var met: Set<UInt64> = []
    /// Whether the segment before was other than it should be, so that its hashes say nothing.
    var isOff = false

    /// Goes over a purged segment.
    mutating func skip(_ tombstone: Tombstone, _ found: inout Verification) {
        if !tree.append(tombstone.range) {
            found.add(tombstone.segment, "its purge does not follow what is before it")
        }
        range = tombstone.range
        segment = tombstone.segment
        met.insert(tree.end)
        found.purged.append(
            PurgedSegment(
                segment: tombstone.segment, entries: tombstone.range.begin..<tombstone.range.end,
                purgedAt: tombstone.purgedAt, reason: tombstone.reason))
    }

    /// Comes to the head of a segment.
    mutating func join(
        _ head: SegmentHead, _ place: RecordedSegment, _ found: inout Verification
    ) {
        if head.segment != place.number {
            found.add(
                place.number, "holds segment \(head.segment): it was put in another's place",
                entry: head.begins)
        }
        if !found.believes(head.key) {
            found.add(place.number, "is signed by another key, \(head.key.text)")
        } else if !head.origin.utf8.elementsEqual(head.key.name.utf8) {
            found.add(place.number, "calls its record by another name than its key's")
        }
        let before = head.previous?.manner == .untold ? 0 : head.previous?.segment ?? 0
        if before > segment {
            let missing = segment + 1 == before ? "\(before)" : "\(segment + 1) to \(before)"
            found.add(before, "segment \(missing) is missing", entry: tree.end)
        } else if head.tree != tree, !isOff {
            found.add(
                place.number, "does not follow the segment before it",
                entry: min(head.begins, tree.end))
        } else if let told = head.previous, told.manner != .untold, !isOff, told.range != range {
            found.add(place.number, "its head tells of another segment before it")
        }
        tree = head.tree
        isOff = false
    }

    /// Comes to the end of a segment.
    mutating func end(
        _ check: SegmentCheck, _ place: RecordedSegment, _ next: SegmentHead?,
        _ found: inout Verification
    ) {
        met.formUnion(check.met)
        if let told = next?.previous, told.segment == place.number {
            // The flaw that was found already explains what follows of it.
            if check.flaws.isEmpty, told.range != check.range {
                let cut = check.range.end < told.range.end
                found.add(
                    place.number,
                    cut
                        ? "its end was cut off: \(told.range.end - check.range.end) entries are "
                            + "missing"
                        : "is not what the next segment says it was",
                    entry: min(check.range.end, told.range.end))
            }
            isOff = !check.flaws.isEmpty || told.range != check.range
            if told.manner == .whole, let size = fileSize(place.path), size > told.bytes {
                found.add(
                    place.number, "\(size - told.bytes) bytes were added after its end",
                    entry: told.range.end)
            }
            if told.manner == .crash, check.unsigned > 0, check.flaws.isEmpty {
                found.notes.append(
                    "the last \(check.unsigned) entries of segment \(place.number) were signed "
                        + "only when the gate was started again")
            }
        }
        tree = check.tree
        range = check.range
        segment = place.number
    }
}

extension Verification {
    mutating func add(_ segment: Int?, _ what: String, entry: UInt64? = nil) {
        flaws.append(RecordFlaw(segment: segment, entry: entry, what: what))
    }
}

/// Bytes of a file; nil when there is none.
func fileSize(_ path: String) -> Int? {
    (try? FileManager.default.attributesOfItem(atPath: path)[.size]) as? Int
}
