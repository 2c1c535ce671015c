// GrantJournal.swift: every grant, on stable storage before it is in force.
//
// INVARIANT: a grant whose `append` returned is there after every later open, until it has ended.
// One whose `append` threw may or may not be: the caller says so and the administrator repeats it.
//
// Grants are appended in place. What has ended is dropped at open, by writing a new file that takes
// the old one's name.

import Glibc

/// Why the journal of grants cannot be used, or a grant was not kept.
package enum GrantJournalError: Error, Equatable {
    /// Another process holds the lock of this state folder.
    case inUse(path: String)
    case system(call: String, path: String, errno: Int32)
    /// Not a journal of grants, or one of another version.
    case notAJournal(path: String)
    /// Damaged at this byte, and not in the way a crash leaves it.
    case damaged(path: String, offset: Int, fault: GrantLineFault)
    /// Nothing to add, too much, for too long, or with a text that is empty or too long.
    case outOfBounds
    /// As many grants are in force as are kept.
    case tooMany
    /// It is unknown what reached the disk; nothing more is accepted until the journal is reopened.
    case broken(path: String)
}

extension GrantJournalError {
    /// What is wrong, for a person.
    package var message: String {
        switch self {
        case .inUse(let path): "\(path): another gate is using this state folder"
        case .system(let call, let path, let errno):
            LimitTableError.system(call: call, path: path, errno: errno).message
        case .notAJournal(let path): "\(path): not a journal of grants, or of another version"
        case .damaged(let path, let offset, .check):
            "\(path):\(offset): damaged: checksum does not match"
        case .damaged(let path, let offset, .number(let expected)):
            "\(path):\(offset): damaged: line number \(expected) is missing"
        case .damaged(let path, let offset, .content):
            "\(path):\(offset): a line that this version does not understand"
        case .outOfBounds:
            "a grant adds 1 to \(Grant.extraMax), for 30 days at most, "
                + "with texts of 1 to \(Grant.textMax) bytes"
        case .tooMany: "\(GrantJournal.grantsMax) grants are in force already"
        case .broken(let path): "\(path): not known to be kept"
        }
    }

    /// What to do about it.
    package var hint: String {
        switch self {
        case .inUse: "stop the other `herse serve`, or give this one its own `state`"
        case .system: "the state folder must be readable and writable by the gate alone"
        case .notAJournal, .damaged:
            "move the file away: a new one is made, and every grant has to be given again"
        case .outOfBounds: "raise the limit itself if the need lasts"
        case .tooMany: "wait until some have ended, or raise the limits"
        case .broken: "see to the disk and start the gate anew, then `herse limits show`"
        }
    }
}

/// The one writer of the journal, locked against every other process while this value lives.
package struct GrantJournal: ~Copyable, Sendable {
    private let path: String
    private let folder: TableDescriptor
    private let lock: TableDescriptor
    private var file: TableDescriptor
    private var length: Int
    private var lines: UInt64
    private var isBroken = false
    /// Grants that had not ended when they were last looked at, in the order they were given.
    package private(set) var grants: [Grant]
    /// Bytes of a grant that a crash cut short, and that were dropped; it was not acknowledged.
    package let tornBytes: Int

    package static let name = "grants.journal"
    package static let grantsMax = 10_000
    private static let lockName = "grants.lock"
    private static let freshName = "grants.journal.new"
    private static let sizeMax = 1 << 28

    /// Opens the journal of a state folder, made if there is none; repairs its end, and drops what
    /// has ended.
    package static func open(
        stateFolder: String, now: LimitTime
    ) throws(GrantJournalError) -> GrantJournal {
        var journal = try GrantJournal(stateFolder: stateFolder, now: now)
        if journal.lines != UInt64(journal.grants.count) || journal.tornBytes > 0
            || journal.length == 0
        {
            try journal.rewrite()
        }
        return journal
    }

    private init(stateFolder: String, now: LimitTime) throws(GrantJournalError) {
        let path = stateFolder + "/" + Self.name
        let lockPath = stateFolder + "/" + Self.lockName
        let folder = try opened(AT_FDCWD, stateFolder, O_RDONLY | O_DIRECTORY, stateFolder)
        let lock = try opened(
            folder.number, Self.lockName, O_RDWR | O_CREAT | O_NOFOLLOW, lockPath)
        let file = try opened(folder.number, Self.name, O_RDWR | O_CREAT | O_NOFOLLOW, path)
        guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else {
            if errno == EWOULDBLOCK { throw .inUse(path: stateFolder) }
            throw .system(call: "flock", path: lockPath, errno: errno)
        }
        let bytes = try Self.read(file.number, path)
        let (grants, length) = try Self.replayed(bytes, path)
        self.path = path
        self.folder = folder
        self.lock = lock
        self.file = file
        self.length = length
        lines = UInt64(grants.count)
        tornBytes = bytes.count - length
        self.grants = grants.filter { now < $0.until }
    }

    /// Grants in force at a moment.
    package func inForce(at now: LimitTime) -> [Grant] {
        grants.filter { $0.isInForce(at: now) }
    }

    /// Returns once `grant` is on stable storage.
    package mutating func append(_ grant: Grant) throws(GrantJournalError) {
        if isBroken { throw .broken(path: path) }
        guard grant.isKeepable else { throw .outOfBounds }
        grants.removeAll { $0.until <= grant.at }
        guard grants.count < Self.grantsMax else { throw .tooMany }
        let line = grantLine(grant, number: lines + 1)
        if length + line.count > Self.sizeMax { try rewrite() }
        do throws(GrantJournalError) {
            try write(line, to: file.number, at: length)
        } catch {
            // What was written of it is taken back; if that fails, it is torn at the next open.
            isBroken = ftruncate(file.number, off_t(length)) != 0
            throw isBroken ? .broken(path: path) : error
        }
        guard fdatasync(file.number) == 0 else {
            // The kernel may have dropped the pages: a second sync would prove nothing.
            isBroken = true
            _ = ftruncate(file.number, off_t(length))
            throw .broken(path: path)
        }
        length += line.count
        lines += 1
        grants.append(grant)
    }
}

