// ShownPersons.swift: an answer's persons, looked up in the sets of those to whom they are shown.

/// An answer's persons as one subject's set knows them.
struct ShownPart {
    let look: PersonLook
    let entry: Int?
    /// By which each person is stamped.
    let hashes: PersonHashes
    /// Persons who are not in the set.
    var unseen = 0
    /// Persons new to each window.
    var newIn = InlineArray<16, UInt32>(repeating: 0)
    var plan: PersonsPlan?
}

/// An answer's persons, for a professional and his structure.
struct ShownPersons {
    var professional: ShownPart?
    var structure: ShownPart?

    // One by one, as a whole part is too large to be copied for each window.

    /// How many persons are new to a window; `nil` when its holder is shown nobody.
    @inline(__always)
    func new(to ordinal: Int, of holder: LimitHolder) -> UInt64? {
        switch holder {
        case .professional: professional.map { UInt64($0.newIn[ordinal]) }
        case .structure: structure.map { UInt64($0.newIn[ordinal]) }
        }
    }

    @inline(__always)
    func look(of holder: LimitHolder) -> PersonLook? {
        switch holder {
        case .professional: professional?.look
        case .structure: structure?.look
        }
    }

    func hashes(of holder: LimitHolder) -> PersonHashes? {
        switch holder {
        case .professional: professional?.hashes
        case .structure: structure?.hashes
        }
    }

    /// Makes room in both sets, or in none.
    mutating func prepare(_ table: PersonsTable, held: HeldStripes) -> Bool {
        if professional != nil, professional?.prepare(table, held: held) != true { return false }
        if structure != nil, structure?.prepare(table, held: held) != true {
            if let plan = professional?.plan { table.cancel(plan) }
            return false
        }
        return true
    }

    func commit(_ table: PersonsTable) {
        professional?.commit(table)
        structure?.commit(table)
    }
}

extension ShownPart {
    fileprivate mutating func prepare(_ table: PersonsTable, held: HeldStripes) -> Bool {
        plan = table.prepare(look, entry: entry, hashes, unseen: unseen, held: held)
        return plan != nil
    }

    fileprivate func commit(_ table: PersonsTable) {
        if let plan { table.commit(plan, look, hashes) }
    }
}

extension PersonsTable {
    /// The one key of each person of an answer, as links have it.
    func name(_ keys: Span<UInt64>, _ starts: Span<Int>, _ names: PersonHashes) {
        for person in 0..<names.count {
            let range = Self.range(of: person, starts, keys.count)
            // Who is known by nothing is somebody else each time: counted too often, not too rarely.
            names[person] =
                range.isEmpty
                ? UInt64.random(in: 0 ... .max) : links.settle(keys.extracting(range), mapping)
        }
    }

    static func range(of person: Int, _ starts: Span<Int>, _ count: Int) -> Range<Int> {
        let lower = min(max(starts[person], 0), count)
        return lower..<min(max(starts[person + 1], lower), count)
    }

    /// Looks a person up by his name.
    @inline(__always)
    func age(
        of name: UInt64, _ keys: Span<UInt64>, _ range: Range<Int>, in look: PersonLook
    ) -> (hash: UInt64, age: UInt64?) {
        let hash = Self.hash(name, look.owner)
        if let age = look.age(of: hash) { return (hash, age) }
        if range.count == 1, keys[range.lowerBound] == name { return (hash, nil) }
        return otherAge(of: name, keys, range, in: look) ?? (hash, nil)
    }

    /// Looks a person up by those of his keys that lead to his name, and what they lead through:
    /// he may have been shown before the better key was known.
    @inline(never)
    private func otherAge(
        of name: UInt64, _ keys: Span<UInt64>, _ range: Range<Int>, in look: PersonLook
    ) -> (hash: UInt64, age: UInt64?)? {
        for index in range {
            var key = keys[index]
            for _ in 0..<PersonLinks.hopsMax where key != name {
                let hash = Self.hash(key, look.owner)
                if let age = look.age(of: hash), links.resolve(key, mapping) == name {
                    return (hash, age)
                }
                guard let next = links.next(key, mapping) else { break }
                key = next
            }
        }
        return nil
    }
}

extension LimitTable {
    /// Looks an answer's persons up in a holder's set, under his lock.
    @inline(__always)
    func look(
        at keys: Span<UInt64>, _ starts: Span<Int>, _ names: PersonHashes,
        _ hashes: PersonHashes, _ holder: LimitHolder, _ terms: ChargeTerms
    ) -> ShownPart? {
        guard let key = terms.who.key(of: holder) else { return nil }
        let owner = ProfessionalKey(high: key.high, low: key.low ^ terms.set.personsMark)
        let (entry, block) = persons.block(of: owner)
        let look = PersonLook(owner: owner, block: block, now: terms.now)
        var part = ShownPart(look: look, entry: entry, hashes: hashes)
        let windows = terms.set.prepared
        var mine: UInt16 = 0
        for ordinal in 0..<windows.count
        where windows[ordinal].count == .patients && windows[ordinal].each == holder {
            mine |= 1 << UInt16(ordinal)
        }
        for person in 0..<names.count {
            let range = PersonsTable.range(of: person, starts, keys.count)
            let (hash, age) = persons.age(of: names[person], keys, range, in: look)
            hashes[person] = hash
            if age == nil { part.unseen += 1 }
            let reached = age ?? .max
            for ordinal in 0..<windows.count
            where mine >> UInt16(ordinal) & 1 == 1 && reached > windows[ordinal].spanTicks {
                part.newIn[ordinal] &+= 1
            }
        }
        return part
    }
}
