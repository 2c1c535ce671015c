// Segment.swift: the segment being written, and how the next one is found.

internal import CSystem
internal import Glibc

/// The segment being written: `record/000001.jsonl`, `000002.jsonl` and so on.
package struct Segment: Sendable {
    private var file: RecordFile<SegmentStore>
    private let store: SegmentStore
    package let number: Int

    /// Whether the next segment should begin.
    var isFull: Bool { file.length >= RecordLog.segmentBytesMax }

    /// Goes on with the last segment of `directory`, or begins the first.
    package static func last(in directory: String) throws(RecordError) -> Segment {
        try open(directory, number: max(1, lastNumber(in: directory)))
    }

    /// Begins a segment after all that stand in `directory`.
    static func next(in directory: String) throws(RecordError) -> Segment {
        let segment = try open(directory, number: lastNumber(in: directory) + 1)
        try syncDirectory(directory)
        return segment
    }

    private static func open(_ directory: String, number: Int) throws(RecordError) -> Segment {
        let digits = String(number)
        let name = String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".jsonl"
        let (store, length) = try SegmentStore.open(directory + "/" + name)
        try syncDirectory(directory)
        return Segment(
            file: RecordFile(store: store, length: length), store: store, number: number)
    }

    private static func lastNumber(in directory: String) -> Int {
        guard let listing = unsafe opendir(directory) else { return 0 }
        defer { unsafe closedir(listing) }
        var last = 0
        while let entry = unsafe readdir(listing) {
            // Safe because d_name is a terminated string inside the entry.
            let name = unsafe withUnsafePointer(to: entry.pointee.d_name) { start in
                unsafe start.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            guard name.hasSuffix(".jsonl"), let number = Int(name.dropLast(6)) else { continue }
            last = max(last, number)
        }
        return last
    }

    private static func syncDirectory(_ path: String) throws(RecordError) {
        let descriptor = unsafe herse_open(path, O_RDONLY | O_DIRECTORY, 0)
        guard descriptor >= 0 else { throw .cannotOpen(path: path, code: errno) }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .cannotSync(code: errno) }
    }

    /// Writes all batches after one another and commits them together.
    mutating func write(_ batches: [[UInt8]], durable: Bool) throws(RecordError) {
        var end = file.length
        for batch in batches where !batch.isEmpty {
            try file.write(batch, at: end)
            end += batch.count
        }
        try file.commit(end: end, durable: durable)
    }

    func close() { store.close(length: file.length) }
}
