// AccountFolder.swift: the folder that accounts lie in: one file each, replaced as a whole.
//
// INVARIANT: a change whose call returned is there after a crash or a power cut; one whose call
// threw has happened wholly or not at all. Two processes write here, the gate and the command line,
// so every change holds `flock` on a file of its own, and reads anew what it changes. Nobody who
// only reads waits: a rename shows the old file or the new one.

internal import CSystem
internal import Glibc

/// An open descriptor, closed when it goes out of scope.
struct Descriptor: ~Copyable {
    let number: Int32
    init(_ number: Int32) { self.number = number }
    deinit { if number >= 0 { close(number) } }
}

/// What tells one content of a file or folder from another.
struct FileMark: Equatable {
    private let device: UInt
    private let inode: UInt
    private let size: Int
    private let changedSeconds: Int
    private let changedNanoseconds: Int

    init(_ status: stat) {
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        size = Int(status.st_size)
        changedSeconds = status.st_ctim.tv_sec
        changedNanoseconds = status.st_ctim.tv_nsec
    }

    /// Whether a later change could leave the same mark, the clock of files being coarse.
    func isDoubtful(now: Int) -> Bool { changedSeconds >= now - 1 }
}

/// The folder, opened for one change or one reading.
struct AccountFolder: ~Copyable {
    let path: String
    private let folder: Descriptor
    private let owner: (user: uid_t, group: gid_t)
    /// The folder as it was when it was opened.
    let mark: FileMark

    private static let lockName = "lock"
    private static let newName = "new"
    private static let suffix = ".account"

    /// Opens the folder; nil when there is none.
    init?(opening path: String) throws(AccountError) {
        // Safe because the path outlives the call.
        folder = unsafe Descriptor(herse_open(path, O_RDONLY | O_DIRECTORY, 0))
        guard folder.number >= 0 else {
            if errno == ENOENT { return nil }
            throw .last("open", path)
        }
        var status = stat()
        // Safe because status lives on the stack for the call.
        guard unsafe fstat(folder.number, &status) == 0 else { throw .last("stat", path) }
        self.path = path
        owner = (status.st_uid, status.st_gid)
        mark = FileMark(status)
    }

