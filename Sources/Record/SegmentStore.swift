// SegmentStore.swift: a segment file of the running gate.

internal import CSystem
internal import Glibc

/// A segment file of the running gate.
package struct SegmentStore: RecordStore {
    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    /// Opens the segment at `path`, made if there is none, and returns it with the bytes of
    /// entries it holds.
    ///
    /// What follows them is cut off: padding, and a line that a power cut tore, which was never
    /// acknowledged. A file that cannot be read to its end is refused and left as it is.
    package static func open(_ path: String) throws(RecordError) -> (SegmentStore, Int) {
        // Safe because the path outlives the call.
        let descriptor = unsafe herse_open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw .cannotOpen(path: path, code: errno) }
        do throws(SegmentDamage) {
            let store = SegmentStore(descriptor: descriptor)
            return (store, try store.trim())
        } catch {
            Glibc.close(descriptor)
            throw .cannotOpen(path: path, code: error.code)
        }
    }

    /// Makes an empty segment at `path`, where there is none.
    package static func make(_ path: String) throws(RecordError) -> SegmentStore {
        // Safe because the path outlives the call.
        let descriptor = unsafe herse_open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw .cannotOpen(path: path, code: errno) }
        return SegmentStore(descriptor: descriptor)
    }

    /// Cuts off what follows the entries, and gives their length.
    private func trim() throws(SegmentDamage) -> Int {
        var status = stat()
        // Safe because status lives on the stack for the call.
        guard unsafe fstat(descriptor, &status) == 0 else { throw SegmentDamage(code: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw SegmentDamage(code: EINVAL) }
        let size = Int(status.st_size)
        let end = try endOfEntries(size: size) { range throws(SegmentDamage) in
            try read(range)
        }
        if end.needsLineFeed {
            var lineFeed: UInt8 = 0x0A
            // Safe because one byte is written from a local.
            guard unsafe pwrite(descriptor, &lineFeed, 1, off_t(end.length - 1)) == 1 else {
                throw SegmentDamage(code: errno)
            }
        }
        guard end.length >= size || ftruncate(descriptor, off_t(end.length)) == 0,
            fsync(descriptor) == 0
        else { throw SegmentDamage(code: errno) }
        return end.length
    }

    private func read(_ range: Range<Int>) throws(SegmentDamage) -> [UInt8] {
        var failed: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: range.count) { room, filled in
            filled = 0
            while filled < range.count, let base = room.baseAddress {
                // Safe because filled stays below the count, the room that was asked for.
                let count = unsafe pread(
                    descriptor, base + filled, range.count - filled,
                    off_t(range.lowerBound + filled))
                if count < 0, errno == EINTR { continue }
                if count < 0 { failed = errno }
                if count <= 0 { break }
                filled += count
            }
        }
        guard failed == 0, bytes.count == range.count else {
            throw SegmentDamage(code: failed == 0 ? EIO : failed)
        }
        return bytes
    }

    package mutating func write(_ bytes: [UInt8], at offset: Int) throws(RecordError) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { source in
                // Safe because done < source.count.
                unsafe pwrite(
                    descriptor, source.baseAddress.map { unsafe $0 + done }, source.count - done,
                    off_t(offset + done))
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw .cannotWrite(code: errno)
            }
            if count == 0 { throw .cannotWrite(code: ENOSPC) }
            done += count
        }
    }

    package mutating func sync() throws(RecordError) {
        guard fdatasync(descriptor) == 0 else { throw .cannotSync(code: errno) }
    }

    package mutating func close(length: Int) {
        _ = ftruncate(descriptor, off_t(length))
        _ = fdatasync(descriptor)
        Glibc.close(descriptor)
    }

    package mutating func abandon() { Glibc.close(descriptor) }
}
