// CertificateSerialTests.swift: one key for all spellings of a certificate's number and issuer.

import Testing

@testable import Neutralization

private func key(_ number: [UInt8], _ issuer: String) throws(SubjectError) -> SubjectKey {
    try SubjectKey(serial: number.span, issuer: issuer)
}

private func key(_ text: String) throws -> SubjectKey {
    SubjectKey(serial: try CertificateSerial(Array(text.utf8).span))
}

@Suite struct `A serial number` {
    @Test(arguments: [
        "1120ce19@AC IGC-SANTE FORT PERSONNES", "1120CE19@AC%20IGC-SANTE%20FORT%20PERSONNES",
        "11:20:ce:19@ac igc-sante fort personnes", "0000001120ce19@ AC  IGC-SANTE FORT PERSONNES ",
    ])
    func `has the key of the certificate it names`(text: String) throws {
        let shown = try key([0x11, 0x20, 0xCE, 0x19], "AC IGC-SANTE FORT PERSONNES")
        #expect(try key(text) == shown)
        let padded = try key([0, 0, 0x11, 0x20, 0xCE, 0x19], "Ac Igc-Sante Fort Personnes")
        #expect(padded == shown)
    }

    @Test(arguments: [
        "1120ce19@AC IGC-SANTE FORT", "1120ce1900@AC IGC-SANTE FORT PERSONNES",
        "1120ce18@AC IGC-SANTE FORT PERSONNES", "1120ce@19AC IGC-SANTE FORT PERSONNES",
        "1120ce19@TEST AC IGC-SANTE FORT PERSONNES", "1120ce19@ACIGC-SANTE FORT PERSONNES",
    ])
    func `has a key of its own`(text: String) throws {
        #expect(try key(text) != key([0x11, 0x20, 0xCE, 0x19], "AC IGC-SANTE FORT PERSONNES"))
    }

    @Test func `does not lend bytes to its issuer`() throws {
        #expect(try key([0x41], "BC") != key([0x41, 0x42], "C"))
    }

    @Test func `may be of any length up to 64 bytes, zero included`() throws {
        for count in [1, 16, 20, 21, 64] {
            let number = [UInt8](repeating: 0x8F, count: count)
            let text = String(repeating: "8f", count: count) + "@CA"
            #expect(try key(number, "CA") == key(text))
        }
        #expect(try key([], "CA") == key("0@CA"))
        #expect(try key([0, 0], "CA") == key("00@CA"))
        #expect(throws: SubjectError.serialLength(digits: 130)) {
            try key([UInt8](repeating: 1, count: 65), "CA")
        }
    }

    @Test(arguments: [
        ("", SubjectError.serialWithoutIssuer), ("  ", .serialWithoutIssuer),
        ("CA\n", .issuerByte(0x0A, at: 0)),
        (String(repeating: "é", count: 128), .issuerLength(256)),
    ])
    func `has none when its issuer cannot be written`(issuer: String, error: SubjectError) {
        #expect(throws: error) { try key([1], issuer) }
    }

    @Test func `takes a per cent sign of a certificate for what it is`() throws {
        #expect(try key([1], "100%20") == key("01@100%2520"))
        #expect(try key([1], "100%20") != key("01@100%20"))
    }

    @Test func `is the same subject exactly when it has the same key`() throws {
        // One letter in two Unicode spellings: `String` calls them equal, their bytes differ.
        let composed = try Subject("serial:01@\u{C9}")
        let decomposed = try Subject("serial:01@E\u{301}")
        #expect(composed != decomposed)
        #expect(IndexKey(composed) != IndexKey(decomposed))
    }
}
