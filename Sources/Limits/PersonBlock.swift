// PersonBlock.swift: one set of persons: who, as 36 bits of keyed hash, and when last shown.
//
//     0 owner (16)   16 touched, ms (8)   24 gone through, ms (8)   32 exact since, tick (8)
//     40 entries (4)   44 sample bits (4)   48 known counts, 6 × (span in ticks (4), at most (4))
//     96 cells of 8 bytes: hash (36 bits) ‖ tick of the last time (28 bits), open addressing
//
// A cell once taken keeps its person until the set is written anew elsewhere, so that a kill at any
// instruction leaves every person who was there, with the old time or the new.
//
// A set that outgrows the largest block keeps everybody of a whole number of the newest ticks, and
// of the older ones only those whose hash ends in `sample bits` zeros, each standing for
// 2^(sample bits) persons. Who is shown again is new, and so moves by himself.

import Synchronization

/// A view of one set.
///
/// Safe because only `PersonsMapping` makes one, over the bytes of one block inside its mapping,
/// 64-aligned, and only who holds the lock of the owner's stripe uses it.
@safe struct PersonBlock {
    private let base: UnsafeMutableRawPointer
    let cells: Int

    static let headerSize = 96
    /// Spans of which it is known how many persons are within, at most.
    static let knownCounts = 6
    static let hashBits: UInt64 = 36
    static let sampleBitsMax: UInt32 = 35

    @inline(__always)
    init(_ base: UnsafeMutableRawPointer, cells: Int) {
        unsafe self.base = base
        self.cells = cells
    }

