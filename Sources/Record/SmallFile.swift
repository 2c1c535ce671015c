// SmallFile.swift: files beside the segments, which anybody may have made longer than they are.

internal import CSystem
internal import Glibc

/// The bytes of a file that should be small; nil when it is not, or cannot be read.
///
/// A link is not followed, and a pipe not waited for.
package func smallFile(_ path: String, bytesMax: Int) -> [UInt8]? {
    // Safe because the path outlives the call.
    let file = unsafe herse_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0)
    guard file >= 0 else { return nil }
    defer { close(file) }
    guard let bytes = firstBytes(of: file, bytesMax + 1), bytes.count <= bytesMax else {
        return nil
    }
    return bytes
}

/// What can be read from `descriptor`, `bytesMax` bytes at most; nil when it cannot.
package func firstBytes(of descriptor: Int32, _ bytesMax: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: bytesMax)
    var filled = 0
    while filled < bytes.count {
        let count = unsafe bytes.withUnsafeMutableBytes { room in
            // Safe because what is filled lies between `filled` and the end of the array.
            unsafe read(
                descriptor, room.baseAddress.map { unsafe $0 + filled }, room.count - filled)
        }
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { return nil }
        if count == 0 { break }
        filled += count
    }
    return Array(bytes[..<filled])
}
