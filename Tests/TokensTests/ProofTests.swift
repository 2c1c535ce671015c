// ProofTests.swift: proofs of possession, by the RFC's example and by forgeries, nonces, replays.

import JSON
import Testing

@testable import Tokens

private let address = "https://gate.example.fr/fhir/Patient"
private let access = [UInt8]("the access token")

@Suite struct `A proof` {
    private let key: SigningKey
    init() throws { key = try #require(SigningKey.make()) }

    @Test func `is verified as RFC 9449 prints it`() throws {
        let proof = [UInt8](ProofVector.proof)
        let method = [UInt8](ProofVector.method)
        let token = [UInt8](ProofVector.token)
        let verified = try verifyProof(
            proof.span, method: method.span, address: ProofVector.address, token: token.span,
            rules: ProofRules(), now: ProofVector.issuedAt + 1)
        #expect(verified.thumbprint == ProofVector.thumbprint)
        #expect(verified.id == ProofVector.id)
        #expect(verified.issuedAt == ProofVector.issuedAt)
    }

    /// A key of so many bytes that nobody has.
    private static func modulus(_ count: Int) -> JSONValue {
        let number = encodeBase64URL([UInt8](repeating: 0xFF, count: count))
        return .object(["kty": .string("RSA"), "n": .string(number), "e": .string("AQAB")])
    }

    private func proof(
        header: [String: JSONValue?] = [:], claims: [String: JSONValue?] = [:]
    ) -> [UInt8] {
        let members: JSONObject = [
            "typ": .string("dpop+jwt"), "alg": .string("ES256"), "jwk": Forge.jwk(key),
        ]
        let said: JSONObject = [
            "jti": .string("p1"), "htm": .string("GET"), "htu": .string(address),
            "iat": JSONValue(integer: Forge.now),
            "ath": .string(encodeBase64URL(sha256(access.span))),
        ]
        let head = JSONValue.object(Forge.changed(members, header)).encoded
        return Forge.joined(head, JSONValue.object(Forge.changed(said, claims)).encoded) {
            key.sign($0.span) ?? []
        }
    }

    private func verify(
        _ proof: [UInt8], method: String = "GET", address: String = address,
        token: [UInt8] = access, rules: ProofRules = ProofRules(), now: Int64 = Forge.now
    ) throws(TokenRefusal) -> VerifiedProof {
        let method = [UInt8](method)
        return try verifyProof(
            proof.span, method: method.span, address: address, token: token.span, rules: rules,
            now: now)
    }

    @Test func `shows whose key it is`() throws {
        let verified = try verify(proof())
        #expect(verified.thumbprint == key.publicKey.thumbprint)
        #expect(verified.id == "p1")
    }

    @Test func `is of one request and one token`() throws {
        _ = try verify(proof(), address: "HTTPS://gate.example.fr:443/fhir/Patient?name=x#y")
        _ = try verify(proof(claims: ["htu": .string(address + "?a=b")]))
        #expect(throws: TokenRefusal.proof) { try verify(proof(), method: "POST") }
        #expect(throws: TokenRefusal.proof) { try verify(proof(), method: "get") }
        #expect(throws: TokenRefusal.proof) { try verify(proof(), address: address + "/1") }
        #expect(throws: TokenRefusal.proof) { try verify(proof(), token: access + [0]) }
        #expect(throws: TokenRefusal.proof) {
            try verify(proof(), address: "http://gate.example.fr/fhir/Patient")
        }
    }

    @Test(arguments: [(0, true), (69, true), (70, false), (-10, true), (-11, false)])
    func `is of this minute`(seconds: Int64, passes: Bool) throws {
        if passes {
            _ = try verify(proof(), now: Forge.now + seconds)
        } else {
            #expect(throws: TokenRefusal.proof) { try verify(proof(), now: Forge.now + seconds) }
        }
    }

