// TableMapping.swift: the table file on disk, mapped into memory and locked against other gates.

import CSystem
import Glibc
import KeyedHash
import Synchronization

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
        let file = try openStateFile(folder.number, Self.name, path) {
            () throws(LimitTableError) in
            var rounded = TableHeader.slotsMin
            while rounded < slots { rounded *= 2 }
            var random = SystemRandomNumberGenerator()
            let key = SipKey(low: random.next(), high: random.next())
            return NewStateFile(
                length: TableHeader.length(slots: rounded),
                words: TableHeader(slots: rounded, key: key).words)
        }
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

extension TableMapping {
    private static func readHeader(
        _ file: Int32, _ path: String
    ) throws(LimitTableError) -> TableHeader {
        let (words, size) = try readStateFile(file, path, words: TableHeader.checkedWords + 1)
        let header = try TableHeader(words, path: path)
        // A file cut short would raise SIGBUS at the first touch of what is missing.
        let expected = TableHeader.length(slots: header.slots)
        guard size == expected else {
            throw .wrongLength(path: path, expected: expected, found: size)
        }
        return header
    }
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
