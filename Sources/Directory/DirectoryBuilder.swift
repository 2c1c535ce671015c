// DirectoryBuilder.swift: people as they come, line by line, with all their identifiers.

import Identity

/// What becomes a directory once every file is read.
struct DirectoryBuilder {
    /// People a directory may hold; France's has about two million lines.
    static let peopleMax = 10_000_000
    /// Structures of one person, professions, and other identifiers; more are not kept.
    static let structuresMax = 64
    static let professionsMax = 16
    static let aliasesMax = 16

    static let isListed: UInt8 = 1
    static let wasListed: UInt8 = 2
    /// Somebody else has all that was theirs.
    static let isMerged: UInt8 = 4

    /// Values of one person, each with the next; 0 ends a list.
    struct Node {
        let value: UInt32
        let next: UInt32
    }

    struct Person {
        /// Number of the identifier they are counted under.
        let name: UInt32
        var flags: UInt8
        var structures: UInt32 = 0
        var professions: UInt32 = 0
        var aliases: UInt32 = 0
    }

    var names = TextTable()
    /// Of each name, its person plus one; 0 for nobody's.
    var owners: [UInt32] = []
    var people: [Person] = []
    var structures = TextTable()
    var professions = TextTable()
    /// The first is never used, so that 0 can end a list.
    var nodes = [Node(value: 0, next: 0)]
    var hasExtract = false

    /// Pairs of names, ADELI first, each with its place, for when everybody is known.
    private var pairs: [(adeli: UInt32, rpps: UInt32, file: Int, line: Int)] = []

    /// The person with this identifier, new or not; nil when it is no professional's.
    mutating func person(_ id: Span<UInt8>) throws(DirectoryFault) -> Int? {
        guard let name = try name(id) else { return nil }
        return person(named: name)
    }

    private mutating func name(_ id: Span<UInt8>) throws(DirectoryFault) -> Int? {
        if let known = names.number(of: id) { return known }
        // Asked once for each identifier, not for each line.
        guard (try? ProfessionalID(id)) != nil else { return nil }
        guard names.count < Self.peopleMax else { throw .tooMany }
        let number = names.insert(id)
        owners.append(0)
        return number
    }

    private mutating func person(named name: Int) -> Int {
        if owners[name] != 0 { return Int(owners[name]) - 1 }
        people.append(Person(name: UInt32(truncatingIfNeeded: name), flags: 0))
        owners[name] = UInt32(truncatingIfNeeded: people.count)
        return people.count - 1
    }

    mutating func add(structure: Span<UInt8>, to person: Int) {
        guard structure.count > 0 else { return }
        var number = structures.number(of: structure)
        if number == nil {
            guard (try? StructureID(structure)) != nil, structures.count < Self.peopleMax else {
                return
            }
            number = structures.insert(structure)
        }
        guard let number else { return }
        add(number, to: \.structures, of: person, max: Self.structuresMax)
    }

    mutating func add(profession: Span<UInt8>, to person: Int) {
        guard (1...8).contains(profession.count), professions.count < 10_000 else { return }
        for offset in 0..<profession.count {
            let byte = upper(profession[offset])
            guard (0x2F...0x39).contains(byte) || (0x41...0x5A).contains(byte) else { return }
        }
        let number = professions.insert(profession)
        add(number, to: \.professions, of: person, max: Self.professionsMax)
    }

    private mutating func add(
        _ value: Int, to list: WritableKeyPath<Person, UInt32>, of person: Int, max: Int
    ) {
        let value = UInt32(truncatingIfNeeded: value)
        var node = people[person][keyPath: list]
        var count = 0
        while node != 0 {
            if nodes[Int(node)].value == value { return }
            count += 1
            node = nodes[Int(node)].next
        }
        guard count < max, nodes.count < Int(UInt32.max) else { return }
        nodes.append(Node(value: value, next: people[person][keyPath: list]))
        people[person][keyPath: list] = UInt32(truncatingIfNeeded: nodes.count - 1)
    }

    /// Keeps a line of a correspondence file; false when it is none.
    mutating func addPair(
        adeli: Span<UInt8>, rpps: Span<UInt8>, file: Int, line: Int
    ) throws(DirectoryFault) -> Bool {
        guard let adeli = prefixed(adeli, UInt8(ascii: "0"), length: 10),
            let rpps = prefixed(rpps, UInt8(ascii: "8"), length: 12),
            let adeliName = try name(adeli.span), let rppsName = try name(rpps.span)
        else { return false }
        guard pairs.count < Self.peopleMax else { throw .tooMany }
        pairs.append(
            (
                UInt32(truncatingIfNeeded: adeliName), UInt32(truncatingIfNeeded: rppsName), file,
                line
            ))
        return true
    }

    /// A number with the digit that says whose register it is of; it may already be there.
    private func prefixed(_ number: Span<UInt8>, _ prefix: UInt8, length: Int) -> [UInt8]? {
        let digits = (0..<number.count).map { upper(number[$0]) }
        if digits.count == length, digits.first == prefix { return digits }
        return digits.count == length - 1 ? [prefix] + digits : nil
    }

    /// Gives every ADELI number to the person with the RPPS number; what contradicts an earlier
    /// line is given to `refuse`.
    mutating func joinPairs(_ refuse: (_ file: Int, _ line: Int) -> Void) {
        for pair in pairs {
            let person = person(named: Int(pair.rpps))
            let name = Int(pair.adeli)
            guard owners[name] != UInt32(truncatingIfNeeded: person + 1) else { continue }
            if owners[name] != 0 {
                let other = Int(owners[name]) - 1
                // Whoever is counted under another identifier than this one is another person.
                guard people[other].name == pair.adeli else {
                    refuse(pair.file, pair.line)
                    continue
                }
                merge(other, into: person)
            }
            owners[name] = UInt32(truncatingIfNeeded: person + 1)
            add(name, to: \.aliases, of: person, max: Self.aliasesMax)
        }
        pairs = []
    }

    private mutating func merge(_ other: Int, into person: Int) {
        people[person].flags |= people[other].flags
        people[other].flags = Self.isMerged
        for (list, max) in [
            (\Person.structures, Self.structuresMax), (\Person.professions, Self.professionsMax),
        ] {
            var node = people[other][keyPath: list]
            while node != 0 {
                add(Int(nodes[Int(node)].value), to: list, of: person, max: max)
                node = nodes[Int(node)].next
            }
        }
    }
}
