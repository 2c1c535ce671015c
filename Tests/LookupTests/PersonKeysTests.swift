// PersonKeysTests.swift: one person is one key, however the identifier is written.

import KeyedHash
import Testing

@testable import Lookup

@Suite struct `Person keys` {
    private let hasher = PersonHasher(
        key: SipKey(low: 1, high: 2), server: "mpi", canonicalSystem: "urn:oid:1.2.3.4")

    private func key(_ system: String, _ value: String) -> PersonKey? {
        let system = Array(system.utf8)
        let value = Array(value.utf8)
        return hasher.identifier(system: system.span, value: value.span)
    }

    @Test(arguments: [
        ("urn:oid:1.2.250.1.213.1.4.8", "109076322083489"),
        ("1.2.250.1.213.1.4.8", "1090763220834"),
        ("URN:OID:1.2.250.1.213.1.4.10", " 1 09 07 63 220 834 "),
        ("1.2.250.1.213.1.4.9", "109076322083400"),
    ])
    func `take a matricule INS for one, key digits or not`(system: String, value: String) {
        let wanted = key("1.2.250.1.213.1.4.8", "1090763220834")
        #expect(key(system, value) == wanted)
        #expect(wanted?.rank == .ins)
    }

    @Test func `tell systems and values apart`() {
        #expect(key("http://a", "1") != key("http://b", "1"))
        #expect(key("http://a", "1") != key("http://a", "2"))
        #expect(key("http://a", "1") == key("http://a", " 1"))
        #expect(key("http://a1", "") == nil)
        #expect(key("1.2.250.1.213.1.4.80", "1")?.rank == .identifier)
    }

    @Test func `know the canonical system in both its spellings`() {
        #expect(key("urn:oid:1.2.3.4", "9")?.rank == .canonical)
        #expect(key("1.2.3.4", "9") == key("urn:oid:1.2.3.4", "9"))
    }
}
