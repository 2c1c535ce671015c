// SegmentStore.swift: a segment file of the running gate.

internal import CSystem
internal import Glibc

/// A segment file of the running gate.
package struct SegmentStore: RecordStore {
    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    /// Makes an empty segment at `path`, where there is none.
    package static func make(_ path: String) throws(RecordError) -> SegmentStore {
        // Safe because the path outlives the call.
        let descriptor = unsafe herse_open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw .cannotOpen(path: path, code: errno) }
        return SegmentStore(descriptor: descriptor)
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

    package mutating func close(length: Int) -> Bool {
        let isCut = ftruncate(descriptor, off_t(length)) == 0
        let isDurable = fdatasync(descriptor) == 0
        Glibc.close(descriptor)
        return isCut && isDurable
    }

    package mutating func abandon() { Glibc.close(descriptor) }
}
