// TermHash.swift: what an entry is found by, as keyed hashes: no index holds a name.
//
// Under a key of each segment's own, so that two indexes cannot be laid over one another.

internal import KeyedHash
internal import Lookup

/// A hash of 63 bits, so that it sorts as SQLite's integers do.
typealias TermHash = UInt64

/// What kind of thing an entry is found by.
enum TermKind: UInt8 {
    case professional = 0x20
    case structure
    /// The gate's own keyed hash of a patient.
    case person
    case session
    case certificate
    case client
    case token
    /// Other than `allow`, which most entries have.
    case decision
    case event
    /// Only `aborted`.
    case delivery
    /// Kept apart, in two bytes an entry.
    case request
    /// What tells that an index belongs to a segment.
    case mark
}

/// Makes the hashes of one segment's index.
struct TermHasher: Sendable {
    private let key: SipKey
    private let persons: PersonHasher

    /// `indexKey` has 16 bytes at least, of which so many are used.
    init(indexKey: [UInt8]) {
        precondition(indexKey.count >= 16, "a key has bytes enough")
        func word(_ start: Int) -> UInt64 {
            (0..<8).reduce(0) { $0 | UInt64(indexKey[start + $1]) << UInt64(8 * $1) }
        }
        key = SipKey(low: word(0), high: word(8))
        persons = PersonHasher(key: key, server: "")
    }

    /// The hash of a text as the record has it.
    @inline(__always)
    func hash(_ kind: TermKind, _ text: Span<UInt8>) -> TermHash {
        var hasher = SipHasher(key)
        hasher.append(kind.rawValue)
        hasher.append(text)
        return hasher.finish().first >> 1
    }

    func hash(_ kind: TermKind, _ text: String) -> TermHash {
        let bytes = Array(text.utf8)
        return hash(kind, bytes.span)
    }

    /// The hash of a patient under the gate's own keyed hash.
    func hash(person: UInt64) -> TermHash {
        var hasher = SipHasher(key)
        hasher.append(TermKind.person.rawValue)
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            hasher.append(UInt8(truncatingIfNeeded: person >> shift))
        }
        return hasher.finish().first >> 1
    }

    /// The hash of `system|value`; nil when it has no value.
    ///
    /// The same for all ways to write one identifier: `urn:oid:` or not, a matricule INS with its
    /// key digits or without.
    func hash(identifier: Span<UInt8>) -> TermHash? {
        var bar = 0
        while bar < identifier.count, identifier[bar] != UInt8(ascii: "|") { bar += 1 }
        guard bar < identifier.count else {
            return persons.identifier(
                system: identifier.extracting(0..<0), value: identifier
            ).map { $0.hash >> 1 }
        }
        return persons.identifier(
            system: identifier.extracting(0..<bar),
            value: identifier.extracting((bar + 1)..<identifier.count)
        ).map { $0.hash >> 1 }
    }

    func hash(identifier: String) -> TermHash? {
        let bytes = Array(identifier.utf8)
        return hash(identifier: bytes.span)
    }
}
