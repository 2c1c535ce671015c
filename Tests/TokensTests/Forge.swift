// Forge.swift: tokens as issuers make them, and as nobody should.

import JSON
import Testing

@testable import Tokens

/// An issuer with one key on P-256, `kid` "one".
struct Forge: Sendable {
    static let issuer = "https://auth.example/realms/esante-wallet"
    static let now: Int64 = 1_800_000_000
    static let professional = "899700218896"

    let key: SigningKey
    let keys: KeySet
    /// What its tokens say.
    let claims: JSONObject

    init(_ claims: JSONObject = Forge.claims) throws {
        self.claims = claims
        key = try #require(SigningKey.make())
        keys = try Self.set([Self.jwk(key, id: "one")])
    }

    static func set(_ keys: [JSONValue]) throws -> KeySet {
        let text = JSONValue.object(["keys": .array(keys)]).encoded
        return try KeySet(json: text.span)
    }

    static func jwk(_ key: SigningKey, id: String? = nil) -> JSONValue {
        var members: JSONObject = [
            "kty": .string("EC"), "crv": .string("P-256"),
            "x": .string(encodeBase64URL(key.x)), "y": .string(encodeBase64URL(key.y)),
        ]
        members["kid"] = id.map(JSONValue.string)
        return .object(members)
    }

    static var rules: TokenRules {
        var rules = TokenRules(issuer: issuer, algorithms: [.es256, .rs256])
        rules.audiences = ["https://gate.example.fr"]
        return rules
    }

    /// As Pro Santé Connect writes them, with an audience.
    static let claims: JSONObject = [
        "exp": JSONValue(integer: now + 120), "iat": JSONValue(integer: now),
        "auth_time": JSONValue(integer: now - 10),
        "jti": .string("0a7f"), "iss": .string(issuer), "typ": .string("Bearer"),
        "sub": .string("f:550dc1c8-d97b-4b1e-ac8c-8eb4471cf9dd:899700218896"),
        "aud": .array([.string("https://gate.example.fr"), .string("account")]),
        "azp": .string("editor"), "nonce": .string("n-0S6"), "session_state": .string("5c0e"),
        "sid": .string("5c0f"), "acr": .string("eidas3"), "scope": .string("openid scope_all"),
        "authMode": .string("CARD"), "SubjectNameID": .string(professional),
        "preferred_username": .string(professional),
        "otherIds": .array([
            .object(["identifiant": .string("899700218896"), "origine": .string("RPPS")])
        ]),
    ]

    static let header: JSONObject = [
        "alg": .string("ES256"), "typ": .string("JWT"), "kid": .string("one"),
    ]

    /// These claims with others, or without those that are nil.
    static func changed(_ members: JSONObject, _ changes: [String: JSONValue?]) -> JSONObject {
        var members = members
        for (name, value) in changes { members[name] = value }
        return members
    }

    func token(
        header: [String: JSONValue?] = [:], claims: [String: JSONValue?] = [:]
    ) -> [UInt8] {
        signed(
            JSONValue.object(Self.changed(Self.header, header)).encoded,
            JSONValue.object(Self.changed(self.claims, claims)).encoded)
    }

    var payload: [UInt8] { JSONValue.object(claims).encoded }

    func signed(_ header: [UInt8], _ payload: [UInt8]) -> [UInt8] {
        Self.joined(header, payload) { key.sign($0.span) ?? [] }
    }

    /// Whatever `sign` makes of header and payload, at their end.
    static func joined(
        _ header: [UInt8], _ payload: [UInt8], sign: ([UInt8]) -> [UInt8]
    ) -> [UInt8] {
        let message =
            encodeBase64URL(header.span) + [UInt8(ascii: ".")] + encodeBase64URL(payload.span)
        let signature = sign(message)
        return message + [UInt8(ascii: ".")] + encodeBase64URL(signature.span)
    }

    func verify(
        _ token: [UInt8], rules: TokenRules = Forge.rules, now: Int64 = Forge.now
    ) throws(TokenRefusal) -> VerifiedToken {
        try verifyAccessToken(token.span, keys: keys, rules: rules, now: now)
    }
}

extension [UInt8] {
    /// These bytes with one that differs.
    func changed(at index: Int) -> [UInt8] {
        var bytes = self
        bytes[index] ^= 1
        return bytes
    }

    init(_ text: String) { self = Array(text.utf8) }
}
