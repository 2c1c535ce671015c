// SegmentResuming.swift: where a gate that starts goes on with the record it finds.

internal import Glibc
internal import Transparency

extension SegmentChain where Folder == SegmentFolder {
    /// Goes on after the last segment of `directory`; nothing that is there is changed, but for
    /// segments in which nothing was ever acknowledged.
    ///
    /// A segment that cannot be read to its end is refused and left as it is.
    package static func last(
        in directory: String, _ terms: RecordTerms
    ) throws(RecordError) -> Segment {
        let folder = SegmentFolder(directory)
        for number in try folder.numbers(.segments).reversed() {
            let path = folder.file(number)
            try mustBeFile(path)
            let scan = try SegmentScan(path: path)
            if scan.isBlank {
                // Safe because the name outlives the call.
                _ = unsafe unlink(path)
                continue
            }
            if scan.bytes == 0 {
                // The head was being written: put aside, since nobody gives back what is deleted.
                _ = unsafe rename(path, folder.file(number, ".torn"))
                continue
            }
            let ending = SegmentEnding(
                segment: number, range: scan.range, bytes: scan.bytes,
                manner: scan.head == nil
                    ? .untold : scan.isSigned && !scan.hasMore ? .whole : .crash)
            return Segment(folder: folder, terms: terms, tree: scan.tree, previous: ending)
        }
        return Segment(folder: folder, terms: terms)
    }

    private static func mustBeFile(_ path: String) throws(RecordError) {
        var status = stat()
        // Safe because status lives on the stack for the call.
        guard unsafe lstat(path, &status) == 0 else { throw .cannotOpen(path: path, code: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .damaged(path: path, what: "is no ordinary file")
        }
    }
}
