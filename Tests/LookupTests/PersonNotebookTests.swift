// PersonNotebookTests.swift: what an answer's keys were made of, as far as it is kept.

import KeyedHash
import Testing

@testable import Lookup

/// What a notebook says of a hash.
private func text(_ hash: UInt64?, in notebook: PersonNotebook) -> String? {
    var text: String?
    guard let hash else { return nil }
    notebook.read(hash) { bytes in
        text = String(decoding: (0..<bytes.count).map { bytes[$0] }, as: UTF8.self)
    }
    return text
}

@Suite struct `A notebook of persons` {
    private let notebook = PersonNotebook()
    private var hasher: PersonHasher {
        PersonHasher(key: SipKey(low: 1, high: 2), server: "mpi", canonicalSystem: "urn:oid:1.2.3")
            .noting(in: notebook)
    }

    private func key(_ system: String, _ value: String) -> UInt64? {
        let (system, value) = (Array(system.utf8), Array(value.utf8))
        return hasher.identifier(system: system.span, value: value.span)?.hash
    }

    @Test(arguments: [
        (
            "urn:oid:1.2.250.1.213.1.4.8", "185057600000142",
            "urn:oid:1.2.250.1.213.1.4.8|185057600000142"
        ),
        ("1.2.250.1.213.1.4.8", "1850576000001", "urn:oid:1.2.250.1.213.1.4.8|1850576000001"),
        ("1.2.3", " A7 ", "urn:oid:1.2.3|A7"), ("URN:OID:1.9", "x", "urn:oid:1.9|x"),
        ("http://hospital.example/ipp", "42", "http://hospital.example/ipp|42"),
        ("", "42", "|42"),
    ])
    func `knows identifiers as FHIR writes them`(system: String, value: String, noted: String) {
        #expect(text(key(system, value), in: notebook) == noted)
    }

    @Test func `knows local ids with their type`() {
        let (type, id) = (Array("Patient".utf8), Array("123".utf8))
        let key = hasher.local(type: type.span, id: id.span)
        #expect(text(key?.hash, in: notebook) == "Patient/123")
    }

    @Test func `knows no traits`() {
        let (family, given, born) = (Array("A".utf8), Array("B".utf8), Array("19800102".utf8))
        let key = hasher.traits(family: family.span, given: given.span, birthDate: born.span)
        #expect(key != nil && text(key?.hash, in: notebook) == nil)
    }

    @Test func `gives the same keys as without`() {
        let bare = PersonHasher(
            key: SipKey(low: 1, high: 2), server: "mpi", canonicalSystem: "urn:oid:1.2.3")
        for (system, value) in [("1.2.3", "1"), ("1.2.250.1.213.1.4.9", "2"), ("", "3")] {
            let bytes = (Array(system.utf8), Array(value.utf8))
            let wanted = bare.identifier(system: bytes.0.span, value: bytes.1.span)?.hash
            #expect(key(system, value) == wanted)
        }
    }

    @Test func `keeps the first of what is one identifier`() {
        let first = key("1.2.250.1.213.1.4.8", "185057600000142")
        #expect(key("1.2.250.1.213.1.4.8", "1850576000001") == first)
        #expect(text(first, in: notebook) == "urn:oid:1.2.250.1.213.1.4.8|185057600000142")
    }

    @Test func `keeps the beginning of what is too long`() {
        let kept = text(key("http://a", String(repeating: "x", count: 1000)), in: notebook)
        #expect(kept?.utf8.count == 256 && kept?.hasPrefix("http://a|xxx") == true)
        #expect(kept?.hasSuffix("x…") == true && !notebook.isCut)
        let whole = String(repeating: "x", count: 247)
        #expect(text(key("http://b", whole), in: notebook) == "http://b|" + whole)
    }

    @Test func `is bounded, and says what it left out`() {
        let small = PersonNotebook(bytesMax: 1000)
        let hasher = hasher.noting(in: small)
        var known = 0
        for number in 0..<100 {
            let (system, value) = (Array("urn:x".utf8), Array("\(1000 + number)".utf8))
            let key = hasher.identifier(system: system.span, value: value.span)
            if text(key?.hash, in: small) != nil { known += 1 }
        }
        #expect(known == 100 && !small.isCut)
        let long = Array(repeating: UInt8(ascii: "y"), count: 200)
        let none: [UInt8] = []
        let key = hasher.identifier(system: none.span, value: long.span)
        #expect(text(key?.hash, in: small) == nil && small.isCut)
        small.removeAll()
        #expect(!small.isCut)
    }

    @Test func `finds everything among many, and nothing after it is emptied`() {
        let keys = (0..<5000).compactMap { key("1.7", "P\($0)") }
        for (number, key) in keys.enumerated() {
            #expect(text(key, in: notebook) == "urn:oid:1.7|P\(number)")
        }
        notebook.removeAll()
        #expect(keys.allSatisfy { text($0, in: notebook) == nil })
        #expect(text(key("1.7", "P1"), in: notebook) == "urn:oid:1.7|P1")
    }

    @Test func `knows which matricule INSi speaks of`() {
        let inspector = AnswerInspector()
        inspector.begin(
            AnswerExpectation(
                dialect: .insi, status: 200, contentType: Array("text/xml".utf8),
                interaction: .insByTraits), hasher)
        let body = Array(
            XMLSamples.insi(
                "00",
                XMLSamples.individual.replacing("1.2.250.1.213.1.4.8", with: "1.2.250.1.213.1.4.9")
            ).utf8)
        inspector.inspect(body.span, isWhole: true)
        let texts = inspector.findings.persons.allKeys.compactMap { text($0, in: notebook) }
        #expect(texts.contains("urn:oid:1.2.250.1.213.1.4.9|2800176000001"))
    }
}
