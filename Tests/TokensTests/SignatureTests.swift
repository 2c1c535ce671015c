// SignatureTests.swift: keys, thumbprints and signatures, against what the RFCs print.

import Testing

@testable import Tokens

private func keySet(_ keys: String...) throws -> KeySet {
    let text = [UInt8]("{\"keys\":[\(keys.joined(separator: ","))]}")
    return try KeySet(json: text.span)
}

@Suite struct `A signature` {
    @Test(arguments: SignatureVector.all)
    func `is verified as the RFCs print it`(vector: SignatureVector) throws {
        let keys = try keySet(vector.key)
        let token = [UInt8](vector.token)
        let signed = try SignedToken(token.span)
        #expect(signed.algorithm.rawValue == vector.algorithm)
        func verify(_ signature: [UInt8], _ message: [UInt8]) throws(TokenRefusal) {
            try keys.verify(signature, of: message.span, by: signed.keyID, signed.algorithm)
        }
        let message = Array(token.prefix(signed.signedCount))
        try verify(signed.signature, message)
        for index in [0, signed.signature.count / 2, signed.signature.count - 1] {
            #expect(throws: TokenRefusal.self) {
                try verify(signed.signature.changed(at: index), message)
            }
        }
        #expect(throws: TokenRefusal.self) { try verify(signed.signature, message.changed(at: 40)) }
        #expect(throws: TokenRefusal.self) { try verify(signed.signature.dropLast(), message) }
        #expect(throws: TokenRefusal.self) { try verify([0] + signed.signature, message) }
        #expect(throws: TokenRefusal.self) { try verify(signed.signature + [0], message) }
        #expect(throws: TokenRefusal.self) { try verify([], message) }
        if let thumbprint = vector.thumbprint {
            #expect(keys.keys.first?.key.thumbprint == thumbprint)
        }
    }

    @Test(arguments: SignatureAlgorithm.allCases)
    func `is verified whatever algorithm made it, and by no other`(
        algorithm: SignatureAlgorithm
    ) throws {
        let key = try TestKey(algorithm)
        let message = [UInt8]("message")
        let signature = try key.sign(message, algorithm)
        let isGood = key.publicKey.verifies(signature, of: message.span, algorithm)
        #expect(isGood)
        for other in SignatureAlgorithm.allCases where other != algorithm {
            let isGoodToo = key.publicKey.verifies(signature, of: message.span, other)
            #expect(!isGoodToo)
        }
    }

    @Test func `has two numbers of their exact size that are not zero`() {
        let half = [UInt8](repeating: 1, count: 32)
        let zero = [UInt8](repeating: 0, count: 32)
        #expect(derSignature(half + half, coordinateBytes: 32) != nil)
        #expect(derSignature(zero + half, coordinateBytes: 32) == nil)
        #expect(derSignature(half + zero, coordinateBytes: 32) == nil)
        #expect(derSignature(half + half.dropLast(), coordinateBytes: 32) == nil)
        let high = [UInt8](repeating: 0xFF, count: 66)
        let der = derSignature(high + high, coordinateBytes: 66)
        #expect(der?.prefix(3) == [0x30, 0x81, 0x8A])
    }

    @Test(
        arguments: [
            ([0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x02], true),
            ([0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01], false),
            ([0x30, 0x07, 0x02, 0x01, 0x01, 0x02, 0x01, 0x02], false),
            ([0x30, 0x03, 0x02, 0x01, 0x01], false), ([0x30, 0x00], false), ([], false),
            ([0x31, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x02], false),
            ([0x30, 0x06, 0x02, 0x00, 0x02, 0x02, 0x01, 0x02], false),
        ] as [([UInt8], Bool)])
    func `of OpenSSL is taken apart whole or not at all`(der: [UInt8], isOne: Bool) {
        let zeros = [UInt8](repeating: 0, count: 31)
        #expect(rawSignature(der, coordinateBytes: 32) == (isOne ? zeros + [1] + zeros + [2] : nil))
    }
}

@Suite struct `A set of keys` {
    private let good = SignatureVector.ec7515

    @Test func `has the thumbprints of RFC 7638`() throws {
        let keys = try keySet(ThumbprintVector.key)
        #expect(keys.keys.first?.key.thumbprint == ThumbprintVector.thumbprint)
    }

