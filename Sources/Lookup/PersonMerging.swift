// PersonMerging.swift: finds out which finds of an answer are the same person.
//
// Only keys that two finds have matter, and those are looked at from the strongest to the weakest,
// so that who is the same depends on what the answer says and not on its order. Sharers of a key
// who have no stronger one are taken for the same person; of those who have, all are, unless two
// of them have a stronger key of the same rank: then the key is a placeholder, and joins none of
// them. When in doubt, two persons: a ceiling is never passed unseen.

/// Merges finds into distinct persons; what it works with is kept for the next answer.
struct PersonMerging: Sendable {
    /// Keys of all distinct persons, each one's best first, and where each one's begin.
    private(set) var keys: [UInt64] = []
    private(set) var starts: [Int] = []
    private(set) var fields: [IdentityFields] = []

    /// What is known of a group of finds, at its root; elsewhere only `parent` counts.
    private struct Group {
        var parent: Int32
        /// A bit for each rank of which it has a key.
        var ranks: UInt8 = 0
        /// The best of its keys.
        var best: PersonKey?
        /// Its number among the persons, once they are numbered.
        var person: Int32 = -1
    }

    private var groups: [Group] = []
    /// By hash: a number of a key, plus one.
    private var table: [Int32] = []
    /// Keys that more than one find has, once for each find but the first, with that one.
    private var shared: [(key: PersonKey, first: Int32, other: Int32)] = []
    /// Groups that share the key at hand.
    private var roots: [Int] = []
    private var sorted: [PersonKey] = []
    private var ends: [Int] = []

    mutating func removeAll() {
        keys.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
    }

    mutating func merge(_ finds: [Persons.Find], _ held: [Persons.HeldKey]) {
        removeAll()
        groups.removeAll(keepingCapacity: true)
        for index in finds.indices { groups.append(Group(parent: Int32(index))) }
        for one in held {
            groups[Int(one.find)].ranks |= 1 << one.key.rank.rawValue
            note(one.key, in: Int(one.find))
        }
        findShared(finds, held)
        var start = 0
        while start < shared.count {
            var end = start + 1
            while end < shared.count, shared[end].key == shared[start].key { end += 1 }
            join(start..<end)
            start = end
        }
        number(finds)
        distribute(finds, held)
    }

    /// Collects the keys that two finds have, the strongest first.
    private mutating func findShared(_ finds: [Persons.Find], _ held: [Persons.HeldKey]) {
        shared.removeAll(keepingCapacity: true)
        var size = 64
        while size < held.count * 2 { size *= 2 }
        table.removeAll(keepingCapacity: true)
        table.append(contentsOf: repeatElement(0, count: size))
        for (index, one) in held.enumerated() where !finds[Int(one.find)].isDropped {
            var place = Int(truncatingIfNeeded: one.key.hash) & (size - 1)
            while table[place] != 0, held[Int(table[place]) - 1].key != one.key {
                place = (place + 1) & (size - 1)
            }
            if table[place] == 0 {
                table[place] = Int32(index) + 1
                continue
            }
            let first = held[Int(table[place]) - 1].find
            if first != one.find { shared.append((one.key, first, one.find)) }
        }
        shared.sort { left, right in
            if left.key != right.key { return precedes(left.key, right.key) }
            return left.other < right.other
        }
    }

    /// Joins those who share a key, as far as their stronger keys allow.
    private mutating func join(_ sharers: Range<Int>) {
        let stronger = (1 << shared[sharers.lowerBound].key.rank.rawValue) &- 1 as UInt8
        roots.removeAll(keepingCapacity: true)
        roots.append(root(shared[sharers.lowerBound].first))
        for index in sharers { roots.append(root(shared[index].other)) }
        roots.sort()
        // Who of those with stronger keys comes first by them, and whether any two disagree.
        var leader = roots[0]
        var ranks: UInt8 = 0
        var isPlaceholder = false
        for (index, other) in roots.enumerated() where index == 0 || other != roots[index - 1] {
            let its = groups[other].ranks & stronger
            guard its != 0 else { continue }
            if ranks & its != 0 { isPlaceholder = true }
            if ranks == 0 || isBefore(other, leader) { leader = other }
            ranks |= its
        }
        for other in roots where root(Int32(other)) != root(Int32(leader)) {
            guard !isPlaceholder || groups[other].ranks & stronger == 0 else { continue }
            leader = unite(root(Int32(leader)), other)
        }
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        guard let ours = groups[left].best, let its = groups[right].best else { return false }
        return precedes(ours, its)
    }

