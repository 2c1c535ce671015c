// JournalFile.swift: the few things the journal asks of a disk, and the disk that does them.

import CSystem
import Glibc

/// A failed system call: which, on what, and the error number it left.
package struct SystemFailure: Error, Equatable {
    package let call: String
    package let path: String
    package let errno: Int32

    package init(_ call: String, _ path: String, errno: Int32) {
        self.call = call
        self.path = path
        self.errno = errno
    }
}

extension SystemFailure: CustomStringConvertible {
    package var description: String {
        // Safe because strerror answers a string for every number, copied at once.
        let text = unsafe strerror(errno).map { unsafe String(cString: $0) } ?? "error \(errno)"
        return "\(path): \(call): \(text)"
    }
}

/// A file as the journal uses it; a second implementation in the tests fails the n-th call.
package protocol JournalFile: ~Copyable {
    /// Everything the file holds.
    mutating func read() throws(SystemFailure) -> [UInt8]
    /// Writes all bytes at `offset`, which is the end; on error any part of them may be there.
    mutating func write(_ bytes: [UInt8], at offset: Int) throws(SystemFailure)
    /// Returns once everything written is on stable storage.
    mutating func sync() throws(SystemFailure)
    mutating func truncate(to length: Int) throws(SystemFailure)
    /// Writes what is to replace everything, durably, beside the file, which stays as it is.
    mutating func stage(_ bytes: [UInt8]) throws(SystemFailure)
    /// Replaces everything by what was staged, at once and durably; on error it is unknown which of
    /// the two the file holds after a crash.
    mutating func adoptStaged() throws(SystemFailure)
}

/// An open descriptor, closed when it goes out of scope.
struct Descriptor: ~Copyable {
    let number: Int32
    deinit { if number >= 0 { close(number) } }
}

/// The journal on a real disk, locked against every other process while this value lives.
package struct DiskJournalFile: ~Copyable, Sendable {
    private let path: String
    private let folder: Descriptor
    private let lock: Descriptor
    private var file: Descriptor
    private var staged: Descriptor

    package static let name = "neutralization.journal"
    static let lockName = "neutralization.lock"
    private static let stagedName = "neutralization.journal.new"

    /// Bytes of journal that are read at open: some ten million orders.
    private static let sizeMax = 1 << 30

    /// Opens the journal of a state folder, made empty if there is none; fails with
    /// `EWOULDBLOCK` of `flock` when another process has it.
    package init(stateFolder path: String) throws(SystemFailure) {
        let filePath = path + "/" + Self.name
        let folder = try openDescriptor(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, shown: path)
        // The lock is a file of its own: the journal is replaced by rename now and then, and a
        // lock on a file that has been replaced protects nothing.
        let lockPath = path + "/" + Self.lockName
        let lock = try openDescriptor(
            folder.number, Self.lockName, O_RDWR | O_CREAT | O_NOFOLLOW, shown: lockPath)
        guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else {
            throw SystemFailure("flock", lockPath, errno: errno)
        }
        let file = try openDescriptor(
            folder.number, Self.name, O_RDWR | O_CREAT | O_NOFOLLOW, shown: filePath)
        // The name of a file just made must survive a power cut as well as its bytes.
        guard fsync(folder.number) == 0 else {
            throw SystemFailure("fsync", path, errno: errno)
        }
        self.path = filePath
        self.folder = folder
        self.lock = lock
        self.file = file
        self.staged = Descriptor(number: -1)
    }

    private func failure(_ call: String) -> SystemFailure {
        SystemFailure(call, path, errno: errno)
    }
}

private func openDescriptor(
    _ folder: Int32, _ name: String, _ flags: Int32, shown: String
) throws(SystemFailure) -> Descriptor {
    // Safe because the name outlives the call.
    let number = unsafe herse_open_at(folder, name, flags, 0o600)
    guard number >= 0 else { throw SystemFailure("open", shown, errno: errno) }
    return Descriptor(number: number)
}

extension DiskJournalFile: JournalFile {
    package mutating func read() throws(SystemFailure) -> [UInt8] {
        var status = stat()
        // Safe because status lives on the stack for the call.
        guard unsafe fstat(file.number, &status) == 0 else { throw failure("stat") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SystemFailure("read", path, errno: EISDIR)
        }
        guard status.st_size <= Self.sizeMax else {
            throw SystemFailure("read", path, errno: EFBIG)
        }
        return try readAll(file.number, count: Int(status.st_size), path: path)
    }

    package mutating func write(_ bytes: [UInt8], at offset: Int) throws(SystemFailure) {
        try writeAll(bytes, to: file.number, at: offset)
    }

    package mutating func sync() throws(SystemFailure) {
        guard fdatasync(file.number) == 0 else { throw failure("fdatasync") }
    }

    package mutating func truncate(to length: Int) throws(SystemFailure) {
        guard ftruncate(file.number, off_t(length)) == 0 else { throw failure("ftruncate") }
    }

    package mutating func stage(_ bytes: [UInt8]) throws(SystemFailure) {
        // An older one may be left from a crash or a full disk.
        staged = try openDescriptor(
            folder.number, Self.stagedName, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, shown: path)
        do throws(SystemFailure) {
            try writeAll(bytes, to: staged.number, at: 0)
            guard fsync(staged.number) == 0 else { throw failure("fsync") }
        } catch {
            // Safe because the name outlives the call. It gives the room back to a full disk.
            _ = unsafe unlinkat(folder.number, Self.stagedName, 0)
            throw error
        }
    }

    package mutating func adoptStaged() throws(SystemFailure) {
        // Safe because both names outlive the call.
        let renamed = unsafe renameat(folder.number, Self.stagedName, folder.number, Self.name)
        guard renamed == 0 else { throw failure("rename") }
        swap(&file, &staged)
        guard fsync(folder.number) == 0 else { throw failure("fsync") }
    }

    private func writeAll(
        _ bytes: [UInt8], to descriptor: Int32, at offset: Int
    ) throws(SystemFailure) {
        var done = 0
        while done < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { source -> Int in
                guard let base = source.baseAddress else { return 0 }
                // Safe because done stays below the count of the bytes.
                return unsafe pwrite(
                    descriptor, base + done, source.count - done, off_t(offset + done))
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw failure("write") }
            done += written
        }
    }
}
