// SubjectTests.swift: reading a distinguished name from DER, good, bad and hostile.

import Identity
import Testing

private let card = name([
    [Pair("C", "FR", .printable)], [Pair("title", "Médecin")],
    [Pair("CN", "810002813839", .printable), Pair("SN", "DONNAT-GADY"), Pair("GN", "ISABELLE")],
])

@Suite struct `A certificate's subject` {
    @Test func `gives every attribute, with the relative name it was in`() throws {
        let subject = try CertificateSubject(der: card.span)
        #expect(subject.attributes.map(\.name.description) == ["C", "title", "CN", "SN", "GN"])
        #expect(subject.attributes.map(\.relativeName) == [0, 1, 2, 2, 2])
        #expect(try subject.value(of: .commonName) == "810002813839")
        #expect(try subject.value(of: .title) == "Médecin")
        #expect(try subject.value(of: .pseudonym) == nil)
    }

    @Test(arguments: [
        (Tag.utf8, Array("Hélène".utf8), "Hélène"),
        (.printable, Array("A/B+C=D, E".utf8), "A/B+C=D, E"),
        (.ia5, Array("a@b".utf8), "a@b"),
        (.numeric, Array("12 3".utf8), "12 3"),
        (.visible, Array("~".utf8), "~"),
        (.teletex, [0x48, 0xE9, 0x6C], "Hél"),
        (.bmp, [0x00, 0x48, 0x20, 0xAC], "H€"),
        (.bmp, [0xD8, 0x3D, 0xDE, 0x00], "😀"),
        (.universal, [0, 1, 0xF6, 0x00], "😀"),
        (.utf8, [], ""),
    ])
    func `reads every kind of text`(tag: Tag, bytes: [UInt8], text: String) throws {
        let subject = try CertificateSubject(der: name([[Pair("CN", bytes: bytes, tag)]]).span)
        #expect(try subject.value(of: .commonName) == text)
    }

    @Test(arguments: [
        (Tag.utf8, [UInt8(0xC3)]), (.utf8, [0xC0, 0x80]), (.utf8, [0xED, 0xA0, 0x80]),
        (.printable, [0xE9]), (.ia5, [0x80]), (.bmp, [0]), (.bmp, [0xD8, 0x3D]),
        (.universal, [0, 0, 0]), (.universal, [0, 0x11, 0, 0]), (.universal, [0, 0, 0xD8, 0]),
    ])
    func `refuses text that is not what it claims to be`(tag: Tag, bytes: [UInt8]) {
        #expect(throws: CertificateSubjectError.badValue) {
            try CertificateSubject(der: name([[Pair("CN", bytes: bytes, tag)]]).span)
        }
    }

    @Test func `keeps a value that holds no text, and does not let it identify`() throws {
        let subject = try CertificateSubject(
            der: name([[Pair("CN", bytes: [0, 1], .bitString)]]).span)
        #expect(subject.attributes.map(\.value) == [nil])
        #expect(throws: CertificateSubjectError.badValue) {
            try subject.value(of: .commonName)
        }
    }

    @Test func `refuses to choose between two values`() throws {
        let twice = name([[Pair("CN", "899700218896")], [Pair("CN", "899700427885")]])
        let subject = try CertificateSubject(der: twice.span)
        #expect(throws: CertificateSubjectError.repeated(.commonName)) {
            try subject.value(of: .commonName)
        }
    }

    @Test func `may be empty`() throws {
        #expect(try CertificateSubject(der: [0x30, 0x00].span).isEmpty)
    }

    @Test(arguments: [
        ([], CertificateSubjectError.notDER),
        ([0x30], .notDER),
        ([0x30, 0x80, 0x00, 0x00], .notDER),  // indefinite length: BER, not DER
        ([0x30, 0x81, 0x00], .notDER),  // length not minimal
        ([0x30, 0x01], .notDER),
        ([0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], .notDER),
        ([0x30, 0x88, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .notDER),
        ([0x30, 0x00, 0x00], .notDER),  // trailing byte
        ([0x31, 0x00], .notAName),
        ([0x04, 0x00], .notAName),
        ([0x30, 0x02, 0x30, 0x00], .notAName),
        ([0x30, 0x02, 0x31, 0x00], .notAName),  // relative name without attribute
        ([0x30, 0x04, 0x31, 0x02, 0x30, 0x00], .notAName),
        (tlv(0x30, tlv(0x31, tlv(0x30, tlv(0x06, []) + tlv(0x0C, [])))), .notAName),
        (tlv(0x30, tlv(0x31, tlv(0x30, tlv(0x06, [0x55, 0x84]) + tlv(0x0C, [])))), .notAName),
        (tlv(0x30, tlv(0x31, tlv(0x30, tlv(0x06, [0x55, 4, 3])))), .notAName),
        (tlv(0x30, tlv(0x31, tlv(0x30, tlv(0x06, [0x55, 4, 3]) + [5, 0, 5, 0]))), .notAName),
        (tlv(0x30, tlv(0x31, tlv(0x30, tlv(0x06, [0x55, 4, 3]) + tlv(0x2C, [])))), .badValue),
        ([UInt8](repeating: 0x30, count: 16_385), .tooLong(length: 16_385)),
        (name([[Pair]](repeating: [Pair("O", "x")], count: 65)), .tooManyAttributes),
    ])
    func `is refused when it is not a name in DER`(der: [UInt8], error: CertificateSubjectError) {
        #expect(throws: error) { try CertificateSubject(der: der.span) }
    }

    @Test func `holds as many attributes as it may`() throws {
        let full = name([[Pair]](repeating: [Pair("O", "x")], count: 64))
        #expect(try CertificateSubject(der: full.span).attributes.count == 64)
    }

    @Test func `never traps, whatever is done to its bytes`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix64(state: seed)
        print("seed of the mutations: \(seed)")
        for _ in 0..<20_000 {
            var bytes = card
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
                default: if bytes.count > 1 { bytes.remove(at: at) }
                }
            }
            fuzzIdentity(bytes.span)
        }
    }
}

@Suite struct `An attribute's name` {
    @Test(arguments: [
        ("CN", AttributeName.commonName), ("cn", .commonName), ("commonName", .commonName),
        ("2.5.4.3", .commonName), ("SN", .surname), ("serialNumber", .serialNumber),
        ("GN", .givenName), ("OU", .organisationalUnit), ("O", .organisation), ("title", .title),
        ("pseudonym", .pseudonym), ("UID", .userID), ("0.9.2342.19200300.100.1.1", .userID),
    ])
    func `is a word or a dotted identifier`(text: String, name: AttributeName) {
        #expect(AttributeName(text) == name)
    }

    @Test(arguments: [
        "", "common", "2", "2.", "2..5", "3.1", "1.40", "2.5.4.x", "2.5.4.-3", "+2.5.4.3",
        "2.5.4.99999999999", "99999999999999999999.1", "2.5." + String(repeating: "1.", count: 200),
    ])
    func `is refused when it is neither`(text: String) {
        #expect(AttributeName(text) == nil)
    }

    @Test func `of no known word is written dotted`() throws {
        let name = try #require(AttributeName("1.2.250.1.71.4.2.1"))
        #expect(name.description == "1.2.250.1.71.4.2.1")
    }
}