    @Test(arguments: [
        #"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcg"}"#,
        // Too short; an even exponent; the exponent 1; an even modulus; none.
        #"{"kty":"RSA","n":"\#(String(repeating: "_", count: 170))8","e":"AQAB"}"#,
        #"{"kty":"RSA","n":"\#(String(repeating: "_", count: 344))","e":"AQAA"}"#,
        #"{"kty":"RSA","n":"\#(String(repeating: "_", count: 344))","e":"AQ"}"#,
        #"{"kty":"RSA","n":"\#(String(repeating: "_", count: 343))-","e":"AQAB"}"#,
        #"{"kty":"RSA","e":"AQAB"}"#,
        #"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}"#,
        // Not on the curve.
        #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
            + #""y":"y_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
        #"{"kty":"EC","crv":"secp256k1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
            + #""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
        #"{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ"}"#,
        #"{"crv":"P-256"}"#, #"{"kty":7}"#, "null", "[]", "7",
    ])
    func `leaves out what it cannot use`(key: String) throws {
        #expect(throws: TokenRefusal.noUsableKey) { try keySet(key) }
        #expect(try keySet(key, good).count == 1)
    }

    @Test(arguments: [
        #""use":"enc""#, #""use":1"#, #""key_ops":["encrypt"]"#, #""key_ops":7"#,
        #""alg":"ES384""#, #""alg":"RSA-OAEP""#, #""alg":"HS256""#, #""kid":7"#,
        // Whoever reads the set could sign with it.
        #""d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI""#, #""k":"AA""#,
    ])
    func `leaves out keys that are for something else`(member: String) throws {
        let key = good.dropLast() + "," + member + "}"
        #expect(throws: TokenRefusal.noUsableKey) { try keySet(String(key)) }
    }

    @Test(arguments: [
        #""use":"sig""#, #""key_ops":["verify"]"#, #""alg":"ES256""#, #""x5c":["MII"]"#,
        #""x5u":"https://elsewhere.example""#,
    ])
    func `keeps keys with members it need not know`(member: String) throws {
        #expect(try keySet(String(good.dropLast() + "," + member + "}")).count == 1)
    }

    @Test(arguments: ["", "{}", #"{"keys":{}}"#, "[]", #"{"keys":[],"keys":[]}"#])
    func `is none that cannot be read`(text: String) {
        let bytes = [UInt8](text)
        #expect(throws: TokenRefusal.malformed) { try KeySet(json: bytes.span) }
    }

    @Test func `is bounded`() {
        let keys = [UInt8](
            #"{"keys":[\#(Array(repeating: good, count: 65).joined(separator: ","))]}"#)
        #expect(throws: TokenRefusal.tooLarge) { try KeySet(json: keys.span) }
        let long = [UInt8](repeating: UInt8(ascii: " "), count: KeySet.bytesMax + 1)
        #expect(throws: TokenRefusal.tooLarge) { try KeySet(json: long.span) }
    }

    @Test func `knows its keys by name`() throws {
        let keys = try keySet(String(good.dropLast() + #","kid":"k"}"#))
        #expect(keys.mayKnow(id: "k"))
        #expect(keys.mayKnow(id: nil))
        #expect(!keys.mayKnow(id: "K"))
        // The Kelvin sign.
        let other = try keySet(String(good.dropLast() + #","kid":"\u212a"}"#))
        #expect(!other.mayKnow(id: "K"))
    }
}

@Suite struct `Base64url` {
    @Test(
        arguments: [
            ([], ""), ([0], "AA"), ([0, 0], "AAA"), ([0, 0, 0], "AAAA"), ([0xFB, 0xFF], "-_8"),
            ([3, 236, 255, 224, 193], "A-z_4ME"),
        ] as [([UInt8], String)])
    func `has one text for one value`(bytes: [UInt8], text: String) {
        #expect(encodeBase64URL(bytes) == text)
        #expect(decodeBase64URL(text) == bytes)
    }

    @Test(arguments: [
        "A", "AAAAA", "AA==", "AA=", "AB", "AAB", "+/8", "A A", "AA\n", "é", "A.A", "\u{0}A",
    ])
    func `is refused when it is another text for a value, or none`(text: String) {
        #expect(decodeBase64URL(text) == nil)
    }
}