// The file.
extension GrantJournal {
    private static func read(
        _ file: Int32, _ path: String
    ) throws(GrantJournalError) -> [UInt8] {
        var status = stat()
        // Safe because status lives on the stack for the call.
        guard unsafe fstat(file, &status) == 0 else {
            throw .system(call: "stat", path: path, errno: errno)
        }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= sizeMax + grantLineMax else {
            throw .notAJournal(path: path)
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { room in
                // Safe because done stays below the count of the bytes.
                unsafe pread(
                    file, room.baseAddress?.advanced(by: done), room.count - done, off_t(done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .system(call: "read", path: path, errno: errno) }
            done += count
        }
        return bytes
    }

    /// What the bytes of a journal say, and how many of them are header and whole lines.
    static func replayed(
        _ bytes: [UInt8], _ path: String
    ) throws(GrantJournalError) -> (grants: [Grant], length: Int) {
        let header = Array(grantHeader.utf8)
        // Made, and cut short before its first grant.
        if bytes.count < header.count,
            header.starts(with: bytes) || bytes.allSatisfy({ $0 == 0 })
        {
            return ([], 0)
        }
        guard bytes.starts(with: header) else { throw .notAJournal(path: path) }
        var grants: [Grant] = []
        var start = header.count
        while start < bytes.count {
            guard let end = bytes[start...].firstIndex(of: 0x0A) else {
                // A crash leaves one line without its end.
                if bytes.count - start <= grantLineMax { return (grants, start) }
                throw .damaged(path: path, offset: start, fault: .content)
            }
            let line = bytes.span.extracting(start..<end)
            switch readGrantLine(line, number: UInt64(grants.count) + 1) {
            case .success(let grant): grants.append(grant)
            case .failure(let error):
                // Or with bytes that never reached the disk and read as zero.
                if end == bytes.count - 1, bytes[start...].contains(0) { return (grants, start) }
                throw .damaged(path: path, offset: start, fault: error.fault)
            }
            start = end + 1
        }
        return (grants, start)
    }

    private func write(
        _ bytes: [UInt8], to descriptor: Int32, at offset: Int
    ) throws(GrantJournalError) {
        var done = 0
        while done < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { source in
                // Safe because done stays below the count of the bytes.
                unsafe pwrite(
                    descriptor, source.baseAddress?.advanced(by: done), source.count - done,
                    off_t(offset + done))
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw .system(call: "write", path: path, errno: errno) }
            done += written
        }
    }

    /// Writes what is left to a new file that takes the old one's name.
    private mutating func rewrite() throws(GrantJournalError) {
        var bytes = Array(grantHeader.utf8)
        for (index, grant) in grants.enumerated() {
            bytes += grantLine(grant, number: UInt64(index) + 1)
        }
        let fresh = try opened(
            folder.number, Self.freshName, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, path)
        do throws(GrantJournalError) {
            try write(bytes, to: fresh.number, at: 0)
            guard fsync(fresh.number) == 0 else {
                throw .system(call: "fsync", path: path, errno: errno)
            }
        } catch {
            // Safe because the name outlives the call. It gives the room back to a full disk.
            _ = unsafe unlinkat(folder.number, Self.freshName, 0)
            throw error
        }
        // Safe because both names outlive the call.
        guard unsafe renameat(folder.number, Self.freshName, folder.number, Self.name) == 0 else {
            throw .system(call: "rename", path: path, errno: errno)
        }
        file = fresh
        length = bytes.count
        lines = UInt64(grants.count)
        guard fsync(folder.number) == 0 else {
            isBroken = true
            throw .broken(path: path)
        }
    }
}

private func opened(
    _ folder: Int32, _ name: String, _ flags: Int32, _ shown: String
) throws(GrantJournalError) -> TableDescriptor {
    do throws(LimitTableError) {
        return try openTableFile(folder, name, flags, shown: shown)
    } catch {
        guard case .system(let call, let path, let errno) = error else {
            throw .broken(path: shown)
        }
        throw .system(call: call, path: path, errno: errno)
    }
}
