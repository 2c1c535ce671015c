// ForgedTokenTests.swift: every way a token was ever forged, and that none passes.

import JSON
import Testing

@testable import Tokens

/// What somebody without the issuer's key makes, or who got hold of another of its tokens.
private struct Forgery: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let refusal: TokenRefusal
    let make: @Sendable (Forge) throws -> [UInt8]

    init(
        _ name: String, _ refusal: TokenRefusal,
        _ make: @escaping @Sendable (Forge) throws -> [UInt8]
    ) {
        testDescription = name
        self.refusal = refusal
        self.make = make
    }

    /// One that the issuer signed, with another header or claims.
    init(
        _ name: String, _ refusal: TokenRefusal, header: [String: JSONValue?] = [:],
        claims: [String: JSONValue?] = [:]
    ) {
        self.init(name, refusal) { $0.token(header: header, claims: claims) }
    }
}

private func header(_ members: JSONObject) -> [UInt8] { JSONValue.object(members).encoded }

/// Signed with HMAC, the secret being what everybody knows.
private func hashed(
    _ forge: Forge, _ secret: [UInt8], _ algorithm: String = "HS256"
) -> [UInt8] {
    let members = header(["alg": .string(algorithm), "kid": .string("one")])
    return Forge.joined(members, forge.payload) { hmacSHA256(key: secret, $0) }
}

/// What ends every signature on P-256, when it is taken for a number: the curve's order.
private let order: [UInt8] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6,
    0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
]

private let algorithms: [Forgery] = [
    Forgery("none", .algorithm) { forge in
        Forge.joined(header(["alg": .string("none")]), forge.payload) { _ in [] }
    },
    Forgery("None, with a signature", .algorithm) {
        $0.token(header: ["alg": .string("None")])
    },
    Forgery("no algorithm", .algorithm, header: ["alg": nil]),
    Forgery("an algorithm in an array", .algorithm, header: ["alg": .array([.string("ES256")])]),
    Forgery("an algorithm in small letters", .algorithm, header: ["alg": .string("es256")]),
    Forgery("HMAC with the coordinates of the public key", .algorithm) {
        hashed($0, [0x04] + $0.key.x + $0.key.y)
    },
    Forgery("HMAC with the public key as JSON", .algorithm) {
        hashed($0, Forge.jwk($0.key, id: "one").encoded)
    },
    Forgery("HMAC with nothing", .algorithm) { hashed($0, [], "HS512") },
    Forgery("an algorithm not for its key", .algorithm, header: ["alg": .string("RS256")]),
    Forgery("an algorithm that is not the issuer's", .algorithm, header: ["alg": .string("ES384")]),
    Forgery("encrypted", .malformed) { $0.token() + [UInt8](".AAAA.AAAA") },
]

private let signatures: [Forgery] = [
    Forgery("no signature", .signature) { forge in
        Forge.joined(header(Forge.header), forge.payload) { _ in [] }
    },
    Forgery("a signature of zeros", .signature) { forge in
        Forge.joined(header(Forge.header), forge.payload) { _ in [UInt8](repeating: 0, count: 64) }
    },
    Forgery("a signature of the curve's order", .signature) { forge in
        Forge.joined(header(Forge.header), forge.payload) { _ in order + order }
    },
    Forgery("a signature with one of its numbers zero", .signature) { forge in
        Forge.joined(header(Forge.header), forge.payload) { message in
            (forge.key.sign(message.span) ?? []).prefix(32) + [UInt8](repeating: 0, count: 32)
        }
    },
    Forgery("a signature in DER", .signature) { forge in
        Forge.joined(header(Forge.header), forge.payload) { message in
            derSignature(forge.key.sign(message.span) ?? [], coordinateBytes: 32) ?? []
        }
    },
    Forgery("a signature of somebody else", .signature) { try Forge($0.claims).token() },
    Forgery("a signature of other claims", .signature) { forge in
        let other = forge.token().split(separator: UInt8(ascii: "."))
        let mine = forge.token(claims: ["SubjectNameID": .string("810002909371")])
            .split(separator: UInt8(ascii: "."))
        return Array([other[0], mine[1], other[2]].joined(separator: [UInt8(ascii: ".")]))
    },
    Forgery("another kid", .unknownKey, header: ["kid": .string("two")]),
    Forgery("a path for a kid", .unknownKey, header: ["kid": .string("../../dev/null")]),
    Forgery("a kid that is no text", .header, header: ["kid": .number("1")]),
    Forgery("a kid without end", .header) {
        $0.token(header: ["kid": .string(String(repeating: "k", count: 1025))])
    },
    Forgery("its own key embedded", .header) {
        let forge = try Forge($0.claims)
        return forge.token(header: ["jwk": Forge.jwk(forge.key), "kid": nil])
    },
    Forgery("its own key embedded beside a known name", .header) {
        let forge = try Forge($0.claims)
        return forge.token(header: ["jwk": Forge.jwk(forge.key)])
    },
    Forgery("its own certificate embedded", .unknownKey) {
        let forge = try Forge($0.claims)
        return forge.token(header: ["x5c": .array([.string("MIIB")]), "kid": nil])
    },
    Forgery("its own key elsewhere", .header, header: ["jku": .string("https://evil.example")]),
    Forgery(
        "its own certificate elsewhere", .header, header: ["x5u": .string("https://e.example")]),
]

