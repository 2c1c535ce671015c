// SegmentChain.swift: the segment being written, and the one that follows it.
//
// INVARIANT: after a sync that failed, nothing more is ever written to that segment or
// acknowledged in it; the next commit begins another.

internal import CSystem
internal import Glibc

/// Where segments are made; the tests have one whose n-th call fails.
package protocol RecordFolder: Sendable {
    associatedtype Store: RecordStore
    /// Makes an empty segment after all there are; on error there is none more.
    mutating func next() throws(RecordError) -> Store
}

/// The segments of a record, of which the last is being written.
package struct SegmentChain<Folder: RecordFolder>: Sendable {
    private var folder: Folder
    /// Nil after a sync that failed, until another segment could be made.
    private var file: RecordFile<Folder.Store>?
    /// Bytes after which the next segment begins.
    private let segmentBytesMax: Int
    private let stride: Int

    package init(
        folder: Folder, file: RecordFile<Folder.Store>?,
        segmentBytesMax: Int = RecordLog.segmentBytesMax, stride: Int = recordStride
    ) {
        self.stride = stride
        self.folder = folder
        self.file = file
        self.segmentBytesMax = segmentBytesMax
    }

    /// Writes all batches after one another and commits them together; on error none counts.
    mutating func commit(_ batches: [[UInt8]], durable: Bool) throws(RecordError) {
        if (file?.length ?? .max) >= segmentBytesMax {
            let next = try folder.next()
            file?.close()
            file = RecordFile(store: next, length: 0, stride: stride)
        }
        do {
            try file?.commit(batches, durable: durable)
        } catch {
            if case .cannotSync = error {
                file?.abandon()
                file = nil
            }
            throw error
        }
    }

    mutating func close() {
        file?.close()
        file = nil
    }
}

/// The segments of the running gate: `record/000001.jsonl`, `000002.jsonl` and so on.
package typealias Segment = SegmentChain<SegmentFolder>

extension SegmentChain where Folder == SegmentFolder {
    /// Goes on with the last segment of `directory`, or begins the first.
    package static func last(in directory: String) throws(RecordError) -> Segment {
        var folder = SegmentFolder(directory)
        guard let path = try folder.lastPath() else {
            return Segment(folder: folder, file: RecordFile(store: try folder.next(), length: 0))
        }
        let (store, length) = try SegmentStore.open(path)
        return Segment(folder: folder, file: RecordFile(store: store, length: length))
    }
}

/// The folder of the record.
package struct SegmentFolder: RecordFolder {
    private let path: String

    package init(_ path: String) { self.path = path }

    package mutating func next() throws(RecordError) -> SegmentStore {
        let segment = name(try lastNumber() + 1)
        var store = try SegmentStore.make(segment)
        do throws(RecordError) {
            // The name of a file just made must survive a power cut as well as its bytes.
            try sync()
        } catch {
            store.abandon()
            // Safe because the name outlives the call. A disk that stays broken is tried again
            // with every commit: it must not fill with empty segments.
            _ = unsafe unlink(segment)
            throw error
        }
        return store
    }

    /// The path of the segment with the highest number; nil when there is none.
    func lastPath() throws(RecordError) -> String? {
        let number = try lastNumber()
        return number == 0 ? nil : name(number)
    }

    private func name(_ number: Int) -> String {
        let digits = String(number)
        return path + "/" + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
            + ".jsonl"
    }

    /// A folder that cannot be read is an error, not an empty one: 000001 would be written again.
    private func lastNumber() throws(RecordError) -> Int {
        // Safe because the path outlives the call, and the listing is closed below.
        guard let listing = unsafe opendir(path) else {
            throw .cannotOpen(path: path, code: errno)
        }
        defer { unsafe closedir(listing) }
        var last = 0
        while true {
            errno = 0
            guard let entry = unsafe readdir(listing) else { break }
            // Safe because d_name is a terminated string inside the entry.
            let name = unsafe withUnsafePointer(to: entry.pointee.d_name) { start in
                unsafe start.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            last = max(last, number(name) ?? 0)
        }
        guard errno == 0 else { throw .cannotOpen(path: path, code: errno) }
        return last
    }

    /// The number of a segment's name: six digits, or a few more when six no longer do.
    private func number(_ name: String) -> Int? {
        guard name.hasSuffix(".jsonl") else { return nil }
        let digits = name.dropLast(6)
        guard (6...15).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits),
            self.name(number).hasSuffix("/" + name)
        else { return nil }
        return number
    }

    private func sync() throws(RecordError) {
        // Safe because the path outlives the call.
        let descriptor = unsafe herse_open(path, O_RDONLY | O_DIRECTORY, 0)
        guard descriptor >= 0 else { throw .cannotOpen(path: path, code: errno) }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .cannotOpen(path: path, code: errno) }
    }
}