    @Test(
        arguments: [
            (["typ": .string("JWT")], [:], .kind),
            (["typ": nil], [:], .kind),
            (["typ": .string("application/dpop+jwt+x")], [:], .kind),
            (["jwk": nil], [:], .header),
            (["jwk": .string("key")], [:], .header),
            (["jku": .string("https://evil.example")], [:], .header),
            (["jwk": .object(["kty": .string("oct"), "k": .string("AA")])], [:], .header),
            // What a stranger would have the gate work for.
            (["alg": .string("RS256"), "jwk": modulus(1024)], [:], .header),
            (["alg": .string("RS256"), "jwk": modulus(512)], [:], .signature),
            (["alg": .string("none")], [:], .algorithm),
            (["alg": .string("HS256")], [:], .algorithm),
            (["alg": .string("ES384")], [:], .algorithm),
            (["alg": .string("RS512")], [:], .algorithm),
            ([:], ["jti": nil], .claim),
            ([:], ["jti": .string("")], .claim),
            ([:], ["htm": nil], .claim),
            ([:], ["htu": nil], .claim),
            ([:], ["htu": .string("/fhir/Patient")], .proof),
            ([:], ["htu": .string("https://user@gate.example.fr/fhir/Patient")], .proof),
            ([:], ["ath": nil], .claim),
            ([:], ["ath": .string("AAAA")], .proof),
            ([:], ["iat": nil], .proof),
            ([:], ["iat": .string("now")], .claim),
            ([:], ["exp": JSONValue(integer: Forge.now - 10)], .expired),
            ([:], ["nbf": JSONValue(integer: Forge.now + 11)], .notYetValid),
        ] as [([String: JSONValue?], [String: JSONValue?], TokenRefusal)])
    func `is refused when it is none`(
        header: [String: JSONValue?], claims: [String: JSONValue?], refusal: TokenRefusal
    ) {
        #expect(throws: refusal) { try verify(proof(header: header, claims: claims)) }
    }

    @Test func `is refused with a private key, another's key, or a changed byte`() throws {
        guard case .object(var members) = Forge.jwk(key) else { return }
        members["d"] = .string("AAAA")
        #expect(throws: TokenRefusal.header) {
            try verify(proof(header: ["jwk": .object(members)]))
        }
        let other = Forge.jwk(try #require(SigningKey.make()))
        #expect(throws: TokenRefusal.signature) { try verify(proof(header: ["jwk": other])) }
        let good = proof()
        for index in good.indices {
            #expect(throws: TokenRefusal.self) { try verify(good.changed(at: index)) }
        }
        #expect(throws: TokenRefusal.tooLarge) {
            try verify(proof(claims: ["a": .string(String(repeating: "a", count: 8192))]))
        }
    }

    @Test func `bears a nonce of ours where one is asked for`() throws {
        var rules = ProofRules()
        let nonces = ProofNonces(slotSeconds: 60)
        rules.nonces = nonces
        func verify(_ nonce: String?, now: Int64) throws(TokenRefusal) {
            let claims: [String: JSONValue?] = [
                "nonce": nonce.map(JSONValue.string), "iat": JSONValue(integer: now),
            ]
            _ = try self.verify(proof(claims: claims), rules: rules, now: now)
        }
        let start = Forge.now - Forge.now % 60
        let nonce = nonces.nonce(now: start)
        try verify(nonce, now: start)
        try verify(nonce, now: start + 119)
        #expect(nonces.nonce(now: start + 60) != nonce)
        #expect(throws: TokenRefusal.proofNonce) { try verify(nonce, now: start + 120) }
        #expect(throws: TokenRefusal.proofNonce) { try verify(nonce, now: start - 1) }
        #expect(throws: TokenRefusal.proofNonce) { try verify(nil, now: start) }
        #expect(throws: TokenRefusal.proofNonce) {
            try verify(ProofNonces(slotSeconds: 60).nonce(now: start), now: start)
        }
    }
}

