// PersonLinks.swift: which keys name the same person: a bounded table in the file of persons.
//
// An answer that gives a person's INS and local id says that they are one person; a later answer
// may give the local id alone. Each weaker key is linked to the best one it was seen with.
//
// INVARIANT: links never make two persons one. A weaker key seen with two different persons (a
// placeholder, the name of two people born on one day) is marked so and links to nobody for ever;
// a link torn by a kill, lost, or crowded out counts one person twice, which is the safe side.
//
// A link is two words, the weaker key being told only by both: `key ^ mixed(best)`, `best`. Four
// links that share a cache line are looked at for one key.

import Synchronization

/// The links of one file.
struct PersonLinks: Sendable {
    private let locks = StripeLocks()
    private let mask: UInt64

    private static let ways = 4
    /// In place of a best key: seen with two persons.
    private static let ambiguous: UInt64 = 1
    /// Links followed one after another: a local id to an identifier to the canonical one.
    static let hopsMax = 4

    init(links: Int) { mask = UInt64(links / Self.ways) - 1 }

    private enum Link: Equatable {
        case none
        case ambiguous
        case to(UInt64)
    }

    @inline(__always)
    private func first(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: mixed(key) & mask) * Self.ways
    }

    /// Where a key leads, and the place of its link.
    @inline(__always)
    private func look(
        _ key: UInt64, _ mapping: borrowing PersonsMapping
    ) -> (link: Link, place: Int?) {
        let first = first(key)
        for place in first..<first + Self.ways {
            // Safe because `first` lies in the table; a torn pair is some other key's.
            let best = unsafe mapping.link(place, 1).pointee.load(ordering: .relaxed)
            let told = unsafe mapping.link(place, 0).pointee.load(ordering: .relaxed)
            if best != 0, told ^ mixed(best) == key {
                return (best == Self.ambiguous ? .ambiguous : .to(best), place)
            }
        }
        return (.none, nil)
    }

    /// The better key that a key was seen with; `nil` when it leads to nobody.
    @inline(__always)
    func next(_ key: UInt64, _ mapping: borrowing PersonsMapping) -> UInt64? {
        guard case .to(let best) = look(key, mapping).link, best != key else { return nil }
        return best
    }

    /// What a link's two words say; nil where it leads to nobody.
    static func pair(_ told: UInt64, _ best: UInt64) -> (weaker: UInt64, best: UInt64)? {
        best == 0 || best == ambiguous ? nil : (told ^ mixed(best), best)
    }

    /// Whom a key names: itself, unless it is linked to a better one.
    @inline(__always)
    func resolve(_ key: UInt64, _ mapping: borrowing PersonsMapping) -> UInt64 {
        var key = key
        for _ in 0..<Self.hopsMax {
            guard let best = next(key, mapping) else { return key }
            key = best
        }
        return key
    }

    /// Whom a person's keys name, the best key first; learns the links they show.
    func settle(
        _ keys: Span<UInt64>, _ mapping: borrowing PersonsMapping
    ) -> UInt64 {
        let canonical = resolve(keys[0], mapping)
        for index in 1..<max(keys.count, 1) {
            let key = keys[index]
            if key == canonical || key == keys[0] { continue }
            switch look(key, mapping).link {
            case .ambiguous: continue
            case .to(let best) where best == canonical: continue
            case .to, .none: learn(key, canonical, mapping)
            }
        }
        return canonical
    }

    @inline(never)
    private func learn(
        _ key: UInt64, _ canonical: UInt64, _ mapping: borrowing PersonsMapping
    ) {
        let first = first(key)
        locks.withLock(first / Self.ways % StripeLocks.count) {
            let found = look(key, mapping)
            switch found.link {
            case .ambiguous: return
            case .to(let best):
                guard let place = found.place, best != canonical else { return }
                // The person it led to may himself have turned out to be this one.
                let isSame = resolve(best, mapping) == canonical
                set(place, key, isSame ? canonical : Self.ambiguous, mapping)
            case .none:
                guard let place = freePlace(from: first, for: key, mapping) else { return }
                set(place, key, canonical, mapping)
            }
        }
    }

    /// A free place, or one whose link is given up: never that of an ambiguous key, which would
    /// become a way to make two persons one.
    private func freePlace(
        from first: Int, for key: UInt64, _ mapping: borrowing PersonsMapping
    ) -> Int? {
        var chosen: Int?
        let turn = Int(truncatingIfNeeded: mixed(key) >> 60) % Self.ways
        for step in 0..<Self.ways {
            let place = first + (turn + step) % Self.ways
            // Safe because the place lies in the table.
            let best = unsafe mapping.link(place, 1).pointee.load(ordering: .relaxed)
            if best == 0 { return place }
            if best != Self.ambiguous, chosen == nil { chosen = place }
        }
        return chosen
    }

    private func set(
        _ place: Int, _ key: UInt64, _ best: UInt64, _ mapping: borrowing PersonsMapping
    ) {
        // Safe because the place lies in the table; between the two the pair names no key that
        // anybody has.
        unsafe mapping.link(place, 0).pointee.store(key ^ mixed(best), ordering: .relaxed)
        unsafe mapping.link(place, 1).pointee.store(best, ordering: .releasing)
    }
}

/// A number that each bit of `key` has its part in.
@inline(__always)
func mixed(_ key: UInt64) -> UInt64 {
    var mixed = key &+ 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
}
