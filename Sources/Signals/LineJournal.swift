// LineJournal.swift: lines that are safe on the disk once they were appended.
//
// Each line begins with the first half of its SHA-256, so that one cut short by a crash is known.
// A cut tail had not been acknowledged and is dropped; anything else that does not read is an error.

internal import Glibc
internal import Synchronization
internal import Tokens

/// Why lines cannot be kept, for operators.
package struct LineJournalError: Error, Equatable, Sendable {
    package let path: String
    package let problem: String
    package let hint: String
}

/// A file of lines; every call may be made from any thread.
package final class LineJournal: Sendable {
    private struct State {
        var descriptor: Int32
        /// Bytes that are whole lines.
        var length: Int
        /// Whether what stands behind `length` could not be taken away.
        var isBroken = false
    }

    package let path: String
    private let state: Mutex<State>

    /// Bytes of a journal that is read.
    package static let bytesMax = 64 << 20
    /// Letters of a line's digest.
    private static let markLength = 22

    /// Opens or makes a journal, and gives its lines.
    ///
    /// - Parameters:
    ///   - folder: Made when there is none, 0700; the folder above it must exist.
    ///   - name: Of the file.
    /// - Returns: The journal, and what stands in it.
    /// - Throws: What is wrong with the file.
    package static func open(
        folder: String, name: String
    ) throws(LineJournalError) -> (journal: LineJournal, lines: [String]) {
        let path = folder + "/" + name
        // Safe because every name outlives the call that takes it, here and below.
        guard unsafe mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw failure(folder, "the folder cannot be made")
        }
        // What a rewriting that was stopped has left.
        unsafe unlink(path + ".new")
        let descriptor = unsafe Glibc.open(
            path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(path, "cannot be opened") }
        do throws(LineJournalError) {
            let bytes = try read(descriptor, path)
            let (lines, length) = try lines(of: bytes, path)
            if length < bytes.count {
                guard ftruncate(descriptor, length) == 0, fsync(descriptor) == 0 else {
                    throw failure(path, "a line cut short cannot be taken away")
                }
            }
            try sync(folder)
            return (LineJournal(path: path, descriptor: descriptor, length: length), lines)
        } catch {
            close(descriptor)
            throw error
        }
    }

    private init(path: String, descriptor: Int32, length: Int) {
        self.path = path
        state = Mutex(State(descriptor: descriptor, length: length))
    }

    deinit { state.withLock { _ = close($0.descriptor) } }

    /// Appends lines, and returns once they are safe; when it throws, none of them is there.
    package func append(_ lines: [String]) throws(LineJournalError) {
        let bytes = Self.bytes(of: lines)
        let path = self.path
        try state.withLock { state throws(LineJournalError) in
            guard !state.isBroken else {
                throw LineJournalError(
                    path: path, problem: "a failed write could not be taken back",
                    hint: "look at the disk, then restart the gate")
            }
            guard state.length + bytes.count <= Self.bytesMax else {
                throw LineJournalError(
                    path: path, problem: "is full", hint: "look at what waits in `herse status`")
            }
            guard Self.write(state.descriptor, bytes, at: state.length),
                fsync(state.descriptor) == 0
            else {
                let error = Self.failure(path, "cannot be written")
                if ftruncate(state.descriptor, state.length) != 0 || fsync(state.descriptor) != 0 {
                    state.isBroken = true
                }
                throw error
            }
            state.length += bytes.count
        }
    }

    /// Puts `lines` in place of all that is there, whole or not at all.
    package func replace(with lines: [String]) throws(LineJournalError) {
        let bytes = Self.bytes(of: lines)
        let path = self.path
        try state.withLock { state throws(LineJournalError) in
            let fresh = path + ".new"
            // Safe because both names outlive the calls that take them.
            unsafe unlink(fresh)
            let file = unsafe Glibc.open(
                fresh, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw Self.failure(fresh, "cannot be made") }
            guard Self.write(file, bytes, at: 0), fsync(file) == 0, unsafe rename(fresh, path) == 0
            else {
                let error = Self.failure(fresh, "cannot be written")
                close(file)
                unsafe unlink(fresh)
                throw error
            }
            close(state.descriptor)
            state = State(descriptor: file, length: bytes.count)
            try Self.sync(String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex)))
        }
    }

    /// Bytes of it.
    package var length: Int { state.withLock { $0.length } }

    private static func bytes(of lines: [String]) -> [UInt8] {
        lines.flatMap { Array("\(mark($0)) \($0)\n".utf8) }
    }

    private static func mark(_ line: String) -> String {
        encodeBase64URL(Array(sha256(line).prefix(16)))
    }

    private static func read(
        _ descriptor: Int32, _ path: String
    ) throws(LineJournalError) -> [UInt8] {
        var status = stat()
        // Safe because the result lives on the stack for the call.
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size <= bytesMax
        else {
            throw LineJournalError(path: path, problem: "is no journal", hint: "move it away")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw LineJournalError(
                path: path, problem: "others may read or write it", hint: "chmod 600")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { room in
                // Safe because filled < room.count, and at most the rest is written.
                unsafe pread(
                    descriptor, room.baseAddress.map { unsafe $0 + filled }, room.count - filled,
                    filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(path, "cannot be read") }
            filled += count
        }
        return bytes
    }

    /// The whole lines, and how many bytes they take; a last one cut short is left out.
    static func lines(
        of bytes: [UInt8], _ path: String
    ) throws(LineJournalError) -> (lines: [String], length: Int) {
        var lines: [String] = []
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let text = String(decoding: bytes[start..<end], as: UTF8.self)
            let line = String(text.dropFirst(markLength + 1))
            guard text.utf8.count > markLength, areSame("\(mark(line)) \(line)", text) else {
                // A crash may leave zeros, or other bytes, behind the last line that was safe.
                guard bytes[(end + 1)...].contains(UInt8(ascii: "\n")) else { break }
                throw LineJournalError(
                    path: path, problem: "line \(lines.count + 1) is damaged",
                    hint: "move the file away: what waits in it is lost")
            }
            lines.append(line)
            start = end + 1
        }
        return (lines, start)
    }

    private static func write(_ descriptor: Int32, _ bytes: [UInt8], at offset: Int) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { source in
                // Safe because done < source.count, and at most the rest is read.
                unsafe pwrite(
                    descriptor, source.baseAddress.map { unsafe $0 + done }, source.count - done,
                    offset + done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }

    private static func sync(_ folder: String) throws(LineJournalError) {
        // Safe because the name outlives the call.
        let handle = unsafe Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard handle >= 0 else { throw failure(folder, "cannot be opened") }
        defer { close(handle) }
        guard fsync(handle) == 0 else { throw failure(folder, "cannot be written") }
    }

    private static func failure(_ path: String, _ what: String) -> LineJournalError {
        let code = errno
        // Safe because the text is copied before another call can change it.
        let words = unsafe strerror(code).map { unsafe String(cString: $0).lowercased() }
        return LineJournalError(
            path: path, problem: "\(what): \(words ?? "error \(code)")",
            hint: "look at the disk; the gate's user must own the state folder")
    }
}
