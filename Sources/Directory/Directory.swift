// Directory.swift: everybody of the professionals' directory, found by any of their identifiers.

/// The professionals' directory as it was read; immutable, so that all workers share one.
///
/// An identifier takes about 30 bytes with its index, a person 20, and each structure or
/// profession of a person 8.
package final class Directory: Sendable {
    private let names: TextTable
    private let owners: [UInt32]
    private let people: [DirectoryBuilder.Person]
    private let structures: TextTable
    private let professions: TextTable
    private let nodes: [DirectoryBuilder.Node]
    /// Whether any extract was read; without one nobody can be unknown.
    package let hasExtract: Bool
    /// People an extract has today, people only an older edition has, and identifiers beside the
    /// one somebody is counted under.
    package let listedCount: Int
    package let leftCount: Int
    package let aliasCount: Int

    init(_ builder: consuming DirectoryBuilder) {
        hasExtract = builder.hasExtract
        var (listed, left) = (0, 0)
        for person in builder.people where person.flags & DirectoryBuilder.isMerged == 0 {
            if person.flags & DirectoryBuilder.isListed != 0 { listed += 1 }
            if person.flags == DirectoryBuilder.wasListed { left += 1 }
        }
        (listedCount, leftCount) = (listed, left)
        var aliases = 0
        for number in 0..<builder.owners.count where builder.owners[number] != 0 {
            let person = builder.people[Int(builder.owners[number]) - 1]
            if Int(person.name) != number { aliases += 1 }
        }
        aliasCount = aliases
        builder.names.compact()
        builder.structures.compact()
        names = builder.names
        owners = Array(builder.owners)
        people = Array(builder.people)
        structures = builder.structures
        professions = builder.professions
        nodes = Array(builder.nodes)
    }

    package var structureCount: Int { structures.count }

    /// Bytes in memory.
    package var memory: Int {
        names.memory + structures.memory + professions.memory + owners.capacity * 4
            + people.capacity * MemoryLayout<DirectoryBuilder.Person>.stride
            + nodes.capacity * MemoryLayout<DirectoryBuilder.Node>.stride
    }

    /// What is known of whoever has this national identifier, whichever of theirs it is.
    package func person(_ id: Span<UInt8>) -> DirectoryPerson? {
        guard let number = number(of: id) else { return nil }
        let person = people[number]
        return DirectoryPerson(
            id: names[Int(person.name)], aliases: values(person.aliases).map { names[$0] },
            structures: values(person.structures).map { structures[$0] },
            professions: values(person.professions).map { professions[$0] },
            hasLeft: person.flags == DirectoryBuilder.wasListed,
            isListed: person.flags & DirectoryBuilder.isListed != 0)
    }

    /// The same, for a text.
    package func person(_ id: String) -> DirectoryPerson? {
        let bytes = Array(id.utf8)
        return person(bytes.span)
    }

    /// Whether whoever has this identifier is there; allocates nothing.
    package func standing(of id: Span<UInt8>) -> DirectoryStanding {
        guard hasExtract else { return .unchecked }
        guard let number = number(of: id) else { return .unknown }
        let flags = people[number].flags
        if flags & DirectoryBuilder.isListed != 0 { return .known }
        return flags & DirectoryBuilder.wasListed != 0 ? .left : .unknown
    }

    private func number(of id: Span<UInt8>) -> Int? {
        guard let name = names.number(of: id), owners[name] != 0 else { return nil }
        return Int(owners[name]) - 1
    }

    /// The values of a list, in the order they came.
    private func values(_ first: UInt32) -> [Int] {
        var values: [Int] = []
        var node = first
        while node != 0 {
            values.append(Int(nodes[Int(node)].value))
            node = nodes[Int(node)].next
        }
        return values.reversed()
    }
}