    /// Makes the folder if there is none; the folder it is in must exist.
    ///
    /// Made by root for a gate that runs as somebody else, it is given to that user, who owns the
    /// folder it is in.
    static func make(_ path: String) throws(AccountError) {
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        // Safe because the path outlives the call.
        guard unsafe mkdir(path, 0o700) == 0 else {
            if errno == EEXIST { return }
            throw errno == ENOENT ? .noState(path: parent) : .last("mkdir", path)
        }
        // Safe because the paths outlive the calls, and status lives on the stack.
        let above = unsafe Descriptor(herse_open(parent, O_RDONLY | O_DIRECTORY, 0))
        let made = unsafe Descriptor(herse_open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0))
        var status = stat()
        guard above.number >= 0, made.number >= 0, unsafe fstat(above.number, &status) == 0 else {
            throw .last("open", path)
        }
        try give(made.number, to: (status.st_uid, status.st_gid), path: path)
        guard fsync(above.number) == 0 else { throw .last("fsync", parent) }
    }

    /// Gives what root has just made to the folder's owner: the gate must be able to read it.
    private static func give(
        _ descriptor: Int32, to owner: (user: uid_t, group: gid_t), path: String
    ) throws(AccountError) {
        guard geteuid() == 0, owner.user != 0 else { return }
        guard fchown(descriptor, owner.user, owner.group) == 0 else { throw .last("chown", path) }
    }

    /// Waits for the lock, which holds while the descriptor lives.
    func lock(millisecondsMax: Int = 2000) throws(AccountError) -> Descriptor {
        let shown = path + "/" + Self.lockName
        // Safe because the name outlives the calls. Only a file made here is given away: one that
        // was there may be a link to anything.
        var lock = unsafe Descriptor(
            herse_open_at(folder.number, Self.lockName, O_RDWR | O_CREAT | O_EXCL, 0o600))
        if lock.number >= 0 {
            try Self.give(lock.number, to: owner, path: shown)
        } else {
            lock = unsafe Descriptor(
                herse_open_at(folder.number, Self.lockName, O_RDWR | O_NOFOLLOW, 0))
        }
        guard lock.number >= 0 else { throw .last("open", shown) }
        let deadline = herse_clock(CLOCK_MONOTONIC) + UInt64(millisecondsMax) * 1_000_000
        while flock(lock.number, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw .last("flock", shown) }
            guard herse_clock(CLOCK_MONOTONIC) < deadline else { throw .busy(path: shown) }
            usleep(2000)
        }
        return lock
    }

    /// The account of that name; nil when there is none.
    func read(_ name: AccountName) throws(AccountError) -> Account? {
        let shown = shownPath(name)
        // Safe because the name outlives the call.
        let file = unsafe Descriptor(
            herse_open_at(folder.number, fileName(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0))
        guard file.number >= 0 else {
            if errno == ENOENT { return nil }
            throw errno == ELOOP ? .damaged(path: shown) : .last("open", shown)
        }
        var status = stat()
        // Safe because status lives on the stack for the call.
        guard unsafe fstat(file.number, &status) == 0 else { throw .last("stat", shown) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= accountFileMax else {
            throw .damaged(path: shown)
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { room -> Int in
                guard let base = room.baseAddress else { return 0 }
                // Safe because done stays below the count of the room.
                return unsafe Glibc.read(file.number, base + done, room.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .last("read", shown) }
            guard count > 0 else { break }
            done += count
        }
        let account = done == bytes.count ? Accounts.account(text: bytes, name: name) : nil
        wipe(&bytes)
        guard let account else { throw .damaged(path: shown) }
        return account
    }

    /// Replaces an account, durably; under the lock.
    func write(_ account: Account) throws(AccountError) {
        let shown = shownPath(account.name)
        var text = accountText(account)
        defer { wipe(&text) }
        guard text.count <= accountFileMax else { throw .value("an account of this size") }
        // Safe because the names outlive the calls, here and below. One may be left of a crash.
        _ = unsafe unlinkat(folder.number, Self.newName, 0)
        do throws(AccountError) {
            let file = unsafe Descriptor(
                herse_open_at(
                    folder.number, Self.newName, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600))
            guard file.number >= 0 else { throw .last("open", shown) }
            try Self.give(file.number, to: owner, path: shown)
            try Self.write(text, to: file.number, path: shown)
            guard fsync(file.number) == 0 else { throw .last("fsync", shown) }
            let renamed = unsafe renameat(
                folder.number, Self.newName, folder.number, fileName(account.name))
            guard renamed == 0 else { throw .last("rename", shown) }
        } catch {
            // It gives the room back to a full disk.
            _ = unsafe unlinkat(folder.number, Self.newName, 0)
            throw error
        }
        guard fsync(folder.number) == 0 else { throw .last("fsync", path) }
    }

    private static func write(
        _ bytes: [UInt8], to descriptor: Int32, path: String
    ) throws(AccountError) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { source -> Int in
                guard let base = source.baseAddress else { return 0 }
                // Safe because done stays below the count of the bytes.
                return unsafe Glibc.write(descriptor, base + done, source.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .last("write", path) }
            done += count
        }
    }

    /// Takes an account away, durably and under the lock; false when there was none.
    func remove(_ name: AccountName) throws(AccountError) -> Bool {
        // Safe because the name outlives the call.
        let removed = unsafe unlinkat(folder.number, fileName(name), 0)
        guard removed == 0 || errno == ENOENT else { throw .last("unlink", shownPath(name)) }
        guard fsync(folder.number) == 0 else { throw .last("fsync", path) }
        return removed == 0
    }

    /// The mark of an account's file; nil when there is none.
    func mark(of name: AccountName) -> FileMark? {
        var status = stat()
        // Safe because the name outlives the call and status lives on the stack.
        let found = unsafe fstatat(folder.number, fileName(name), &status, AT_SYMLINK_NOFOLLOW)
        return found == 0 ? FileMark(status) : nil
    }

    /// The names of all accounts, in no order.
    func names() throws(AccountError) -> [AccountName] {
        // A descriptor of its own: reading a folder moves the descriptor's place in it.
        let listed = unsafe herse_open_at(folder.number, ".", O_RDONLY | O_DIRECTORY, 0)
        guard listed >= 0 else { throw .last("open", path) }
        guard let listing = unsafe fdopendir(listed) else {
            let error = AccountError.last("opendir", path)
            close(listed)
            throw error
        }
        defer { unsafe closedir(listing) }
        var names: [AccountName] = []
        // Safe because an entry lives until the next is read, and its name is copied before.
        while let entry = unsafe readdir(listing) {
            let text = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard text.hasSuffix(Self.suffix),
                let name = AccountName(String(text.dropLast(Self.suffix.count)))
            else { continue }
            names.append(name)
        }
        return names
    }

    private func fileName(_ name: AccountName) -> String { name.description + Self.suffix }
    private func shownPath(_ name: AccountName) -> String { path + "/" + fileName(name) }
}