@Suite struct `The address of a proof` {
    @Test(
        arguments: [
            ("https://a.example/x?q#f", "https://a.example/x"),
            ("HTTPS://A.Example:443", "https://a.example/"),
            ("https://a.example:/x", "https://a.example/x"),
            ("https://a.example:8443/X", "https://a.example:8443/X"),
            ("http://a.example:80/", "http://a.example/"),
            ("https://a.example:80/", "https://a.example:80/"),
            ("https://[::1]:443/", "https://[::1]/"),
            ("https://a.example/%7euser/%c3%A9/%2F", "https://a.example/~user/%C3%A9/%2F"),
            ("https://a.example/%", nil), ("https://a.example/%4", nil),
            ("https://a.example/%zz", nil), ("https://", nil), ("https:///x", nil),
            ("https:/a", nil), ("ftp://a.example/", nil), ("a.example", nil), ("", nil), (":", nil),
            ("https://u@a.example/", nil), ("https://a.example/ x", nil),
            ("https://a.example\\x", nil), ("https://a.example/é", nil),
            ("https://[::1]/", "https://[::1]/"), ("https://[::1]:8443", "https://[::1]:8443/"),
            ("https://a.example::443/", nil), ("https://a.example:443:443/", nil),
            ("https://a.example:44x/", nil), ("https://a.example:443443/", nil),
            ("https://:443/", nil), ("https://[::1/", nil), ("https://::1]/", nil),
            ("https://[::1]x/", nil), ("https://a[::1]/", nil),
        ] as [(String, String?)])
    func `has one form`(address: String, form: String?) {
        #expect(proofAddress(address) == form)
        if let form { #expect(proofAddress(form) == form) }
    }
}

@Suite struct `Proofs that were used` {
    private func proof(_ id: Int, _ key: String = "k") -> VerifiedProof {
        VerifiedProof(thumbprint: key, id: "\(id)", issuedAt: 0)
    }

    @Test func `are not used again for as long as they are good`() {
        let replays = ProofReplays(seconds: 80)
        #expect(replays.use(proof(1), now: 1000))
        #expect(!replays.use(proof(1), now: 1000))
        #expect(replays.use(proof(2), now: 1079))
        #expect(!replays.use(proof(1), now: 1080))
        #expect(!replays.use(proof(2), now: 1158))
        #expect(!replays.use(proof(1), now: 1159))
        // The clock goes back, which frees nothing.
        #expect(!replays.use(proof(2), now: 900))
        #expect(replays.use(proof(1), now: 1160))
        // After a silence one turn is left.
        #expect(!replays.use(proof(1), now: 9999))
        #expect(replays.use(proof(1), now: 10_079))
    }

    @Test func `are remembered by a clock that jumps ahead and back`() {
        let replays = ProofReplays(seconds: 80, countMax: 2)
        #expect(replays.use(proof(1), now: 1000))
        #expect(replays.use(proof(2), now: 900_000))
        #expect(!replays.use(proof(1), now: 1001))
        // Nor do the turns wait for the time it had.
        #expect(replays.use(proof(3), now: 1002))
        #expect(!replays.use(proof(4), now: 1003))
        #expect(replays.use(proof(4), now: 1081))
    }

    @Test func `are told apart by their key`() {
        let replays = ProofReplays(seconds: 80)
        #expect(replays.use("bc", of: "a", now: 0))
        #expect(replays.use("c", of: "ab", now: 0))
        #expect(replays.use(proof(1, "a"), now: 0))
        #expect(replays.use(proof(1, "b"), now: 0))
        #expect(!replays.use(proof(1, "b"), now: 0))
    }

    @Test func `are so many and no more, and then all are refused`() {
        let replays = ProofReplays(seconds: 80, countMax: 3)
        for id in 0..<3 { #expect(replays.use(proof(id), now: 0)) }
        #expect(!replays.use(proof(3), now: 0))
        #expect(!replays.use(proof(0), now: 0))
        #expect(replays.use(proof(3), now: 80))
    }
}
