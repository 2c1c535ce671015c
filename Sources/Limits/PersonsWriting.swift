// PersonsWriting.swift: showing persons to somebody: in his set as it is, or in a new one.

import Synchronization

/// What a charge is about to do to one subject's set; nothing is seen of it until `commit`.
struct PersonsPlan {
    let entry: Int
    /// A set written whole that takes the old one's place.
    let new: BlockReference?
}

extension PersonsTable {
    /// Persons of whom all are kept when not all can be: as many of the newest ticks as hold no
    /// more than these, so that a window that holds no more is exact.
    static let exactMax = 8192
    /// Persons kept of the older ones.
    static let sampledMax = 4096
    /// Entries of the largest set.
    static let entriesMax = PersonBlock.entriesMax(cells: SizeClass.largest.cells)

    /// The 36 bits by which a subject's set knows a person; the same person has others in
    /// another's set.
    @inline(__always)
    static func hash(_ key: UInt64, _ owner: ProfessionalKey) -> UInt64 {
        mixed(key ^ owner.low) >> (64 - PersonBlock.hashBits)
    }

    /// Makes room for an answer's persons, `unseen` of whom are not in the set; `nil` when there
    /// is none.
    func prepare(
        _ look: PersonLook, entry: Int?, _ hashes: PersonHashes, unseen: Int, held: HeldStripes
    ) -> PersonsPlan? {
        guard let entry = entry ?? insert(look.owner, now: look.now, held: held) else {
            return nil
        }
        var fits = false
        var staleness: UInt64 = .max
        if let block = look.block, !look.isAhead {
            fits = block.entries + unseen <= PersonBlock.entriesMax(cells: block.cells)
            let gone = block.goneThrough
            if gone <= look.touched { staleness = look.touched - gone }
        }
        if fits, staleness <= PersonTime.purgeMilliseconds {
            return PersonsPlan(entry: entry, new: nil)
        }
        if let new = rewrite(look, hashes, held: held) {
            return PersonsPlan(entry: entry, new: new)
        }
        if fits, staleness <= PersonTime.purgeMillisecondsMax {
            return PersonsPlan(entry: entry, new: nil)
        }
        abandon(entry)
        return nil
    }

    /// Shows the persons.
    func commit(_ plan: PersonsPlan, _ look: PersonLook, _ hashes: PersonHashes) {
        if let new = plan.new {
            publish(new, at: plan.entry)
            return
        }
        guard let block = look.block else { return }
        // INVARIANT: no stamp is later than `touched`: killed in between, an age would pass for
        // one of 776 days.
        block.touched = look.touched
        atomicMemoryFence(ordering: .acquiringAndReleasing)
        let tick = look.tick
        let keepsAll = look.exactSpan > 0 || look.elapsed > 0
        let sampled = UInt64(1) << UInt64(look.sampleBits) - 1
        // INVARIANT: killed at any stamp, no known count is too low: all are taken for new first.
        block.addToKnown(hashes.count)
        atomicMemoryFence(ordering: .acquiringAndReleasing)
        for index in 0..<hashes.count {
            let hash = hashes[index]
            guard keepsAll || hash & sampled == 0 else { continue }
            let before = block.stamp(hash, tick: tick)
            if before & PersonTime.mask != 0 {
                block.takeFromKnown(age: (tick &- before) & PersonTime.mask)
            }
        }
    }

    /// Takes a plan back.
    func cancel(_ plan: PersonsPlan) {
        if let new = plan.new { give(new) }
        abandon(plan.entry)
    }

    /// Writes a new set of all who are kept and an answer's persons.
    @inline(never)
    private func rewrite(
        _ look: PersonLook, _ hashes: PersonHashes, held: HeldStripes
    ) -> BlockReference? {
        var persons = AgedPersons(look, hashes)
        if persons.count > Self.entriesMax { persons.thin() }
        guard let reference = take(entries: persons.count, now: look.now, held: held) else {
            return nil
        }
        let block = mapping.block(reference)
        let tick = look.tick
        let since = persons.sampleBits == 0 ? 0 : tick + 1 - min(persons.exactSpan, tick)
        block.become(
            look.owner, touched: look.touched, exactSince: since, sampleBits: persons.sampleBits)
        for index in 0..<persons.count {
            let (hash, age) = persons[index]
            block.stamp(hash, tick: tick - min(age, tick))
        }
        return reference
    }
}

/// Persons with their ages, each once, while a set is written anew.
struct AgedPersons {
    /// Hash ‖ age in ticks, 28 bits; in order, so by hash.
    private var values: [UInt64] = []
    private(set) var sampleBits: UInt32
    /// Ages below this are of persons who are all kept.
    private(set) var exactSpan: UInt64

    /// Those of a set who are kept, and those of an answer, who are shown now.
    init(_ look: PersonLook, _ hashes: PersonHashes) {
        sampleBits = look.sampleBits
        exactSpan = look.exactSpan.addingReportingOverflow(look.elapsed).partialValue
        values.reserveCapacity((look.block?.cells ?? 0) + hashes.count)
        for index in 0..<hashes.count { values.append(hashes[index] << PersonTime.bits) }
        if let block = look.block {
            for cell in 0..<block.cells {
                let value = block[cell]
                if value & PersonTime.mask == 0 { continue }
                let age = (look.reference &- value) & PersonTime.mask + look.elapsed
                if age > PersonTime.keptTicks { continue }
                values.append(value & ~PersonTime.mask | age)
            }
        }
        values.sort()
        keepYoungest()
        if sampleBits > 0 { sample() }
    }

    var count: Int { values.count }

    subscript(index: Int) -> (hash: UInt64, age: UInt64) {
        (values[index] >> PersonTime.bits, values[index] & PersonTime.mask)
    }

    /// Of a person who stands there twice, the last time counts.
    private mutating func keepYoungest() {
        var kept = 0
        for value in values {
            if kept > 0, values[kept - 1] >> PersonTime.bits == value >> PersonTime.bits {
                continue
            }
            values[kept] = value
            kept += 1
        }
        values.removeLast(values.count - kept)
    }

    /// Drops those beyond the exact part whom the sample does not keep; forgets the sample when
    /// nobody is left in it.
    private mutating func sample() {
        let mask = (UInt64(1) << UInt64(sampleBits) - 1) << PersonTime.bits
        let span = exactSpan
        values.removeAll { $0 & PersonTime.mask >= span && $0 & mask != 0 }
        if !values.contains(where: { $0 & PersonTime.mask >= span }) {
            sampleBits = 0
            exactSpan = .max
        }
    }

    /// Keeps everybody of the newest ticks only, and a sample of the others.
    mutating func thin() {
        let ages = values.map { $0 & PersonTime.mask }.sorted()
        guard ages.count > PersonsTable.exactMax else { return }
        // Whole ticks: who is shown in one answer stays together or goes together, and a window
        // that holds more than these is not exact anyway.
        let border = ages[PersonsTable.exactMax]
        // An earlier sample can't be undone.
        exactSpan = min(border, exactSpan)
        if sampleBits == 0 { sampleBits = 1 }
        while true {
            let mask = (UInt64(1) << UInt64(sampleBits) - 1) << PersonTime.bits
            let span = exactSpan
            values.removeAll { $0 & PersonTime.mask >= span && $0 & mask != 0 }
            let sampled = values.reduce(into: 0) { $0 += $1 & PersonTime.mask >= span ? 1 : 0 }
            if sampled <= PersonsTable.sampledMax || sampleBits == PersonBlock.sampleBitsMax {
                return
            }
            sampleBits += 1
        }
    }
}
