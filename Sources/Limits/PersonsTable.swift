// PersonsTable.swift: who was shown to whom, and when: a set of persons for each professional.
//
// The index, in groups of four entries, says where each subject's set lies. Killed at any
// instruction it refers to the old set or the new one, both whole.

import KeyedHash
import Synchronization

/// The sets of persons of one state folder.
final class PersonsTable: Sendable {
    let mapping: PersonsMapping
    let links: PersonLinks
    private let pool: Mutex<BlockPool>
    private let groupMask: UInt64
    /// Where the search for sets that are over goes on.
    private let hand = Atomic<Int>(0)

    private static let groupEntries = 4
    private static let groupsMax: UInt64 = 16
    /// Tags of an entry that no subject has.
    private static let free: UInt64 = 0
    private static let left: UInt64 = 1
    /// Entries gone through for a block when the file is full.
    private static let searchMax = 1 << 14

    init(_ mapping: consuming PersonsMapping) {
        var found: [(entry: Int, reference: BlockReference)] = []
        var empty: [Int] = []
        for entry in 0..<mapping.header.entries {
            // Safe because the entry lies in the index.
            let tag = unsafe mapping.index(entry, 0).pointee.load(ordering: .relaxed)
            let word = unsafe mapping.index(entry, 1).pointee.load(ordering: .relaxed)
            if tag > Self.left, let reference = BlockReference(word: word) {
                found.append((entry, reference))
            } else if tag != Self.free || word != 0 {
                // A killed run took it and had nothing to put there yet.
                empty.append(entry)
            }
        }
        var pool = BlockPool(slabs: mapping.slabs)
        for entry in pool.adopt(found, mapping) + empty {
            // Safe because the entry lies in the index.
            unsafe mapping.index(entry, 1).pointee.store(0, ordering: .relaxed)
            unsafe mapping.index(entry, 0).pointee.store(Self.left, ordering: .relaxed)
        }
        self.pool = Mutex(pool)
        links = PersonLinks(links: mapping.header.links)
        groupMask = UInt64(mapping.header.entries / Self.groupEntries) - 1
        self.mapping = mapping
    }

    /// What the file takes, and how much of it is in sets.
    var bytes: (file: Int, sets: Int) {
        let slabs = mapping.slabs
        return (
            mapping.header.slabsOffset + slabs * PersonsMapping.slabSize,
            pool.withLock { $0.bytes }
        )
    }
}

// The index.
extension PersonsTable {
    @inline(__always)
    private func tag(of owner: ProfessionalKey) -> UInt64 { max(owner.low, Self.left + 1) }

    /// The place in the index of a subject, whose stripe the caller holds.
    @inline(__always)
    func find(_ owner: ProfessionalKey) -> Int? {
        let tag = tag(of: owner)
        // The low bits choose the stripe already.
        var group = owner.high >> 8
        for _ in 0..<Self.groupsMax {
            let first = Int(truncatingIfNeeded: group & groupMask) * Self.groupEntries
            for entry in first..<first + Self.groupEntries {
                // Safe because the entry lies in the index.
                let found = unsafe mapping.index(entry, 0).pointee.load(ordering: .acquiring)
                if found == tag { return entry }
                if found == Self.free { return nil }
            }
            group = group &+ (owner.low >> 32 | 1)
        }
        return nil
    }

    /// The set of a subject, whose stripe the caller holds.
    @inline(__always)
    func block(of owner: ProfessionalKey) -> (entry: Int?, block: PersonBlock?) {
        guard let entry = find(owner) else { return (nil, nil) }
        guard let reference = reference(entry) else { return (entry, nil) }
        let block = mapping.block(reference)
        // Another's, after damage: his own is lost.
        return (entry, block.owner == owner ? block : nil)
    }

    @inline(__always)
    func reference(_ entry: Int) -> BlockReference? {
        // Safe because the entry lies in the index.
        BlockReference(word: unsafe mapping.index(entry, 1).pointee.load(ordering: .acquiring))
    }

