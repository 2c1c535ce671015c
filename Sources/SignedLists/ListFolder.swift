// ListFolder.swift: what is kept of lists over a restart, whole or not at all.
//
// INVARIANT: a list that was accepted is there after a crash, with its sequence: were it not, an
// earlier one could be played back.

internal import CSystem
internal import Glibc
internal import Outbound

/// The folder of the state in which lists and trusted keys are kept.
package struct ListFolder: Equatable, Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    /// Bytes that are read back.
    static let bytesMax = 1 << 30

    /// A file's bytes; nil when there is none.
    func read(_ name: String) throws(ListRefusal) -> [UInt8]? {
        let path = self.path + "/" + name
        // Safe because the path outlives the call.
        let file = unsafe herse_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw .notKept("\(path): \(errorText(errno))")
        }
        defer { close(file) }
        var status = stat()
        // Safe because the result lives on the stack for the call.
        guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size <= Self.bytesMax
        else { throw .notKept("\(path): is not a file of the gate's") }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { room in
                // Safe because filled < room.count, and at most the rest is written.
                unsafe Glibc.read(
                    file, room.baseAddress.map { unsafe $0 + filled }, room.count - filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .notKept("\(path): \(errorText(errno))") }
            filled += count
        }
        return bytes
    }

    /// Replaces a file, durably.
    func write(_ name: String, _ parts: [[UInt8]]) throws(ListRefusal) {
        let target = path + "/" + name
        let fresh = target + ".new"
        // Safe because every name outlives the call that takes it.
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw .notKept("\(path): \(errorText(errno))")
        }
        unsafe unlink(fresh)
        let file = unsafe herse_open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw .notKept("\(fresh): \(errorText(errno))") }
        var code: Int32 = 0
        for part in parts where code == 0 && !writeAll(file, part) { code = errno }
        if code == 0, fsync(file) != 0 { code = errno }
        close(file)
        if code == 0, unsafe rename(fresh, target) != 0 { code = errno }
        if code == 0 { code = syncFolder() }
        guard code == 0 else {
            unsafe unlink(fresh)
            throw .notKept("\(target): \(errorText(code))")
        }
    }

    private func syncFolder() -> Int32 {
        // Safe because the path outlives the call.
        let handle = unsafe herse_open(path, O_RDONLY | O_DIRECTORY, 0)
        guard handle >= 0 else { return errno }
        defer { close(handle) }
        return fsync(handle) == 0 ? 0 : errno
    }
}

private func errorText(_ code: Int32) -> String {
    // Safe because the text is copied before another call can change it.
    unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
}
