// Persons.swift: the persons found in one answer, merged into distinct ones.
//
// Inspectors open a person for each patient they meet, add the keys and fields they see, and close
// nothing: `merge` at the end finds out who is the same. Two finds are one person when they share
// a key, unless both have a stronger key and those differ: a placeholder that a careless server
// gives to a thousand patients must not make one of them.

/// The persons of one answer; reused for the next.
package struct Persons: Sendable {
    /// Finds of one answer; beyond, the answer cannot be counted and is withheld.
    package static let findsMax = 100_000
    /// Keys of all of them.
    package static let keysMax = 8 * findsMax

    /// One occurrence of a person.
    struct Find {
        var fields: IdentityFields = []
        var isDropped = false
        var keys: Int32 = 0
    }

    /// A key, and who has it.
    struct HeldKey {
        let find: Int32
        let key: PersonKey
    }

    private var finds: [Find] = []
    private var keys: [HeldKey] = []
    private var merging = PersonMerging()

    /// Whether there were more finds, or keys, than are kept.
    package private(set) var isOverfull = false

    package init() {}

    package mutating func removeAll() {
        finds.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        merging.removeAll()
        isOverfull = false
    }

    /// Begins a person; the number is for the calls that follow.
    package mutating func open() -> Int {
        guard finds.count < Self.findsMax else {
            isOverfull = true
            return finds.count - 1
        }
        finds.append(Find())
        return finds.count - 1
    }

    @inline(__always)
    package mutating func add(_ key: PersonKey?, to find: Int) {
        guard let key, find >= 0, find < finds.count else { return }
        guard keys.count < Self.keysMax else {
            isOverfull = true
            return
        }
        finds[find].keys &+= 1
        keys.append(HeldKey(find: Int32(truncatingIfNeeded: find), key: key))
    }

    @inline(__always)
    package mutating func add(_ fields: IdentityFields, to find: Int) {
        guard find >= 0, find < finds.count else { return }
        finds[find].fields.formUnion(fields)
    }

    /// Takes back a person who turned out to be none.
    package mutating func drop(_ find: Int) {
        guard find >= 0, find < finds.count, !isOverfull else { return }
        finds[find].isDropped = true
        // The last one leaves no trace, so that what is tried and taken back fills nothing.
        guard find == finds.count - 1 else { return }
        while finds[find].keys > 0, let last = keys.last, last.find == find {
            keys.removeLast()
            finds[find].keys &-= 1
        }
        if finds[find].keys == 0 { finds.removeLast() }
    }

    /// Whether nobody was found.
    package var isEmpty: Bool { finds.allSatisfy { $0.isDropped } }

    /// Finds out who is the same; called once all are found.
    ///
    /// A find without any key is a person too, and gets a key of its own in this answer.
    package mutating func merge() {
        merging.merge(finds, keys)
    }

    /// Distinct persons; 0 before `merge`.
    package var count: Int { merging.starts.isEmpty ? 0 : merging.starts.count - 1 }

    /// Every distinct person's keys, `starts[i]..<starts[i + 1]` being those of person `i`, never
    /// none, the best first.
    package var allKeys: [UInt64] { merging.keys }
    package var starts: [Int] { merging.starts }

    /// The best key of a person.
    package func key(of person: Int) -> UInt64 { merging.keys[merging.starts[person]] }
    package func fields(of person: Int) -> IdentityFields { merging.fields[person] }

    /// All that is exposed of anybody.
    package var fields: IdentityFields {
        merging.fields.reduce(into: []) { $0.formUnion($1) }
    }
}
