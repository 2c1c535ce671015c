// SubjectTests.swift: subjects as written on a command line.

import Testing

@testable import Neutralization

private let fingerprint = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

@Suite struct `A subject` {
    @Test(arguments: [
        ("899700218896", "account:899700218896"), ("account:00b7010446", "account:00B7010446"),
        ("500000001815646/cpat00045", "account:500000001815646/CPAT00045"),
        ("ANS20231122132732", "account:ANS20231122132732"), ("a.b_c-d", "account:A.B_C-D"),
        ("certificate:sha256:" + fingerprint, "certificate:sha256:" + fingerprint),
        ("certificate:SHA256:" + fingerprint.uppercased(), "certificate:sha256:" + fingerprint),
        ("structure:10b0152872", "structure:10B0152872"),
        (
            "structure:" + String(repeating: "9", count: 32),
            "structure:99999999999999999999999999999999"
        ),
        (
            "serial:1120CE19@AC IGC-SANTE FORT PERSONNES",
            "serial:1120ce19@AC%20IGC-SANTE%20FORT%20PERSONNES"
        ),
        (
            "serial:00:11:20:ce:19@ Ac  igc-sante%20%20fort personnes ",
            "serial:1120ce19@AC%20IGC-SANTE%20FORT%20PERSONNES"
        ),
        ("serial:A0B@x", "serial:0a0b@X"), ("serial:0@x", "serial:00@X"),
        ("serial:0000@x", "serial:00@X"), ("serial:1@a@b%25", "serial:01@A@B%25"),
        ("serial:1@Autorité", "serial:01@AUTORIT%c3%a9"),
        ("serial:1@a=b#'\"$;", "serial:01@A%3dB%23%27%22%24%3b"),
        ("network:203.0.113.0/24", "network:203.0.113.0/24"),
        ("network:203.0.113.7", "network:203.0.113.7/32"),
        ("network:0.0.0.0/0", "network:0.0.0.0/0"), ("network:::/0", "network:::/0"),
        ("network:2001:DB8::/32", "network:2001:db8::/32"),
        ("network:2001:db8::1", "network:2001:db8::1/128"),
        ("session:3f2A-9", "session:3f2A-9"), ("token:a:b@c/d=", "token:a:b@c/d="),
        ("client:Vendor.example", "client:Vendor.example"),
    ])
    func `reads back as what it is written`(text: String, canonical: String) throws {
        let subject = try Subject(text)
        #expect(subject.description == canonical)
        #expect(try Subject(canonical) == subject)
    }

    @Test func `may have its fingerprint written with colons`() throws {
        var pairs: [Substring] = []
        var rest = fingerprint.uppercased()[...]
        while !rest.isEmpty {
            pairs.append(rest.prefix(2))
            rest = rest.dropFirst(2)
        }
        let subject = try Subject("certificate:sha256:" + pairs.joined(separator: ":"))
        #expect(subject.description == "certificate:sha256:" + fingerprint)
    }

    @Test(arguments: [
        ("", SubjectError.empty), ("account:", .empty),
        (String(repeating: "A", count: 65), .accountLength(65)),
        ("8997 00218896", .accountByte(0x20, at: 4)), ("account:é", .accountByte(0xC3, at: 0)),
        ("899700218896\n", .accountByte(0x0A, at: 12)), ("A,B", .accountByte(0x2C, at: 1)),
        ("acount:8", .unknownKind("acount")), ("2001:db8::1", .unknownKind("2001")),
        ("\u{1B}[31m:8", .unknownKind("?[31m")),
        ("certificate:" + fingerprint, .notSHA256), ("certificate:sha1:00", .notSHA256),
        ("certificate:sha256:", .fingerprintLength(digits: 0)),
        ("certificate:sha256:" + fingerprint.dropLast(), .fingerprintLength(digits: 63)),
        ("certificate:sha256:" + fingerprint + "0", .fingerprintLength(digits: 65)),
        ("certificate:sha256:9x", .fingerprintByte(0x78, at: 8)),
        ("certificate:sha256:9:f", .fingerprintByte(0x3A, at: 8)),
        ("certificate:sha256:9f::86", .fingerprintByte(0x3A, at: 10)),
        ("network:203.0.113.7/24", .hostBits("203.0.113.0/24")),
        ("network:2001:db8::1/32", .hostBits("2001:db8::/32")),
        ("network:203.0.113.0/33", .prefixLength(max: 32, at: 12)),
        ("network:203.0.113.0/", .prefixLength(max: 32, at: 12)),
        ("network:203.0.113.0/08", .prefixLength(max: 32, at: 12)),
        ("network:203.0.113.0/-1", .prefixLength(max: 32, at: 12)),
        ("network:::/129", .prefixLength(max: 128, at: 3)),
        ("network:::ffff:203.0.113.0/120", .mappedNetwork), ("network:example.org", .notAnAddress),
    ])
    func `is refused when it is none`(text: String, error: SubjectError) {
        #expect(throws: error) { try Subject(text) }
        #expect(!error.message.isEmpty)
        #expect(!error.hint.isEmpty)
    }

    @Test(arguments: [
        ("session:", SubjectError.empty), ("token:a b", .nameByte(0x20, at: 1)),
        ("client:" + String(repeating: "x", count: 256), .nameLength(256)),
    ])
    func `is refused when it is no name`(text: String, error: SubjectError) {
        #expect(throws: error) { try Subject(text) }
        #expect(!error.message.isEmpty)
        #expect(!error.hint.isEmpty)
    }