    @inline(__always)
    private func word(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        // Safe because an Atomic has the size and alignment of what it holds.
        unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    @inline(__always)
    private var values: UnsafeMutablePointer<UInt64> {
        // Safe because a block is its header and `cells` such numbers.
        unsafe (base + Self.headerSize).assumingMemoryBound(to: UInt64.self)
    }

    /// May be read without the lock, by who then takes it and looks again.
    var owner: ProfessionalKey {
        ProfessionalKey(
            high: unsafe word(0).pointee.load(ordering: .relaxed),
            low: unsafe word(8).pointee.load(ordering: .relaxed))
    }

    /// Limit time of the last charge, in milliseconds; no person was stamped later.
    var touched: UInt64 {
        get { unsafe word(16).pointee.load(ordering: .relaxed) }
        nonmutating set { unsafe word(16).pointee.store(newValue, ordering: .relaxed) }
    }

    var goneThrough: UInt64 { unsafe word(24).pointee.load(ordering: .relaxed) }
    var exactSince: UInt64 { unsafe word(32).pointee.load(ordering: .relaxed) }

    /// Cells in use; after a kill rather more than it is.
    private(set) var entries: Int {
        get { Int(unsafe word(40).pointee.load(ordering: .relaxed) & 0xFFFF_FFFF) }
        nonmutating set {
            let high = unsafe word(40).pointee.load(ordering: .relaxed) & ~0xFFFF_FFFF
            unsafe word(40).pointee.store(high | UInt64(newValue), ordering: .relaxed)
        }
    }

    var sampleBits: UInt32 {
        let high = unsafe word(40).pointee.load(ordering: .relaxed) >> 32
        return UInt32(min(high, UInt64(Self.sampleBitsMax)))
    }

    /// Entries that may be made in so many cells.
    static func entriesMax(cells: Int) -> Int { cells * 4 / 5 }

    /// Makes a block that nobody uses yet an empty set.
    func become(
        _ owner: ProfessionalKey, touched: UInt64, exactSince: UInt64, sampleBits: UInt32
    ) {
        unsafe word(0).pointee.store(owner.high, ordering: .relaxed)
        unsafe word(8).pointee.store(owner.low, ordering: .relaxed)
        unsafe word(16).pointee.store(touched, ordering: .relaxed)
        unsafe word(24).pointee.store(touched, ordering: .relaxed)
        unsafe word(32).pointee.store(exactSince, ordering: .relaxed)
        unsafe word(40).pointee.store(UInt64(sampleBits) << 32, ordering: .relaxed)
        // Safe because there are `cells` numbers, and so many words before them.
        for known in 0..<Self.knownCounts {
            unsafe word(48 + known * 8).pointee.store(0, ordering: .relaxed)
        }
        for cell in 0..<cells { unsafe values[cell] = 0 }
    }

    @inline(__always)
    subscript(cell: Int) -> UInt64 {
        precondition(cell >= 0 && cell < cells, "a cell lies within its set")
        // Safe because of the line above.
        return unsafe values[cell]
    }

    /// The cell of a hash, or the free one where it would stand; `nil` when every cell is taken.
    @inline(__always)
    func find(_ hash: UInt64) -> (cell: Int, isThere: Bool)? {
        var cell = Int((hash &* UInt64(cells)) >> Self.hashBits)
        for _ in 0..<cells {
            let value = self[cell]
            if value & PersonTime.mask == 0 { return (cell, false) }
            if value >> PersonTime.bits == hash { return (cell, true) }
            cell += 1
            if cell == cells { cell = 0 }
        }
        return nil
    }

    /// Stamps a person in his cell, or puts him there; gives what stood there before, 0 for
    /// nothing.
    @inline(__always)
    @discardableResult
    func stamp(_ hash: UInt64, tick: UInt64) -> UInt64 {
        guard let found = find(hash) else { return 0 }
        let before = self[found.cell]
        if !found.isThere { entries += 1 }
        let cell = UnsafeMutableRawPointer(unsafe values + found.cell)
        // Safe because `find` gives a cell of this set; written at once, lest a kill tear it.
        unsafe cell.assumingMemoryBound(to: Atomic<UInt64>.self).pointee.store(
            hash << PersonTime.bits | PersonTime.stamp(tick), ordering: .relaxed)
        return before
    }

    /// Entries of at most this age, counted from `tick`; the loop is simple so that it becomes one
    /// over several cells at once.
    @inline(never)
    func count(upTo age: UInt32, from tick: UInt64) -> Int {
        let mask = UInt32(PersonTime.mask)
        let from = UInt32(truncatingIfNeeded: tick)
        var total: UInt32 = 0
        for cell in 0..<cells {
            // Safe because there are `cells` numbers.
            let stamp = UInt32(truncatingIfNeeded: unsafe values[cell]) & mask
            let isWithin: UInt32 = (from &- stamp) & mask <= age ? 1 : 0
            total &+= stamp == 0 ? 0 : isWithin
        }
        return Int(total)
    }
}

// Known counts: how many persons are within a span, at most. Time only makes them fewer, so what
// was counted once holds on when those who come since are added: most charges need no count.
extension PersonBlock {
    /// A span above, the most that can be within it below; 0 for none, and none after it.
    private subscript(known place: Int) -> UInt64 {
        @inline(__always)
        get {
            precondition(place >= 0 && place < Self.knownCounts, "within the header")
            // Safe because of the line above.
            return unsafe word(48 + place * 8).pointee.load(ordering: .relaxed)
        }
        nonmutating set {
            precondition(place >= 0 && place < Self.knownCounts, "within the header")
            // Safe because of the line above.
            unsafe word(48 + place * 8).pointee.store(newValue, ordering: .relaxed)
        }
    }

    /// The most that can be within a span; `nil` when that has not been counted.
    @inline(__always)
    func knownCount(span: UInt64) -> UInt64? {
        for place in 0..<Self.knownCounts {
            let value = self[known: place]
            if value == 0 { return nil }
            if value >> 32 == span { return value & 0xFFFF_FFFF }
        }
        return nil
    }

    /// Keeps what was counted; gives up the last of the others when there are too many.
    func know(span: UInt64, count: UInt64) {
        for place in 0..<Self.knownCounts {
            let value = self[known: place]
            if value == 0 || value >> 32 == span || place == Self.knownCounts - 1 {
                self[known: place] = span << 32 | count
                return
            }
        }
    }

    /// Adds to every known count; it saturates far above what a set can hold.
    func addToKnown(_ count: Int) {
        for place in 0..<Self.knownCounts {
            let value = self[known: place]
            if value == 0 { return }
            let sum = min((value & 0xFFFF_FFFF) + UInt64(count), 0xFFFF_FFFF)
            self[known: place] = value & ~0xFFFF_FFFF | sum
        }
    }

    /// Takes back from the known counts one person who was within already, `age` ticks ago.
    @inline(__always)
    func takeFromKnown(age: UInt64) {
        for place in 0..<Self.knownCounts {
            let value = self[known: place]
            if value == 0 { return }
            if age <= value >> 32, value & 0xFFFF_FFFF > 0 {
                self[known: place] = value - 1
            }
        }
    }
}