    /// Makes a place in the index; `held` are the stripes that the caller holds.
    @inline(never)
    func insert(
        _ owner: ProfessionalKey, now: LimitTime, held: HeldStripes
    ) -> Int? {
        let tag = tag(of: owner)
        var group = owner.high >> 8
        var kept: [Int] = []
        for _ in 0..<Self.groupsMax {
            let first = Int(truncatingIfNeeded: group & groupMask) * Self.groupEntries
            for entry in first..<first + Self.groupEntries {
                if claim(entry, tag) { return entry }
                kept.append(entry)
            }
            group = group &+ (owner.low >> 32 | 1)
        }
        for entry in kept where takeIfOver(entry, now: now, held: held) {
            if claim(entry, tag) { return entry }
        }
        return nil
    }

    private func claim(_ entry: Int, _ tag: UInt64) -> Bool {
        for unowned in [Self.free, Self.left] {
            // Safe because the entry lies in the index.
            let claimed = unsafe mapping.index(entry, 0).pointee.compareExchange(
                expected: unowned, desired: tag, ordering: .acquiringAndReleasing)
            if claimed.exchanged { return true }
        }
        return false
    }

    /// Refers to a new set, and gives the old one's block back.
    func publish(_ new: BlockReference, at entry: Int) {
        // Safe because the entry lies in the index; the set is written whole before.
        let old = unsafe mapping.index(entry, 1).pointee.exchange(
            new.word, ordering: .acquiringAndReleasing)
        if let reference = BlockReference(word: old) { give(reference) }
    }

    /// Gives up an entry that refers to nothing.
    func abandon(_ entry: Int) {
        guard reference(entry) == nil else { return }
        // Safe because the entry lies in the index.
        unsafe mapping.index(entry, 0).pointee.store(Self.left, ordering: .releasing)
    }
}

// Blocks.
extension PersonsTable {
    func give(_ reference: BlockReference) {
        pool.withLock { $0.give(reference, mapping) }
    }

    /// A block for so many entries; looks for sets that are over when the file is full.
    func take(entries: Int, now: LimitTime, held: HeldStripes) -> BlockReference? {
        guard let sizeClass = SizeClass(entries: entries) else { return nil }
        if let block = pool.withLock({ $0.take(sizeClass, mapping) }) { return block }
        let count = mapping.header.entries
        for _ in 0..<min(Self.searchMax, count) {
            let entry = hand.wrappingAdd(1, ordering: .relaxed).newValue & (count - 1)
            guard takeIfOver(entry, now: now, held: held) else { continue }
            if let block = pool.withLock({ $0.take(sizeClass, mapping) }) { return block }
        }
        return nil
    }

    /// Gives back the block of a subject to whom nobody was shown for 400 days.
    ///
    /// Only under his lock, and never waiting for it, so that two who do so cannot lock each
    /// other.
    private func takeIfOver(_ entry: Int, now: LimitTime, held: HeldStripes) -> Bool {
        guard let reference = reference(entry) else { return false }
        let owner = mapping.block(reference).owner
        let taking = {
            guard self.reference(entry) == reference else { return false }
            let block = self.mapping.block(reference)
            guard block.owner == owner, self.isOver(block, now) else { return false }
            // Safe because the entry lies in the index.
            unsafe self.mapping.index(entry, 1).pointee.store(0, ordering: .releasing)
            unsafe self.mapping.index(entry, 0).pointee.store(Self.left, ordering: .releasing)
            self.give(reference)
            return true
        }
        guard isOver(mapping.block(reference), now) else { return false }
        return held.withLockIfFree(StripeLocks.stripe(of: owner), taking) ?? false
    }

    private func isOver(_ block: PersonBlock, _ now: LimitTime) -> Bool {
        let touched = block.touched
        let kept = PersonTime.keptTicks * PersonTime.milliseconds
        return now.milliseconds > touched && now.milliseconds - touched > kept
    }
}
