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
    /// The last segment that is taken as it is though nothing signs it.
    private let unsignedThrough: Int

    /// What the gate keeps beside the segments; nil when there is nothing that can be read.
    private let kept: [UInt8]?
    private let isKept: Bool
    private static let keptName = "the file `checkpoint`"

    /// Opens the record in `folder`, which may be written meanwhile.
    ///
    /// Segments without a head are those of a gate before 0.2, or had theirs taken away, which only
    /// the operator can tell apart: up to `unsignedThrough` they are no flaw.
    package init(
        folder path: String, auditorKeys: [AuditorKey] = [], keys: [NoteVerifier] = [],
        witnessed: [WitnessedCheckpoint] = [], unsignedThrough: Int = -1
    ) throws(RecordReadingError) {
        self.unsignedThrough = unsignedThrough
        // Before the segments: what is read after it holds all that it speaks of.
        kept = smallFile(path + "/checkpoint", bytesMax: SignedNote.lengthMax)
        isKept = FileManager.default.fileExists(atPath: path + "/checkpoint")
        if isKept, kept == nil, !FileManager.default.isReadableFile(atPath: path + "/checkpoint") {
            throw RecordReadingError("\(path)/checkpoint: Permission denied", hint: refusedHint)
        }
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
        var chain = RecordChain()
        let told = reader.segments.filter { $0.head != nil }
        let torn = try tornSegment(&found)
        found.key = told.last?.head?.key
        found.origin = told.last?.head?.origin ?? ""
        seeUntold(told.first?.head, torn, &found)
        believe(&found)
        let tombstones = try readTombstones(&found)
        let witnessed =
            try ours(&found) + setAside(&found)
            + (ownCheckpoint(&found).map { [$0] } ?? [])
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
                segment, begins: head.tree,
                key: found.believes(head.key) ? head.key : found.key ?? head.key,
                known: known,
                opener: segment.key == nil ? nil : EntryOpener())
            guard try check.run(progress) else { return found }
            found.take(check)
            chain.end(check, segment, following?.head, &found)
        }
        found.size = chain.tree.end
        found.root = chain.tree.root
        found.segments = reader.segments.count
        if kept == nil { missKept(&found) }
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

    /// Segments without a head: those of a gate before 0.2 stand before all others, whose first
    /// head says so.
    private func seeUntold(
        _ first: SegmentHead?, _ torn: Int?, _ found: inout Verification
    ) {
        found.untold = reader.segments.filter { $0.head == nil && $0.number != torn }.map(\.number)
        guard let first else {
            if !found.untold.isEmpty {
                found.add(nil, "no segment has a head: nothing in them is signed", entry: 0)
            } else if torn != nil {
                found.add(nil, "there is not one whole entry: nothing can be proven")
            }
            return
        }
        // `000000` is a name as well.
        var last = -1
        if let before = first.previous, before.manner == .untold { last = before.segment }
        for number in found.untold {
            if number > last {
                found.add(number, "segment \(number) has no head")
            } else if number > unsignedThrough {
                found.add(
                    number,
                    "nothing signs segment \(number): it is of a gate before 0.2, or its head was "
                        + "taken away")
            }
        }
        found.untold.removeAll { $0 > last }
    }

    private func believe(_ found: inout Verification) {
        guard let key = found.key else { return }
        found.believed = keys.isEmpty ? [key] : keys
        guard !found.believes(key) else { return }
        found.add(nil, "the record is signed by \(key.text), which is not the key given")
        found.key = keys.first { $0.name == key.name } ?? keys[0]
    }

    /// What witnesses saw of this record; of others, whatever came before it under another name,
    /// they may have seen something as well.
    private func ours(_ found: inout Verification) -> [WitnessedCheckpoint] {
        guard found.key != nil else { return witnessed }
        let ours = witnessed.filter { $0.checkpoint.origin == found.origin }
        for source in Set(witnessed.map(\.source)).sorted() {
            let others = Set(
                witnessed.filter { $0.source == source }.map(\.checkpoint.origin)
            ).subtracting([found.origin]).sorted()
            guard !others.isEmpty else { continue }
            let names = others.joined(separator: ", ")
            if ours.contains(where: { $0.source == source }) {
                found.notes.append("\(source) also saw checkpoints of \(names)")
            } else {
                found.add(nil, "\(source) saw nothing of this record, but of \(names)")
            }
        }
        return ours
    }

    private func accept(_ one: WitnessedCheckpoint, _ found: inout Verification) {
        guard found.key != nil else { return }
        if !found.isSigned(one.note, as: one.checkpoint.origin) {
            found.add(nil, "\(one.source): is not a checkpoint that this gate signed")
        }
    }

    /// Checkpoints that a start found to speak of more than there was.
    private func setAside(
        _ found: inout Verification
    ) throws(RecordReadingError) -> [WitnessedCheckpoint] {
        try numbers(.cut).compactMap { size in
            let path = folder.file(size, ".cut")
            guard let bytes = smallFile(path, bytesMax: SignedNote.lengthMax),
                let note = SignedNote(String(decoding: bytes, as: UTF8.self)),
                let one = WitnessedCheckpoint(source: "`\(path)`", note: note)
            else {
                found.add(nil, "`\(path)` is no checkpoint")
                return nil
            }
            return one
        }
    }

    /// The newest checkpoint as the gate keeps it beside the segments.
    private func ownCheckpoint(_ found: inout Verification) -> WitnessedCheckpoint? {
        guard found.key != nil else { return nil }
        guard let kept else { return nil }
        guard let note = SignedNote(String(decoding: kept, as: UTF8.self)),
            let one = WitnessedCheckpoint(source: Self.keptName, note: note)
        else {
            found.add(nil, "\(Self.keptName) is no checkpoint")
            return nil
        }
        return one
    }

    /// Without what is kept beside the segments, a record that was cut looks like a shorter one.
    private func missKept(_ found: inout Verification) {
        guard found.key != nil else { return }
        let wasSigned =
            found.checkpoints > 0 || !found.purged.isEmpty
            || reader.segments.contains { $0.bytes != nil }
        if isKept {
            found.add(nil, "\(Self.keptName) is no checkpoint")
        } else if !wasSigned {
            found.notes.append("there is no file `checkpoint`: nothing was signed yet")
        } else if witnessed.isEmpty {
            found.add(nil, "\(Self.keptName) is missing: a cut tail could not be seen")
        } else {
            found.notes.append(
                "\(Self.keptName) is missing: a tail that no witness saw could have been cut")
        }
    }

    private func seeTail(
        _ witnessed: [WitnessedCheckpoint], _ chain: RecordChain, _ found: inout Verification
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
            }
        }
        seeUncompared(witnessed, chain, &found)
    }

    /// Checkpoints that end in purged segments, whose roots nobody can derive any more.
    private func seeUncompared(
        _ witnessed: [WitnessedCheckpoint], _ chain: RecordChain, _ found: inout Verification
    ) {
        var sources: [String] = []
        for one in witnessed where !sources.contains(one.source) { sources.append(one.source) }
        for source in sources {
            let sizes = witnessed.filter { $0.source == source }.map(\.checkpoint.size)
            let uncompared = sizes.filter { $0 <= chain.tree.end && !chain.met.contains($0) }
            guard let newest = uncompared.max() else { continue }
            // Whoever owns the gate's key could purge what a witness would contradict.
            if uncompared.count == sizes.count, source != Self.keptName {
                found.add(
                    nil,
                    "nothing that \(source) saw can be compared: its \(newest) entries end in a "
                        + "purged segment")
            } else {
                found.notes.append(
                    "\(source): its \(newest) entries end in a purged segment and cannot be "
                        + "compared")
            }
        }
    }

    // MARK: What was purged

    private func readTombstones(
        _ found: inout Verification
    ) throws(RecordReadingError) -> [Tombstone] {
        var tombstones: [Tombstone] = []
        for number in try numbers(.purged) {
            let path = folder.file(number, ".purged")
            guard let data = smallFile(path, bytesMax: Tombstone.lengthMax),
                let note = SignedNote(String(decoding: data, as: UTF8.self)),
                let tombstone = Tombstone(note.text), tombstone.segment == number,
                found.isSigned(note, as: tombstone.origin)
            else {
                found.add(number, "the proof of its purge is not one that this gate signed")
                continue
            }
            tombstones.append(tombstone)
        }
        return tombstones
    }

    private func numbers(_ kind: SegmentFolder.Kind) throws(RecordReadingError) -> [Int] {
        do throws(RecordError) {
            return try folder.numbers(kind)
        } catch {
            throw RecordReadingError(error.message, hint: "can this user read the folder?")
        }
    }

    /// Takes the purged segments that stood before `number`.
    private func bury(
        _ tombstones: [Tombstone], before number: Int, _ chain: inout RecordChain,
        _ found: inout Verification
    ) {
        for tombstone in tombstones
        where tombstone.segment < number && tombstone.segment > chain.segment {
            chain.skip(tombstone, &found)
        }
    }
}

extension Verification {
    func believes(_ key: NoteVerifier) -> Bool { believed.contains(key) }

    /// Whether a key that is believed signed `note` in the name of `origin`.
    fileprivate func isSigned(_ note: SignedNote, as origin: String) -> Bool {
        believed.contains { $0.name == origin && note.isSigned(by: $0) }
    }

    fileprivate mutating func take(_ check: SegmentCheck) {
        flaws += check.flaws
        bytes += check.bytes
        checkpoints += check.checkpoints
        checkpoint = check.lastCheckpoint ?? checkpoint
        // A segment without a checkpoint leaves those before it unsigned, too.
        unsigned = check.checkpoints == 0 ? unsigned + check.unsigned : check.unsigned
        sealed += check.sealed
        opened += check.opened
        if check.leftover {
            notes.append(
                "segment \(check.segment.number) ends in part of a line: being written, or cut "
                    + "short by a crash before it was acknowledged")
        }
    }
}
