// PersonsTests.swift: who is the same person, and who is not.

import Testing

@testable import Lookup

/// Keys as a test writes them: `C` canonical, `I` INS, `D` of a domain, `L` local, `T` traits.
private func key(_ word: Substring) -> PersonKey {
    let ranks: [Character: KeyRank] = [
        "C": .canonical, "I": .ins, "D": .identifier, "L": .local, "T": .traits,
    ]
    return PersonKey(rank: ranks[word.first ?? "T"] ?? .traits, hash: hash(word))
}

private func hash(_ word: Substring) -> UInt64 {
    word.dropFirst().reduce(UInt64(word.first?.asciiValue ?? 0)) {
        $0 << 8 | UInt64($1.asciiValue ?? 0)
    }
}

/// Finds as lists of keys; `-` before the first drops it.
private func merged(_ finds: [String]) -> Persons {
    var persons = Persons()
    for words in finds {
        let find = persons.open()
        for word in words.split(separator: " ") where word != "-" {
            persons.add(key(word), to: find)
        }
        if words.hasPrefix("-") { persons.drop(find) }
    }
    persons.merge()
    return persons
}

private func sets(_ persons: Persons) -> Set<[UInt64]> {
    Set(
        (0..<persons.count).map {
            Array(persons.allKeys[persons.starts[$0]..<persons.starts[$0 + 1]])
        })
}

@Suite struct `Persons of an answer` {
    @Test(
        arguments: [
            ([], []),
            (["L1"], ["L1"]),
            (["L1", "L2"], ["L1", "L2"]),
            (["L1", "L1"], ["L1"]),
            (["L1 I1 D1"], ["I1 D1 L1"]),
            (["I1 L1", "I1 L2"], ["I1 L1 L2"]),
            (["I1 L1", "I2 L1"], ["I1 L1", "I2 L1"]),
            (["I1 L1", "L1"], ["I1 L1"]),
            (["I1 L1", "L1", "I2 L1"], ["I1 L1", "I2 L1"]),
            (["D1 L1", "I1 L1"], ["I1 D1 L1"]),
            (["D1 L1", "I1 L1", "I2 L1"], ["D1 L1", "I1 L1", "I2 L1"]),
            (["I1 D1", "D1 D2", "D2 L1", "L1"], ["I1 D1 D2 L1"]),
            (["C1 I1", "C2 I1"], ["C1 I1", "C2 I1"]),
            (["C1 I1", "C2 I1", "I1"], ["C1 I1", "C2 I1"]),
            (["C1 I1", "C1 I2"], ["C1 I1 I2"]),
            (["D1 D2", "D1 D3"], ["D1 D2 D3"]),
            (["L1 L1", "- L1", "- L2"], ["L1"]),
            (["L1", "- L1 L2", "L2"], ["L1", "L2"]),
            (["T1", "T1 L1"], ["L1 T1"]),
        ] as [([String], [String])])
    func `are one when they share a key and no stronger one differs`(
        finds: [String], persons: [String]
    ) {
        let wanted = Set(persons.map { $0.split(separator: " ").map { key($0).hash } })
        var order = finds
        for _ in 0..<6 {
            #expect(sets(merged(order)) == wanted)
            order.shuffle()
        }
    }

    @Test func `are not joined by a placeholder`() {
        let finds = (0..<2000).map { "I\($0) L0 T0" }
        let persons = merged(finds + ["L0", "T0"])
        #expect(persons.count == 2000)
    }

    @Test func `keep what each find exposes`() {
        var persons = Persons()
        for (word, field) in [("L1", IdentityFields.name), ("L2", .mail), ("L1", .photo)] {
            let find = persons.open()
            persons.add(key(Substring(word)), to: find)
            persons.add(field, to: find)
        }
        persons.merge()
        #expect(persons.fields(of: 0) == [.name, .photo])
        #expect(persons.fields(of: 1) == .mail)
        #expect(persons.fields == [.name, .photo, .mail])
        #expect(persons.key(of: 1) == key("L2").hash)
    }

    @Test func `are somebody without any key`() {
        var persons = Persons()
        for _ in 0..<3 { _ = persons.open() }
        persons.add(key("L1"), to: 1)
        persons.merge()
        #expect(persons.count == 3)
        #expect(Set(persons.allKeys).count == 3)
        persons.removeAll()
        persons.merge()
        #expect(persons.count == 0 && persons.isEmpty)
    }

    @Test func `leave no trace when taken back at once`() {
        var persons = Persons()
        let kept = persons.open()
        for _ in 0..<(2 * Persons.findsMax) {
            let find = persons.open()
            persons.add(key("L1"), to: find)
            persons.drop(find)
        }
        persons.add(key("L2"), to: kept)
        #expect(!persons.isOverfull)
        persons.merge()
        #expect(persons.allKeys == [key("L2").hash])
    }

    @Test func `are not more than can be counted`() {
        var persons = Persons()
        for _ in 0..<Persons.findsMax { persons.add(key("L1"), to: persons.open()) }
        #expect(!persons.isOverfull)
        _ = persons.open()
        #expect(persons.isOverfull)
        persons.merge()
        #expect(persons.count == 1)
    }

    /// The rule itself, pair by pair, against finds made at random.
    @Test func `obey the rule whatever the order`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed)
        for _ in 0..<300 {
            let finds = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                (0..<Int.random(in: 1...3, using: &random)).map { _ in
                    let rank = ["C", "I", "D", "L", "T"].randomElement(using: &random) ?? "L"
                    return "\(rank)\(Int.random(in: 0...4, using: &random))"
                }.joined(separator: " ")
            }
            let first = merged(finds)
            #expect(sets(first) == sets(merged(finds.shuffled(using: &random))), "seed \(seed)")
            // Everybody's keys are somebody's, and nobody new appears.
            let all = Set(finds.flatMap { $0.split(separator: " ").map { key($0).hash } })
            #expect(Set(first.allKeys) == all, "seed \(seed)")
            // Two with the same best key at the top rank are never two persons.
            let canonical = Set(all.filter { $0 >> 8 == UInt64(UInt8(ascii: "C")) })
            for one in canonical {
                #expect(sets(first).filter { $0.contains(one) }.count == 1, "seed \(seed)")
            }
        }
    }
}

/// Random numbers that can be had again: SplitMix64.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
