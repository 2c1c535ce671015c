// BlockPool.swift: where sets of persons lie: blocks of 27 sizes, cut from slabs of 256 KiB.
//
// What is free is known in the process only, and found anew at each start from what the index
// refers to: a kill between taking a block and referring to it loses nothing.

import Synchronization

/// One of the sizes a block can have.
struct SizeClass: Equatable, Sendable {
    let number: Int

    /// Cells of each size: at most a third more than the one before, from 40 on, and two blocks of
    /// the last fill a slab.
    private static let cellsOf: InlineArray<27, Int> = [
        8, 16, 24, 32, 40, 48, 64, 80, 104, 136, 176, 232, 304, 400, 528, 704, 936, 1248, 1664,
        2216, 2952, 3936, 5248, 6992, 9320, 12424, 16368,
    ]
    static let count = 27
    static let largest = SizeClass(number: 26)

    init(number: Int) { self.number = min(max(number, 0), Self.count - 1) }

    /// The smallest in which so many entries may be made; `nil` when there is none.
    init?(entries: Int) {
        for number in 0..<Self.count
        where PersonBlock.entriesMax(cells: Self.cellsOf[number]) >= entries {
            self.number = number
            return
        }
        return nil
    }

    @inline(__always)
    var cells: Int { Self.cellsOf[number] }
    @inline(__always)
    var bytes: Int { PersonBlock.headerSize + cells * 8 }
    var perSlab: Int { PersonsMapping.slabSize / bytes }
}

/// Where a block lies and how large it is; one word of the index.
struct BlockReference: Equatable, Sendable {
    /// 32 bytes each, from the first slab.
    private let units: UInt32
    let sizeClass: SizeClass

    @inline(__always)
    var offset: Int { Int(units) * 32 }
    var slab: Int { offset / PersonsMapping.slabSize }
    /// Its place in its slab.
    var place: Int { offset % PersonsMapping.slabSize / sizeClass.bytes }

    init(slab: Int, place: Int, _ sizeClass: SizeClass) {
        units = UInt32(
            truncatingIfNeeded: (slab * PersonsMapping.slabSize + place * sizeClass.bytes) / 32)
        self.sizeClass = sizeClass
    }

    private static let isThere: UInt64 = 1 << 63

    var word: UInt64 { Self.isThere | UInt64(sizeClass.number) << 32 | UInt64(units) }

    /// `nil` for a word that refers to nothing.
    @inline(__always)
    init?(word: UInt64) {
        guard word & Self.isThere != 0 else { return nil }
        units = UInt32(truncatingIfNeeded: word)
        sizeClass = SizeClass(number: Int(truncatingIfNeeded: word >> 32 & 0xFF))
    }

    /// Whether it is a block of one of the first `slabs` slabs.
    func lies(within slabs: Int) -> Bool {
        guard offset / PersonsMapping.slabSize < slabs else { return false }
        let inSlab = offset % PersonsMapping.slabSize
        return inSlab % sizeClass.bytes == 0 && place < sizeClass.perSlab
    }
}

/// Hands out blocks and takes them back.
struct BlockPool {
    private struct Slab {
        var sizeClass: SizeClass?
        var free = 0
        /// Place of the first free block; the block's first word has the next.
        var head = -1
        /// Places from here on have never been handed out.
        var fresh = 0
    }

    private var slabs: [Slab] = []
    private var unused: [Int] = []
    /// Slabs with a free block, by size; some no longer so.
    private var partial = [[Int]](repeating: [], count: SizeClass.count)
    private(set) var blocks = 0
    private(set) var bytes = 0

    /// A pool of the first `count` slabs, none of them used; `adopt` what is.
    init(slabs count: Int) {
        slabs = [Slab](repeating: Slab(), count: count)
        unused = Array((0..<count).reversed())
    }

    /// Slabs with nothing in them.
    var slabsUnused: Int { unused.count }