private let forms: [Forgery] = [
    Forgery("compressed", .header, header: ["zip": .string("DEF")]),
    Forgery("not encoded", .header, header: ["b64": .boolean(false)]),
    Forgery("critical", .header, header: ["crit": .array([.string("exp")])]),
    Forgery("critical of nothing", .header, header: ["crit": .array([])]),
    Forgery("empty", .malformed) { _ in [] },
    Forgery("dots alone", .malformed) { _ in [UInt8]("..") },
    Forgery("two parts", .malformed) { _ in [UInt8]("e30.e30") },
    Forgery("padding", .malformed) { $0.token() + [UInt8]("=") },
    Forgery("a line feed behind it", .malformed) { $0.token() + [0x0A] },
    Forgery("a blank before it", .malformed) { [0x20] + $0.token() },
    Forgery("bits left over", .malformed) { forge in
        // The last of 86 letters holds two bits of the signature.
        var token = forge.token()
        token[token.count - 1] = token[token.count - 1] == 0x41 ? 0x42 : token[token.count - 1] + 1
        return token
    },
    Forgery("huge", .tooLarge) {
        $0.token(claims: ["pad": .string(String(repeating: "a", count: 16 * 1024))])
    },
    Forgery("deeply nested claims", .malformed) { forge in
        let deep = String(repeating: "[", count: 17) + String(repeating: "]", count: 17)
        return forge.signed(header(Forge.header), [UInt8]("{\"a\":\(deep)}"))
    },
    Forgery("a deeply nested header", .malformed) { forge in
        forge.signed([UInt8](#"{"alg":"ES256","a":[[[[[1]]]]]}"#), forge.payload)
    },
    Forgery("as JSON", .malformed) { forge in
        let parts = forge.token().split(separator: UInt8(ascii: "."))
            .map { String(decoding: $0, as: UTF8.self) }
        return [UInt8](
            #"{"protected":"\#(parts[0])","payload":"\#(parts[1])","signature":"\#(parts[2])"}"#)
    },
    Forgery("a token within a token", .malformed) { forge in
        let outer = Forge.changed(Forge.header, ["cty": .string("JWT")])
        return forge.signed(header(outer), forge.token())
    },
    Forgery("more values than any has", .malformed) { forge in
        let many = String(repeating: "0,", count: 4096)
        return forge.signed(header(Forge.header), [UInt8](#"{"a":[\#(many)0]}"#))
    },
    Forgery("claims that are no object", .malformed) {
        $0.signed(header(Forge.header), [UInt8]("[]"))
    },
    Forgery("claims that are no JSON", .malformed) {
        $0.signed(header(Forge.header), [UInt8]("{'iss':1}"))
    },
    Forgery("claims that are no UTF-8", .malformed) {
        $0.signed(header(Forge.header), [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D])
    },
    Forgery("a claim twice", .malformed) {
        $0.signed(
            header(Forge.header),
            $0.payload.dropLast() + [UInt8](#","SubjectNameID":"810002909371"}"#))
    },
    Forgery("an algorithm twice", .malformed) {
        $0.signed([UInt8](#"{"alg":"ES256","alg":"none","kid":"one"}"#), $0.payload)
    },
    Forgery("a claim twice, once with escapes", .malformed) {
        $0.signed(
            header(Forge.header), $0.payload.dropLast() + [UInt8](#","\u0073ub":"somebody"}"#))
    },
]

private let others: [Forgery] = [
    Forgery("a proof", .kind, header: ["typ": .string("dpop+jwt")]),
    Forgery("a logout token", .kind, header: ["typ": .string("logout+jwt")]),
    Forgery("a security event", .kind, header: ["typ": .string("secevent+jwt")]),
    Forgery("a type that is no text", .kind, header: ["typ": .number("1")]),
    Forgery("an id token of Keycloak", .kind, claims: ["typ": .string("ID")]),
    Forgery("a refresh token of Keycloak", .kind, claims: ["typ": .string("Refresh")]),
    Forgery("an offline token of Keycloak", .kind, claims: ["typ": .string("Offline")]),
    Forgery("an id token, by its hash", .kind, claims: ["at_hash": .string("AAAA")]),
    Forgery("an id token of Cognito", .kind, claims: ["token_use": .string("id")]),
    Forgery("a token that shows nowhere what it is", .kind, claims: ["typ": nil, "scope": nil]),
    Forgery("a logout token, by its events", .kind, claims: ["events": .object([:])]),
    Forgery("no issuer", .claim, claims: ["iss": nil]),
    Forgery("another issuer", .issuer, claims: ["iss": .string("https://evil.example")]),
    Forgery(
        "an issuer with a Kelvin sign", .issuer,
        claims: ["iss": .string("https://auth.example/realms/esante-wallet\u{200B}")]),
    Forgery("an issuer in an array", .claim, claims: ["iss": .array([.string(Forge.issuer)])]),
    Forgery("no audience", .audience, claims: ["aud": nil]),
    Forgery("another audience", .audience, claims: ["aud": .string("https://gate.example.fr/")]),
    Forgery("an audience that is an object", .claim, claims: ["aud": .object([:])]),
    Forgery("nobody", .professional, claims: ["SubjectNameID": nil]),
    Forgery("nobody, as text", .claim, claims: ["SubjectNameID": .string("")]),
    Forgery("somebody in an array", .claim, claims: ["SubjectNameID": .array([.string("8")])]),
    Forgery("somebody as a number", .claim, claims: ["SubjectNameID": .number("899700218896")]),
    Forgery("a name that ends a line", .claim, claims: ["SubjectNameID": .string("8\nadmin")]),
    Forgery("an id that ends a line", .claim, claims: ["jti": .string("a\r\nb")]),
    Forgery(
        "an id without end", .claim,
        claims: ["jti": .string(String(repeating: "j", count: 1025))]),
    Forgery("no subject", .claim, claims: ["sub": nil]),
    Forgery("tied to what nobody knows", .unbound, claims: ["cnf": .object(["kid": .string("k")])]),
    Forgery("tied to nothing", .unbound, claims: ["cnf": .object([:])]),
    Forgery("tied by a text", .unbound, claims: ["cnf": .string("jkt")]),
]

@Suite struct `A forged token` {
    @Test(arguments: algorithms + signatures + forms + others)
    fileprivate func `is refused`(forgery: Forgery) throws {
        let forge = try Forge()
        let token = try forgery.make(forge)
        #expect(throws: forgery.refusal) { try forge.verify(token) }
    }

    @Test(arguments: algorithms + signatures + forms)
    fileprivate func `is refused as an id token and a logout token, too`(forgery: Forgery) throws {
        let rules = IDTokenRules(
            issuer: Forge.issuer, algorithms: [.es256, .rs256], client: "herse")
        let identity = try Forge(
            Forge.changed(
                Forge.claims, ["aud": .string("herse"), "azp": nil, "typ": .string("ID")]))
        func verify(_ token: [UInt8]) throws(TokenRefusal) {
            _ = try verifyIDToken(token.span, keys: identity.keys, rules: rules, now: Forge.now)
        }
        try verify(identity.token())
        let token = try forgery.make(identity)
        #expect(throws: forgery.refusal) { try verify(token) }

        let event = JSONValue.object([LogoutToken.event: .object([:])])
        let logout = try Forge(
            Forge.changed(identity.claims, ["typ": nil, "nonce": nil, "events": event]))
        func end(_ token: [UInt8]) throws(TokenRefusal) {
            _ = try verifyLogoutToken(token.span, keys: logout.keys, rules: rules, now: Forge.now)
        }
        try end(logout.token())
        let other = try forgery.make(logout)
        #expect(throws: forgery.refusal) { try end(other) }
    }

    @Test func `is refused whatever byte of a good one was changed`() throws {
        let forge = try Forge()
        let token = forge.token()
        for index in token.indices {
            #expect(throws: TokenRefusal.self) { try forge.verify(token.changed(at: index)) }
            #expect(throws: TokenRefusal.self) { try forge.verify(Array(token.prefix(index))) }
        }
    }

    @Test func `is refused when the set's only keys are those it must not have`() throws {
        let forge = try Forge()
        let secret = JSONValue.object([
            "kty": .string("oct"), "kid": .string("one"), "k": .string("c2VjcmV0"),
        ])
        #expect(throws: TokenRefusal.noUsableKey) { try Forge.set([secret]) }
        // A key said to be for another algorithm stays for that.
        guard case .object(var members) = Forge.jwk(forge.key, id: "one") else { return }
        members["alg"] = .string("ES384")
        #expect(throws: TokenRefusal.noUsableKey) { try Forge.set([.object(members)]) }
    }
}
