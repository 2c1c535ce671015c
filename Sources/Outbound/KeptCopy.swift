// KeptCopy.swift: the last good copy of something fetched, kept in a file over a restart.

internal import Glibc

/// A file of the state folder that holds what an address gave last, and when.
///
/// Whoever may write to the folder decides what is believed after a restart: it is the gate's own,
/// as the one of its keys.
package struct KeptCopy: Sendable {
    /// What was fetched, and when.
    package struct Contents: Equatable, Sendable {
        /// Seconds since 1970.
        package var fetchedAt: Int64
        package var bytes: [UInt8]

        package init(fetchedAt: Int64, bytes: [UInt8]) {
            self.fetchedAt = fetchedAt
            self.bytes = bytes
        }
    }

    package let path: String
    private let folder: String
    /// Where it came from: a copy from elsewhere is none.
    private let origin: String
    private let bytesMax: Int

    /// Seconds by which a copy may seem to come from the future.
    private static let skew: Int64 = 300
    private static let mark = "herse-kept 1"

    /// - Parameters:
    ///   - folder: Made when there is none, 0700; the folder above it must exist.
    ///   - name: Of the file; letters, digits, `.`, `-` and `_`.
    ///   - origin: The address, or whatever else tells one configuration from another; one line.
    ///   - bytesMax: Bytes that are read back.
    package init(folder: String, name: String, origin: String, bytesMax: Int) {
        self.folder = folder
        path = folder + "/" + name
        self.origin = String(origin.prefix(4096).filter { !$0.isNewline })
        self.bytesMax = bytesMax
    }

    /// What is there; nil when there is nothing, or nothing that can be believed: cut short, from
    /// another origin or the future, or in a file that others may write to.
    package func read(now: Int64) -> Contents? {
        // Safe because the name outlives the call.
        let file = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        // Safe because the result lives on the stack for the call.
        guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_mode & 0o022 == 0, status.st_size <= bytesMax + 8192
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { room in
                // Safe because filled < room.count, and at most the rest is written.
                unsafe Glibc.read(
                    file, room.baseAddress.map { unsafe $0 + filled }, room.count - filled)
            }
            guard count > 0 else { return nil }
            filled += count
        }
        return parse(bytes, now: now)
    }

    /// Four lines, and behind them the bytes: the mark, the origin, the time, how many.
    private func parse(_ bytes: [UInt8], now: Int64) -> Contents? {
        var rest = bytes[...]
        func line() -> String? {
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            let text = String(decoding: rest[..<end], as: UTF8.self)
            rest = rest[(end + 1)...]
            return text
        }
        guard line() == Self.mark, let from = line(), from.utf8.elementsEqual(origin.utf8),
            let fetchedAt = line().flatMap({ Int64($0) }), let count = line().flatMap({ Int($0) }),
            count == rest.count, count <= bytesMax, fetchedAt >= 0, now >= 0,
            // One from the future would be believed for longer than it may.
            fetchedAt <= now || fetchedAt - now <= Self.skew
        else { return nil }
        return Contents(fetchedAt: min(fetchedAt, now), bytes: Array(rest))
    }

    /// Replaces what is there, whole or not at all; the problem in words when that fails.
    package func write(_ contents: Contents) -> String? {
        // Safe because every name outlives the call that takes it, here and below.
        guard unsafe mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            return "\(folder): the folder cannot be made: \(errorText(errno))"
        }
        let head = "\(Self.mark)\n\(origin)\n\(contents.fetchedAt)\n\(contents.bytes.count)\n"
        let fresh = path + ".new"
        // One may be left by a process that was stopped.
        unsafe unlink(fresh)
        let file = unsafe open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { return "\(path): cannot be written: \(errorText(errno))" }
        var code: Int32 = 0
        if !writeAll(file, Array(head.utf8)) || !writeAll(file, contents.bytes)
            || fsync(file) != 0
        {
            code = errno
        }
        close(file)
        if code == 0 {
            if unsafe rename(fresh, path) == 0 {
                syncFolder()
                return nil
            }
            code = errno
        }
        unsafe unlink(fresh)
        return "\(path): cannot be written: \(errorText(code))"
    }

    /// A copy that a crash takes back is fetched again: nothing depends on it.
    private func syncFolder() {
        // Safe because the name outlives the call.
        let handle = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard handle >= 0 else { return }
        fsync(handle)
        close(handle)
    }
}

/// Writes all bytes to a file; false, and `errno` says why, when that cannot be.
package func writeAll(_ file: Int32, _ bytes: [UInt8]) -> Bool {
    var done = 0
    while done < bytes.count {
        let count = unsafe bytes.withUnsafeBytes { source in
            // Safe because done < source.count, and at most the rest is read.
            unsafe Glibc.write(
                file, source.baseAddress.map { unsafe $0 + done }, source.count - done)
        }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        done += count
    }
    return true
}

/// What the system calls an error, in lower case.
func errorText(_ code: Int32) -> String {
    // Safe because the text is copied before another call can change it.
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text).lowercased()
}
