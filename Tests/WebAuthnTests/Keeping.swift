// Keeping.swift: what is offered to browsers, and what is kept of keys.

import Testing

@testable import WebAuthn

@Suite struct `Options` {
    private static let challenge = Challenge(text: base64URL([UInt8](repeating: 0xfb, count: 32)))
    private static let keys = [
        RegisteredKey(id: [1, 2, 3], publicKey: [], transports: ["usb"]),
        RegisteredKey(id: [0xff], publicKey: []),
    ]

    @Test func `for a new key ask for a verified user, and for no key twice`() throws {
        let user = WebAuthnUser(handle: [9], name: "a\"<b>", displayName: "Anne Élan")
        #expect(
            creationOptions(
                challenge: try #require(Self.challenge), party: Scene.party, user: user,
                existing: Self.keys, policy: .none) == """
                    {"rp":{"id":"gate.example.fr","name":"Herse"},\
                    "user":{"id":"CQ","name":"a\\"\\u003cb\\u003e","displayName":"Anne Élan"},\
                    "challenge":"-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s",\
                    "pubKeyCredParams":[{"type":"public-key","alg":-7},\
                    {"type":"public-key","alg":-8},{"type":"public-key","alg":-257}],\
                    "timeout":120000,\
                    "excludeCredentials":[{"type":"public-key","id":"AQID","transports":["usb"]},\
                    {"type":"public-key","id":"_w","transports":[]}],\
                    "authenticatorSelection":\
                    {"residentKey":"discouraged","userVerification":"required"},\
                    "attestation":"none"}
                    """)
    }

    @Test func `for signing in name the account's keys`() throws {
        #expect(
            requestOptions(
                challenge: try #require(Self.challenge), party: Scene.party, keys: Self.keys) == """
                    {"challenge":"-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s",\
                    "timeout":120000,"rpId":"gate.example.fr",\
                    "allowCredentials":[{"type":"public-key","id":"AQID","transports":["usb"]},\
                    {"type":"public-key","id":"_w","transports":[]}],"userVerification":"required"}
                    """)
    }
}

@Suite struct `A challenge` {
    @Test func `is never the same`() throws {
        let some = try (0..<100).map { _ in try Scene.challenge() }
        #expect(Set(some).count == 100)
        #expect(some.allSatisfy { $0.bytes.count == 32 })
    }

    @Test func `reads back, and is long enough not to be guessed`() throws {
        let one = try Scene.challenge()
        #expect(Challenge(text: one.text) == one)
        #expect(Challenge(text: base64URL([UInt8](repeating: 0, count: 15))) == nil)
        #expect(Challenge(text: base64URL([UInt8](repeating: 0, count: 65))) == nil)
        #expect(Challenge(text: one.text + "=") == nil)
    }
}

@Suite struct `A key` {
    @Test(arguments: [
        RegisteredKey(id: [1], publicKey: [2]),
        RegisteredKey(
            id: Array(0...255), publicKey: [7, 8], counter: .max,
            model: Model(bytes: Attestations.model), transports: ["usb", "nfc"],
            name: "clé \"bleue\" \u{1F511}\n", mayBeBackedUp: true, isBackedUp: true,
            registeredAt: 1_780_000_000, usedAt: 1_780_000_001),
    ])
    func `reads back from its text`(key: RegisteredKey) {
        #expect(RegisteredKey(text: key.text) == key)
    }

    @Test(arguments: [
        "", "{}", "[]", "null", "{\"id\":\"AQ\"}",
        RegisteredKey(id: [1], publicKey: [2]).text.replacing(
            "\"counter\":0", with: "\"counter\":-1"),
        RegisteredKey(id: [1], publicKey: [2]).text
            .replacing("\"counter\":0", with: "\"counter\":4294967296"),
        RegisteredKey(id: [1], publicKey: [2]).text.replacing("\"AQ\"", with: "\"AQ==\""),
        RegisteredKey(id: [1], publicKey: [2]).text
            .replacing("\"model\":null", with: "\"model\":\"none\""),
    ])
    func `is not made from another text`(text: String) {
        #expect(RegisteredKey(text: text) == nil)
    }
}

@Suite struct `A model` {
    @Test func `is written like a UUID, in either case`() throws {
        let text = "cb69481e-8ff7-4039-93ec-0a2729a154a8"
        #expect(try #require(Model(text)).description == text)
        #expect(Model(text.uppercased()) == Model(text))
    }

    @Test(arguments: [
        "", "cb69481e8ff7403993ec0a2729a154a8", "cb69481e-8ff7-4039-93ec-0a2729a154a",
        "cb69481e-8ff7-4039-93ec-0a2729a154a8a", "cb69481e-8ff7-4039-93ec-0a2729a154ag",
        "cb69481e+8ff7-4039-93ec-0a2729a154a8", "00000000-0000-0000-0000-000000000000",
        "-cb69481-8ff7-4039-93ec-0a2729a154a8",
    ])
    func `is not made from another text`(text: String) { #expect(Model(text) == nil) }
}

@Suite struct `A relying party` {
    @Test(arguments: [
        ("https://gate.example.fr", "gate.example.fr"),
        ("https://gate.example.fr:8443", "gate.example.fr"), ("https://localhost:1", "localhost"),
        ("https://xn--hpital-jva.fr", "xn--hpital-jva.fr"),
    ])
    func `is the host of its address`(url: String, id: String) {
        #expect(RelyingParty(url: url) == RelyingParty(id: id, origin: url))
    }

    @Test(arguments: [
        "", "https://", "http://gate.example.fr", "https://gate.example.fr/", "https://Gate.fr",
        "https://gate.example.fr:443", "https://gate.example.fr:08443", "https://gate.fr:0",
        "https://gate.fr:65536", "https://gate.fr:", "https://gate.fr:1:2", "https://a..fr",
        "https://.fr", "https://gate.fr.", "https://-a.fr", "https://a-.fr", "https://hôpital.fr",
        "https://192.0.2.1", "https://[::1]", "https://me@gate.fr", "https://gate.fr?",
        "https://" + String(repeating: "a", count: 64) + ".fr",
    ])
    func `is no address that browsers would write otherwise`(url: String) {
        #expect(RelyingParty(url: url) == nil)
    }
}

@Suite struct `Base64url` {
    @Test(
        arguments: [
            ([], ""), ([0], "AA"), ([0xff], "_w"), ([0xfb, 0xff], "-_8"), ([1, 2, 3], "AQID"),
            ([1, 2, 3, 4], "AQIDBA"),
        ] as [([UInt8], String)])
    func `has one text for the same bytes`(plain: [UInt8], text: String) {
        #expect(base64URL(plain) == text)
        #expect(bytes(ofBase64URL: text) == plain)
    }

    @Test(arguments: ["A", "AAAAA", "AB", "AAB", "AA==", "+/", "A A", "A\n", "é", "AA\0"])
    func `has no other`(text: String) { #expect(bytes(ofBase64URL: text) == nil) }
}
