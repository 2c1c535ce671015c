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

    private var finds: [IdentityFields] = []
    private var keys: [(find: Int32, key: PersonKey)] = []
    private var isDropped: [Bool] = []
    /// After `merge`: keys of all distinct persons, each one's best key first.
    private var mergedKeys: [UInt64] = []
    private var mergedStarts: [Int] = []
    private var mergedFields: [IdentityFields] = []

    /// Whether there were more finds than are kept.
    package private(set) var isOverfull = false

    package init() {}

    package mutating func removeAll() {
        finds.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        isDropped.removeAll(keepingCapacity: true)
        mergedKeys.removeAll(keepingCapacity: true)
        mergedStarts.removeAll(keepingCapacity: true)
        mergedFields.removeAll(keepingCapacity: true)
        isOverfull = false
    }

    /// Begins a person; the number is for the calls that follow.
    package mutating func open() -> Int {
        guard finds.count < Self.findsMax else {
            isOverfull = true
            return finds.count - 1
        }
        finds.append([])
        isDropped.append(false)
        return finds.count - 1
    }

    @inline(__always)
    package mutating func add(_ key: PersonKey?, to find: Int) {
        guard let key, find >= 0, find < finds.count else { return }
        keys.append((Int32(truncatingIfNeeded: find), key))
    }

    @inline(__always)
    package mutating func add(_ fields: IdentityFields, to find: Int) {
        guard find >= 0, find < finds.count else { return }
        finds[find].formUnion(fields)
    }

    /// Takes back a person who turned out to be none.
    package mutating func drop(_ find: Int) {
        guard find >= 0, find < isDropped.count else { return }
        isDropped[find] = true
    }

    /// Distinct persons; 0 before `merge`.
    package var count: Int { mergedStarts.isEmpty ? 0 : mergedStarts.count - 1 }

    /// Every distinct person's keys, `starts[i]..<starts[i + 1]` being those of person `i`.
    package var allKeys: [UInt64] { mergedKeys }
    package var starts: [Int] { mergedStarts }

    /// The best key of a person.
    package func key(of person: Int) -> UInt64 { mergedKeys[mergedStarts[person]] }
    package func fields(of person: Int) -> IdentityFields { mergedFields[person] }

    /// All that is exposed of anybody.
    package var fields: IdentityFields {
        mergedFields.reduce(into: []) { $0.formUnion($1) }
    }
}
