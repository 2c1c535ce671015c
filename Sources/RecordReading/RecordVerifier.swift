// RecordVerifier.swift: whether a record is what the gate wrote, from its first entry to its last.
//
// Everything is derived anew: hashes, roots, ends of segments. What is believed is the gate's
// public key and what witnesses say, if they are given.

internal import Foundation
internal import Record
package import Sealing
package import Transparency

/// Verifies the record in a folder.
package struct RecordVerifier {
    private let reader: RecordReader
    private let folder: SegmentFolder
    /// Keys that are believed; none believes the record's own.
    private let keys: [NoteVerifier]
    private let witnessed: [WitnessedCheckpoint]

    /// What the gate keeps beside the segments; nil when there is none.
    private let kept: [UInt8]?

    /// Opens the record in `folder`, which may be written meanwhile.
    package init(
        folder path: String, auditorKeys: [AuditorKey] = [], keys: [NoteVerifier] = [],
        witnessed: [WitnessedCheckpoint] = []
    ) throws(RecordReadingError) {
        // Before the segments: what is read after it holds all that it speaks of.
        kept = FileManager.default.contents(atPath: path + "/checkpoint").map { Array($0) }
        reader = try RecordReader(folder: path, auditorKeys: auditorKeys)
        self.keys = keys
        self.witnessed = witnessed
        folder = SegmentFolder(path)
    }

    /// Bytes of all segments.
    package var bytes: Int {
        reader.segments.reduce(0) { $0 + (fileSize($1.path) ?? 0) }
    }

    /// Reads everything; `progress` is told of bytes as they are read, and ends it by false.
    package func verify(
        _ progress: (Int) -> Bool = { _ in true }
    ) throws(RecordReadingError) -> Verification {
        var found = Verification()
        var chain = Chain()
        let told = reader.segments.filter { $0.head != nil }
        let torn = try tornSegment(&found)
        found.untold = reader.segments.filter { $0.head == nil && $0.number != torn }.map(\.number)
        if let last = found.untold.last, let first = told.first, last > first.number {
            found.add(last, "segment \(last) has no head")
            found.untold.removeAll { $0 > first.number }
        }
        found.key = told.last?.head?.key
        found.origin = told.last?.head?.origin ?? ""
        believe(&found)
        let tombstones = try readTombstones(&found)
        let witnessed = self.witnessed + (ownCheckpoint(&found).map { [$0] } ?? [])
        var known: [UInt64: [(source: String, root: TreeHash)]] = [:]
        for one in witnessed {
            accept(one, &found)
            known[one.checkpoint.size, default: []].append((one.source, one.checkpoint.root))
        }
        for (segment, following) in zip(told, told.dropFirst().map(Optional.some) + [nil]) {
            guard let head = segment.head else { continue }
            bury(tombstones, before: segment.number, &chain, &found)
            chain.join(head, segment, &found)
            var check = SegmentCheck(
                segment, begins: head.tree, key: found.key ?? head.key, known: known,
                opener: segment.key == nil ? nil : EntryOpener())
            guard try check.run(progress) else { return found }
            found.take(check)
            chain.end(check, segment, following?.head, &found)
        }
        found.size = chain.tree.end
        found.root = chain.tree.root
        found.segments = reader.segments.count
        seeTail(witnessed, chain, &found)
        return found
    }

    /// The last segment, when there is not even a whole head in it: nothing was ever acknowledged
    /// there, and the next start puts it aside.
    private func tornSegment(_ found: inout Verification) throws(RecordReadingError) -> Int? {
        guard let last = reader.segments.last, last.head == nil else { return nil }
        do throws(RecordError) {
            guard try SegmentScan(path: last.path).bytes == 0 else { return nil }
        } catch {
            throw RecordReadingError(error.message, hint: "can this user read the folder?")
        }
        found.notes.append(
            "segment \(last.number) has not one whole line: being begun, or cut short by a crash "
                + "before anything in it was acknowledged")
        return last.number
    }

    // MARK: What is believed

    private func believe(_ found: inout Verification) {
        guard let key = found.key, !keys.isEmpty, !keys.contains(key) else { return }
        found.add(nil, "the record is signed by \(key.text), which is not the key given")
        found.key = keys.first { $0.name == key.name } ?? keys[0]
    }

    private func accept(_ one: WitnessedCheckpoint, _ found: inout Verification) {
        guard let key = found.key else { return }
        if one.checkpoint.origin != key.name || !one.note.isSigned(by: key) {
            found.add(nil, "\(one.source): is not a checkpoint that this gate signed")
        }
    }

    /// The newest checkpoint as the gate keeps it beside the segments.
    private func ownCheckpoint(_ found: inout Verification) -> WitnessedCheckpoint? {
        guard found.key != nil else { return nil }
        guard let kept else {
            // A record that was never signed has none.
            if reader.segments.contains(where: { $0.bytes != nil }) && witnessed.isEmpty {
                found.add(nil, "the file `checkpoint` is missing: a cut tail could not be seen")
            } else {
                found.notes.append("there is no file `checkpoint`: nothing was signed yet")
            }
            return nil
        }
        guard kept.count <= SignedNote.lengthMax,
            let note = SignedNote(String(decoding: kept, as: UTF8.self)),
            let one = WitnessedCheckpoint(source: "the file `checkpoint`", note: note)
        else {
            found.add(nil, "the file `checkpoint` is no checkpoint")
            return nil
        }
        return one
    }

    private func seeTail(
        _ witnessed: [WitnessedCheckpoint], _ chain: Chain, _ found: inout Verification
    ) {
        let newest =
            found.checkpoint.flatMap { SignedNote($0) }.flatMap { Checkpoint($0.text) }?.size ?? 0
        for one in witnessed {
            let size = one.checkpoint.size
            if size > chain.tree.end {
                found.add(
                    nil,
                    "the tail was cut: \(one.source) saw \(size) entries, "
                        + "\(chain.tree.end) are left", entry: chain.tree.end)
            } else if size > newest, chain.tree.end == size {
                found.add(
                    nil, "the tail was cut: the checkpoint that \(one.source) saw is missing",
                    entry: size)
            } else if !chain.met.contains(size) {
                found.notes.append(
                    "\(one.source): its \(size) entries end in a purged segment and cannot be "
                        + "compared")
            }
        }
    }

    // MARK: What was purged

    private func readTombstones(
        _ found: inout Verification
    ) throws(RecordReadingError) -> [Tombstone] {
        let numbers: [Int]
        do throws(RecordError) {
            numbers = try folder.numbers(.purged)
        } catch {
            throw RecordReadingError(error.message, hint: "can this user read the folder?")
        }
        var tombstones: [Tombstone] = []
        for number in numbers {
            let path = folder.file(number, ".purged")
            guard let data = FileManager.default.contents(atPath: path),
                data.count <= Tombstone.lengthMax,
                let note = SignedNote(String(decoding: data, as: UTF8.self)),
                let tombstone = Tombstone(note.text), tombstone.segment == number,
                let key = found.key, tombstone.origin == key.name, note.isSigned(by: key)
            else {
                found.add(number, "the proof of its purge is not one that this gate signed")
                continue
            }
            tombstones.append(tombstone)
        }
        return tombstones
    }

    /// Takes the purged segments that stood before `number`.
    private func bury(
        _ tombstones: [Tombstone], before number: Int, _ chain: inout Chain,
        _ found: inout Verification
    ) {
        for tombstone in tombstones
        where tombstone.segment < number && tombstone.segment > chain.segment {
            chain.skip(tombstone, &found)
        }
    }
}

/// Where the record stands, as its segments follow one another.
private struct Chain {
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
        if let key = found.key, head.key != key {
            found.add(place.number, "is signed by another key, \(head.key.text)")
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
        }
        tree = check.tree
        range = check.range
        segment = place.number
    }
}

extension Verification {
    fileprivate mutating func add(_ segment: Int?, _ what: String, entry: UInt64? = nil) {
        flaws.append(RecordFlaw(segment: segment, entry: entry, what: what))
    }

    fileprivate mutating func take(_ check: SegmentCheck) {
        flaws += check.flaws
        bytes += check.bytes
        checkpoints += check.checkpoints
        checkpoint = check.lastCheckpoint ?? checkpoint
        unsigned = check.unsigned
        sealed += check.sealed
        opened += check.opened
        if check.leftover {
            notes.append(
                "segment \(check.segment.number) ends in part of a line: being written, or cut "
                    + "short by a crash before it was acknowledged")
        }
    }
}

private func fileSize(_ path: String) -> Int? {
    (try? FileManager.default.attributesOfItem(atPath: path)[.size]) as? Int
}