    @Test(arguments: [
        ("structure:", SubjectError.empty),
        ("structure:10B0152872/7", .structureByte(0x2F, at: 10)),
        ("structure:" + String(repeating: "9", count: 33), .structureLength(33)),
    ])
    func `is refused when it is no structure`(text: String, error: SubjectError) {
        #expect(throws: error) { try Subject(text) }
        #expect(!error.message.isEmpty)
        #expect(!error.hint.isEmpty)
    }

    @Test(arguments: [
        ("serial:0A", SubjectError.serialWithoutIssuer), ("serial:0A@", .serialWithoutIssuer),
        ("serial:0A@ %20", .serialWithoutIssuer), ("serial:@CA", .serialLength(digits: 0)),
        ("serial:0x0A@CA", .serialByte(0x78, at: 1)), ("serial:0A:@CA", .serialByte(0x3A, at: 2)),
        ("serial::0A@CA", .serialByte(0x3A, at: 0)), ("serial:0A::0B@CA", .serialByte(0x3A, at: 3)),
        ("serial:0A:1@CA", .serialLength(digits: 3)),
    ])
    func `is refused when it is no serial number and issuer`(text: String, error: SubjectError) {
        #expect(throws: error) { try Subject(text) }
        #expect(!error.message.isEmpty)
        #expect(!error.hint.isEmpty)
    }

    @Test(arguments: [
        (
            "serial:" + String(repeating: "1", count: 129) + "@CA",
            SubjectError.serialLength(digits: 130)
        ),
        ("serial:" + String(repeating: "0", count: 257) + "@CA", .serialLength(digits: 257)),
        ("serial:0A@CA%2", .issuerEscape(at: 5)), ("serial:0A@CA%", .issuerEscape(at: 5)),
        ("serial:0A@%zz", .issuerEscape(at: 3)), ("serial:0A@C\u{1}", .issuerByte(1, at: 3)),
        ("serial:0A@C%0aA", .issuerByte(0x0A, at: 3)), ("serial:0A@C%7f", .issuerByte(0x7F, at: 3)),
        ("serial:0A@%c3", .notUTF8), ("serial:0A@\u{E9}%a9", .notUTF8),
        ("serial:0A@" + String(repeating: "x", count: 256), .issuerLength(256)),
        ("serial:0A@" + String(repeating: " x", count: 400), .issuerLength(800)),
    ])
    func `is refused when its serial number or issuer is no text`(text: String, error: SubjectError)
    {
        #expect(throws: error) { try Subject(text) }
        #expect(!error.message.isEmpty)
        #expect(!error.hint.isEmpty)
    }
}

@Suite struct `An address` {
    @Test(arguments: [
        "0.0.0.0", "255.255.255.255", "::", "::1", "1::", "1:2:3:4:5:6:7:8", "2001:db8::1",
        "1:0:0:2::3", "fe80::1:0:0:1", "1:2:3:4:5:6:0:8",
    ])
    func `reads back as what RFC 5952 writes`(text: String) {
        #expect(NetworkAddress(text)?.description == text)
    }

    @Test(arguments: [
        ("::ffff:192.0.2.1", "192.0.2.1"), ("::FFFF:C000:0201", "192.0.2.1"),
        ("1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201"), ("0:0:0:0:0:0:0:0", "::"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
    ])
    func `may be written otherwise`(text: String, canonical: String) {
        #expect(NetworkAddress(text)?.description == canonical)
    }

    @Test(arguments: [
        "", "1", ".", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "1..2.3", "1.2.3.",
        ":", ":::", "1:", ":1", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::",
        "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "g::", "1.2.3.4::", "::1.2.3", "::1.2.3.4.5",
        "1:2:3:4:5:6:7:1.2.3.4", "fe80::1%eth0", "[::1]", "::1:", "1:2:3:4:5:6:7:8:",
    ])
    func `is refused when it is none`(text: String) {
        #expect(NetworkAddress(text) == nil)
    }

    @Test func `is the same from text and from the network`() {
        let v4: [UInt8] = [203, 0, 113, 7]
        #expect(NetworkAddress(networkOrder: v4.span) == NetworkAddress("203.0.113.7"))
        let mapped: [UInt8] = Array(repeating: 0, count: 10) + [255, 255, 203, 0, 113, 7]
        #expect(NetworkAddress(networkOrder: mapped.span) == NetworkAddress("203.0.113.7"))
        let v6: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + Array(repeating: 0, count: 11) + [1]
        #expect(NetworkAddress(networkOrder: v6.span) == NetworkAddress("2001:db8::1"))
        #expect(NetworkAddress(networkOrder: [1, 2, 3].span) == nil)
    }
}

@Suite struct `The hashes` {
    @Test(arguments: [
        ("", "6c62272e07bb014262b821756295c58d"), ("a", "d228cb696f1a8caf78912b704e4a8964"),
        ("foobar", "343e1662793c64bf6f0d3597ba446f18"),
    ])
    func `of identifiers are FNV-1a as published`(text: String, expected: String) {
        var hash = FNV128()
        for byte in text.utf8 { hash.add(byte) }
        #expect(String(UInt128(hash.high) << 64 | UInt128(hash.low), radix: 16) == expected)
    }

    @Test func `of journal lines are CRC-32C as published`() {
        #expect(crc32c(Array("123456789".utf8).span) == 0xE306_9283)
        #expect(crc32c([UInt8](repeating: 0, count: 32).span) == 0x8A91_36AA)
        #expect(crc32c([UInt8]().span) == 0)
    }
}