    private mutating func note(_ key: PersonKey, in group: Int) {
        if let best = groups[group].best, !precedes(key, best) { return }
        groups[group].best = key
    }

    private mutating func root(_ find: Int32) -> Int {
        var place = Int(find)
        while Int(groups[place].parent) != place {
            let parent = Int(groups[place].parent)
            groups[place].parent = groups[parent].parent
            place = parent
        }
        return place
    }

    /// The root of both; the lower number, so that a person stands where they are first named.
    private mutating func unite(_ left: Int, _ right: Int) -> Int {
        let (kept, gone) = (min(left, right), max(left, right))
        groups[gone].parent = Int32(kept)
        groups[kept].ranks |= groups[gone].ranks
        if let key = groups[gone].best { note(key, in: kept) }
        return kept
    }

    /// Numbers the persons in the order in which they are named.
    private mutating func number(_ finds: [Persons.Find]) {
        for index in finds.indices where !finds[index].isDropped {
            let root = root(Int32(index))
            if groups[root].person < 0 {
                groups[root].person = Int32(fields.count)
                fields.append([])
            }
            let person = Int(groups[root].person)
            groups[index].person = Int32(person)
            fields[person].formUnion(finds[index].fields)
        }
    }

    /// Gives each person their keys, the best first and each once.
    private mutating func distribute(_ finds: [Persons.Find], _ held: [Persons.HeldKey]) {
        ends.removeAll(keepingCapacity: true)
        ends.append(contentsOf: repeatElement(0, count: fields.count + 1))
        for one in held where !finds[Int(one.find)].isDropped {
            ends[Int(groups[Int(one.find)].person) + 1] += 1
        }
        for person in fields.indices { ends[person + 1] += ends[person] }
        sorted.removeAll(keepingCapacity: true)
        let none = PersonKey(rank: .traits, hash: 0)
        sorted.append(contentsOf: repeatElement(none, count: ends[fields.count]))
        // Filling moves each person's beginning to their end.
        for one in held where !finds[Int(one.find)].isDropped {
            let person = Int(groups[Int(one.find)].person)
            sorted[ends[person]] = one.key
            ends[person] += 1
        }
        var start = 0
        for person in fields.indices {
            let own = start..<ends[person]
            sort(own)
            starts.append(keys.count)
            for index in own where index == start || sorted[index] != sorted[index - 1] {
                keys.append(sorted[index].hash)
            }
            // Nothing tells who it is: nobody but themselves.
            if own.isEmpty { keys.append(0x9E37_79B9_7F4A_7C15 &* UInt64(person + 1)) }
            start = own.upperBound
        }
        starts.append(keys.count)
    }

    private mutating func sort(_ own: Range<Int>) {
        guard own.count <= 16 else {
            sorted[own].sort(by: precedes)
            return
        }
        for index in own.dropFirst() {
            let key = sorted[index]
            var place = index
            while place > own.lowerBound, precedes(key, sorted[place - 1]) {
                sorted[place] = sorted[place - 1]
                place -= 1
            }
            sorted[place] = key
        }
    }
}

/// Whether a key is the better of two; of the same rank, the one with the smaller hash.
@inline(__always)
private func precedes(_ left: PersonKey, _ right: PersonKey) -> Bool {
    left.rank == right.rank ? left.hash < right.hash : left.rank < right.rank
}
