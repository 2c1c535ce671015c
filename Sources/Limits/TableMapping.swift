// TableMapping.swift: the table file on disk, mapped into memory and locked against other gates.

import CSystem
import Glibc
import KeyedHash
import Synchronization

/// An open descriptor, closed when it goes out of scope.
struct TableDescriptor: ~Copyable {
    let number: Int32
    deinit { if number >= 0 { close(number) } }
}

/// The mapped file; its memory is used only through `Slot` and the clock's words of the header.
///
/// Safe because every address given out lies within `base ..< base + length`, which stays mapped as
/// long as this value lives, and the blocks behind it are allocated: no write can raise SIGBUS.
@safe struct TableMapping: ~Copyable {
    private let base: UnsafeMutableRawPointer
    private let length: Int
    private let lock: TableDescriptor
    let slots: Int
    let key: SipKey
    /// The state of a slot that this run is taking.
    let claimed: UInt32

    deinit { unsafe munmap(base, length) }

    static let name = "limits.table"
    private static let freshName = "limits.table.new"
    private static let lockName = "limits.lock"

    /// Maps the table of a state folder, made if there is none.
    init(stateFolder: String, slots: Int) throws(LimitTableError) {
        guard slots >= TableHeader.slotsMin, slots <= TableHeader.slotsMax else {
            throw .slotsOutOfRange(slots)
        }
        let folder = try openTableFile(
            AT_FDCWD, stateFolder, O_RDONLY | O_DIRECTORY, shown: stateFolder)
        // A file of its own: the table is made under another name and renamed, and a lock on a
        // file that is renamed over protects nothing.
        let lockPath = stateFolder + "/" + Self.lockName
        let lock = try openTableFile(
            folder.number, Self.lockName, O_RDWR | O_CREAT | O_NOFOLLOW, shown: lockPath)
        guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else {
            if errno == EWOULDBLOCK { throw .inUse(path: stateFolder) }
            throw .system(call: "flock", path: lockPath, errno: errno)
        }
        let path = stateFolder + "/" + Self.name
        let file = try Self.openOrMake(folder.number, path, slots: slots)
        let header = try Self.readHeader(file.number, path)
        let length = TableHeader.length(slots: header.slots)
        // Safe because the kernel chooses the place, and nothing else maps this file here.
        let mapped = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, file.number, 0)
        guard let base = unsafe mapped, unsafe base != MAP_FAILED else {
            throw .system(call: "mmap", path: path, errno: errno)
        }
        unsafe self.base = base
        self.length = length
        self.lock = lock
        self.slots = header.slots
        self.key = header.key
        self.claimed = unsafe Slot.State.claimed(run: Self.nextRun(base))
    }

    @inline(__always)
    func slot(_ number: Int) -> Slot {
        precondition(number >= 0 && number < slots, "a slot lies within the table")
        return unsafe Slot(base + TableHeader.size + number * Slot.size)
    }
}

// Making the file, and reading what it says of itself.
extension TableMapping {
    private static func openOrMake(
        _ folder: Int32, _ path: String, slots: Int
    ) throws(LimitTableError) -> TableDescriptor {
        // Safe because the name outlives the call.
        let number = unsafe herse_open_at(folder, name, O_RDWR | O_NOFOLLOW, 0)
        if number >= 0 { return TableDescriptor(number: number) }
        guard errno == ENOENT else { throw .system(call: "open", path: path, errno: errno) }
        return try make(folder, path, slots: slots)
    }

    /// Makes a table under another name and gives it its own only when it is whole, so that a
    /// crash or a full disk leaves none rather than half a one.
    private static func make(
        _ folder: Int32, _ path: String, slots: Int
    ) throws(LimitTableError) -> TableDescriptor {
        var rounded = TableHeader.slotsMin
        while rounded < slots { rounded *= 2 }
        let file = try openTableFile(
            folder, freshName, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, shown: path)
        do throws(LimitTableError) {
            try fill(file.number, path, slots: rounded)
            // Safe because both names outlive the call.
            guard unsafe renameat(folder, freshName, folder, name) == 0, fsync(folder) == 0 else {
                throw .system(call: "rename", path: path, errno: errno)
            }
        } catch {
            // Safe because the name outlives the call.
            _ = unsafe unlinkat(folder, freshName, 0)
            throw error
        }
        return file
    }