    /// Takes over what the entries of an index refer to; gives those entries whose reference
    /// cannot be, or overlaps an earlier one.
    mutating func adopt(
        _ entries: [(entry: Int, reference: BlockReference)], _ mapping: borrowing PersonsMapping
    ) -> [Int] {
        var wrong: [Int] = []
        var used = [Set<Int>](repeating: [], count: slabs.count)
        for (entry, reference) in entries {
            guard reference.lies(within: slabs.count) else {
                wrong.append(entry)
                continue
            }
            let slab = reference.slab
            let of = slabs[slab].sizeClass ?? reference.sizeClass
            guard of == reference.sizeClass, used[slab].insert(reference.place).inserted else {
                wrong.append(entry)
                continue
            }
            slabs[slab].sizeClass = of
            blocks += 1
            bytes += of.bytes
        }
        unused = []
        for slab in slabs.indices.reversed() {
            guard let sizeClass = slabs[slab].sizeClass else {
                unused.append(slab)
                continue
            }
            let last = used[slab].max() ?? 0
            slabs[slab].fresh = last + 1
            slabs[slab].free = sizeClass.perSlab - used[slab].count
            for place in (0..<last).reversed() where !used[slab].contains(place) {
                push(BlockReference(slab: slab, place: place, sizeClass), mapping)
            }
            if slabs[slab].free > 0 { partial[sizeClass.number].append(slab) }
        }
        return wrong
    }

    private mutating func push(_ reference: BlockReference, _ mapping: borrowing PersonsMapping) {
        let slab = reference.slab
        let next = UInt64(slabs[slab].head + 1)
        // Safe because the block is free, and its first word within its slab.
        unsafe mapping.freeWord(reference).pointee.store(next, ordering: .relaxed)
        slabs[slab].head = reference.place
    }

    /// A block that nobody uses; `nil` when the file may not grow any more.
    mutating func take(
        _ sizeClass: SizeClass, _ mapping: borrowing PersonsMapping
    ) -> BlockReference? {
        while let slab = partial[sizeClass.number].last {
            if slabs[slab].sizeClass == sizeClass, slabs[slab].free > 0 {
                return take(from: slab, sizeClass, mapping)
            }
            partial[sizeClass.number].removeLast()
        }
        if unused.isEmpty { grow(mapping) }
        guard let slab = unused.popLast() else { return nil }
        slabs[slab] = Slab(sizeClass: sizeClass, free: sizeClass.perSlab)
        partial[sizeClass.number].append(slab)
        return take(from: slab, sizeClass, mapping)
    }

    private mutating func take(
        from slab: Int, _ sizeClass: SizeClass, _ mapping: borrowing PersonsMapping
    ) -> BlockReference {
        slabs[slab].free -= 1
        blocks += 1
        bytes += sizeClass.bytes
        let head = slabs[slab].head
        guard head >= 0 else {
            slabs[slab].fresh += 1
            return BlockReference(slab: slab, place: slabs[slab].fresh - 1, sizeClass)
        }
        let reference = BlockReference(slab: slab, place: head, sizeClass)
        // Safe because the block is free, and its first word within its slab.
        let next = unsafe mapping.freeWord(reference).pointee.load(ordering: .relaxed)
        precondition(next <= UInt64(slabs[slab].fresh), "the list of a slab stays in it")
        slabs[slab].head = Int(next) - 1
        return reference
    }

    /// Takes back a block that nothing refers to.
    mutating func give(_ reference: BlockReference, _ mapping: borrowing PersonsMapping) {
        let slab = reference.slab
        let sizeClass = reference.sizeClass
        precondition(slabs[slab].sizeClass == sizeClass, "a block goes back where it came from")
        blocks -= 1
        bytes -= sizeClass.bytes
        slabs[slab].free += 1
        if slabs[slab].free == sizeClass.perSlab {
            slabs[slab] = Slab()
            unused.append(slab)
            return
        }
        push(reference, mapping)
        if slabs[slab].free == 1 { partial[sizeClass.number].append(slab) }
    }

    /// An eighth more, 4 MiB at least and 64 MiB at most.
    private mutating func grow(_ mapping: borrowing PersonsMapping) {
        let step = min(
            max(slabs.count / 8, PersonsMapping.slabsAtFirst), PersonsMapping.slabsPerStepMax)
        let count = min(slabs.count + step, mapping.slabsMax)
        guard count > slabs.count, mapping.grow(to: count) else { return }
        unused.append(contentsOf: (slabs.count..<count).reversed())
        slabs.append(contentsOf: [Slab](repeating: Slab(), count: count - slabs.count))
    }
}
