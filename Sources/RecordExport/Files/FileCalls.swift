// FileCalls.swift: the system calls that keep files whole.

internal import CSystem
internal import Foundation

/// Writes all bytes; false, and `errno` says why, when that cannot be.
func writeWhole(_ file: Int32, _ bytes: [UInt8]) -> Bool {
    var done = 0
    while done < bytes.count {
        let count = unsafe bytes.withUnsafeBytes { source in
            // Safe because done < source.count, and at most the rest is read.
            unsafe write(file, source.baseAddress.map { unsafe $0 + done }, source.count - done)
        }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        done += count
    }
    return true
}

/// Makes the name of a file in its folder survive a power cut.
@discardableResult
func syncFolder(of path: String) -> Bool {
    // Safe because the path outlives the call.
    let folder = unsafe herse_open(folder(of: path), O_RDONLY | O_DIRECTORY, 0)
    guard folder >= 0 else { return false }
    defer { close(folder) }
    return fsync(folder) == 0
}

private func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// Removes a file, or a folder with all in it.
func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

/// What the system calls an error, in lower case.
func systemText(_ code: Int32) -> String {
    // Safe because the text is copied before another call can change it.
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text).lowercased()
}
