// SegmentResuming.swift: where a gate that starts goes on with the record it finds.

internal import Glibc
internal import Transparency

extension SegmentChain where Folder == SegmentFolder {
    /// Goes on after the last segment of `directory`; nothing that is there is changed, but for
    /// segments in which nothing was ever acknowledged.
    ///
    /// A segment that cannot be read to its end is refused and left as it is. Whatever is other
    /// than a clean stop leaves it is told to `say`, one line each.
    package static func last(
        in directory: String, _ terms: RecordTerms, say: (String) -> Void = { _ in }
    ) throws(RecordError) -> Segment {
        let folder = SegmentFolder(directory)
        var chain = try lastWhole(in: folder, terms, say)
        try setAsideCheckpoint(directory, folder, ends: chain.size)
        let cut = try folder.numbers(.cut)
        if let size = cut.last {
            let loss =
                "its end was cut: entries up to \(size) were signed; `\(folder.file(size, ".cut"))` "
                + "holds the proof"
            say(loss)
            chain.loss = loss
        }
        return chain
    }

    /// Keeps a checkpoint that speaks of more entries than there are where the next does not take
    /// its place: it is all that tells of a tail that was cut while the gate was down.
    private static func setAsideCheckpoint(
        _ directory: String, _ folder: SegmentFolder, ends end: UInt64
    ) throws(RecordError) {
        let kept = directory + "/checkpoint"
        guard let bytes = smallFile(kept, bytesMax: SignedNote.lengthMax),
            let note = SignedNote(String(decoding: bytes, as: UTF8.self)),
            let size = Checkpoint(note.text)?.size, size > end, let number = Int(exactly: size)
        else { return }
        // Safe because both names outlive the call.
        guard unsafe rename(kept, folder.file(number, ".cut")) == 0 else {
            throw .cannotOpen(path: kept, code: errno)
        }
        try folder.sync()
    }

    private static func lastWhole(
        in folder: SegmentFolder, _ terms: RecordTerms, _ say: (String) -> Void
    ) throws(RecordError) -> Segment {
        for number in try folder.numbers(.segments).reversed() {
            let path = folder.file(number)
            let size = try fileSize(path)
            let scan = try SegmentScan(path: path)
            if scan.isBlank {
                // Safe because the name outlives the call.
                _ = unsafe unlink(path)
                say("segment \(number) is blank: removed")
                continue
            }
            if scan.bytes == 0 {
                // The head was being written: put aside, since nobody gives back what is deleted.
                let aside = folder.file(number, ".torn")
                guard unsafe rename(path, aside) == 0 else {
                    throw .cannotOpen(path: path, code: errno)
                }
                say("segment \(number) has not one whole line: put aside as `\(aside)`")
                continue
            }
            let ending = SegmentEnding(
                segment: number, range: scan.range, bytes: scan.bytes,
                // A clean stop leaves no room behind the last checkpoint.
                manner: scan.head == nil
                    ? .untold : scan.isSigned && scan.bytes == size ? .whole : .crash)
            if ending.manner == .untold {
                say(
                    "nothing signs segment \(number): a gate before 0.2 wrote it, or its head was "
                        + "taken away")
            } else if ending.manner == .crash || scan.hasMore {
                say(found(ending, scan))
            }
            return Segment(folder: folder, terms: terms, tree: scan.tree, previous: ending)
        }
        return Segment(folder: folder, terms: terms)
    }

    /// What a crash left, in words for the operator.
    private static func found(_ ending: SegmentEnding, _ scan: SegmentScan) -> String {
        let what = "segment \(ending.segment) was not closed: its first \(ending.bytes) bytes count"
        return scan.hasMore
            ? what + "; what follows was being written, does not count, and is left there"
            : what + ", and nothing follows them"
    }

    /// Bytes of the segment at `path`, which must be an ordinary file.
    private static func fileSize(_ path: String) throws(RecordError) -> Int {
        var status = stat()
        // Safe because status lives on the stack for the call.
        guard unsafe lstat(path, &status) == 0 else { throw .cannotOpen(path: path, code: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .damaged(path: path, what: "is no ordinary file")
        }
        return Int(status.st_size)
    }
}