    private static func fill(
        _ file: Int32, _ path: String, slots: Int
    ) throws(LimitTableError) {
        let length = TableHeader.length(slots: slots)
        // Every block is allocated now: a shared mapping over a hole, on a disk that is full
        // later, would end the process with SIGBUS at the first professional who lands there.
        let allocated = posix_fallocate(file, 0, off_t(length))
        if allocated == ENOSPC || allocated == EFBIG { throw .noSpace(path: path, bytes: length) }
        guard allocated == 0 else {
            throw .system(call: "posix_fallocate", path: path, errno: allocated)
        }
        var random = SystemRandomNumberGenerator()
        let key = SipKey(low: random.next(), high: random.next())
        let words = TableHeader(slots: slots, key: key).words
        let written = unsafe words.withUnsafeBytes { bytes in
            // Safe because the bytes outlive the call.
            unsafe pwrite(file, bytes.baseAddress, bytes.count, 0)
        }
        guard written == words.count * 8, fsync(file) == 0 else {
            throw .system(call: "write", path: path, errno: errno)
        }
    }

    private static func readHeader(
        _ file: Int32, _ path: String
    ) throws(LimitTableError) -> TableHeader {
        var status = stat()
        // Safe because status lives on the stack for the call.
        guard unsafe fstat(file, &status) == 0 else {
            throw .system(call: "stat", path: path, errno: errno)
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notATable(path: path) }
        var words = [UInt64](repeating: 0, count: TableHeader.checkedWords + 1)
        let got = unsafe words.withUnsafeMutableBytes { bytes in
            // Safe because the bytes outlive the call.
            unsafe pread(file, bytes.baseAddress, bytes.count, 0)
        }
        guard got == words.count * 8 else { throw .notATable(path: path) }
        let header = try TableHeader(words, path: path)
        // A file cut short would raise SIGBUS at the first touch of what is missing.
        let expected = TableHeader.length(slots: header.slots)
        guard status.st_size == expected else {
            throw .wrongLength(path: path, expected: expected, found: Int(status.st_size))
        }
        return header
    }
}

private func openTableFile(
    _ folder: Int32, _ name: String, _ flags: Int32, shown: String
) throws(LimitTableError) -> TableDescriptor {
    // Safe because the name outlives the call.
    let number = unsafe herse_open_at(folder, name, flags, 0o600)
    guard number >= 0 else { throw .system(call: "open", path: shown, errno: errno) }
    return TableDescriptor(number: number)
}

// The words of the header that change.
extension TableMapping {
    @inline(__always)
    private func word(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        // Safe because an Atomic has the size and alignment of what it holds, and offset lies in
        // the header's page.
        unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// What the table remembers of the clock; `nil` in a new one.
    var clockMemory: ClockMemory? {
        // Safe because these are words of the header, each read at once.
        let mark = unsafe word(72).pointee.load(ordering: .relaxed)
        guard mark > 0 else { return nil }
        return ClockMemory(
            boot: BootID(
                high: unsafe word(48).pointee.load(ordering: .relaxed),
                low: unsafe word(56).pointee.load(ordering: .relaxed)),
            origin: unsafe word(64).pointee.load(ordering: .relaxed), mark: mark)
    }

    /// Remembers the clock of this run.
    ///
    /// Killed in between, no boot is named, and the next start
    /// reckons from the mark, which is never behind.
    func remember(_ memory: ClockMemory) {
        // Safe because these are words of the header, each written at once.
        unsafe word(72).pointee.store(memory.mark, ordering: .releasing)
        unsafe word(48).pointee.store(0, ordering: .releasing)
        unsafe word(56).pointee.store(0, ordering: .releasing)
        unsafe word(64).pointee.store(memory.origin, ordering: .releasing)
        unsafe word(56).pointee.store(memory.boot.low, ordering: .releasing)
        unsafe word(48).pointee.store(memory.boot.high, ordering: .releasing)
    }

    /// Moves the mark on, once a second of limit time at most: it is read by every charge and
    /// ought to stay in every core's cache.
    @inline(__always)
    func remember(_ now: LimitTime) {
        // Safe because this is a word of the header, read and written at once.
        let mark = unsafe word(72).pointee.load(ordering: .relaxed)
        if now.milliseconds >= mark &+ 1000 {
            unsafe word(72).pointee.max(now.milliseconds, ordering: .relaxed)
        }
    }

    /// Counts the runs of the gate on this table; what another run claimed was left by a crash.
    private static func nextRun(_ base: UnsafeMutableRawPointer) -> UInt32 {
        // Safe because offset 80 lies in the header's page, 8-aligned.
        let runs = unsafe (base + 80).assumingMemoryBound(to: Atomic<UInt64>.self)
        let run = unsafe runs.pointee.wrappingAdd(1, ordering: .relaxed).newValue
        return UInt32(truncatingIfNeeded: run & 0xFF_FFFF)
    }

    /// Asks the kernel to write the table out; for an orderly stop, since a crash of the process
    /// loses nothing anyway.
    func flush() {
        // Safe because the range is the mapping.
        _ = unsafe msync(base, length, MS_ASYNC)
    }
}

// Safe because the memory is only used through atomics and, for counts, under the stripe's lock.
extension TableMapping: @unchecked Sendable {}
