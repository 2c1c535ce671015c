// AccessTokenTests.swift: what an issuer's access token says, and the rules it must keep.

import JSON
import Testing

@testable import Tokens

@Suite struct `An access token` {
    private let forge: Forge
    init() throws { forge = try Forge() }

    @Test func `says who, by whom, for how long`() throws {
        let token = try forge.verify(forge.token())
        #expect(
            token
                == VerifiedToken(
                    professional: "899700218896", issuer: Forge.issuer,
                    subject: "f:550dc1c8-d97b-4b1e-ac8c-8eb4471cf9dd:899700218896", id: "0a7f",
                    session: "5c0f", client: "editor", context: "eidas3", mode: "CARD",
                    methods: [], scopes: ["openid", "scope_all"],
                    authenticatedAt: Forge.now - 10, issuedAt: Forge.now,
                    notBefore: nil, expiresAt: Forge.now + 120,
                    certificateThumbprint: nil, keyThumbprint: nil))
        #expect(!token.isOver(now: Forge.now + 149, leeway: 30))
        #expect(token.isOver(now: Forge.now + 150, leeway: 30))
    }

    @Test(
        arguments: [
            (["typ": nil], [:]),
            (["typ": .string("at+jwt")], [:]),
            (["typ": .string("application/AT+JWT")], [:]),
            (["x5c": .array([.string("MIIB")]), "x5t": .string("AA")], [:]),
            ([:], ["aud": .string("https://gate.example.fr")]),
            ([:], ["typ": nil, "sid": nil, "azp": nil, "client_id": .string("editor")]),
            ([:], ["acr": .number("1"), "amr": .string("pwd")]),
            ([:], ["exp": .number("1800000120.5"), "nbf": .number("1.8e9")]),
            ([:], ["typ": .string("DPoP"), "scope": nil]),
            ([:], ["typ": nil, "scope": nil, "client_id": .string("editor")]),
            ([:], ["typ": nil, "scope": nil, "scp": .array([.string("a")])]),
            ([:], ["typ": nil, "scope": nil, "token_use": .string("access_token")]),
            (["typ": .string("at+jwt")], ["typ": nil, "scope": nil]),
        ] as [([String: JSONValue?], [String: JSONValue?])])
    func `passes in the forms there are`(
        header: [String: JSONValue?], claims: [String: JSONValue?]
    ) throws {
        let token = try forge.verify(forge.token(header: header, claims: claims))
        #expect(token.professional == Forge.professional)
        #expect(token.expiresAt == Forge.now + 120)
    }

    /// What the rules ask, whether the token of `Forge.claims` keeps to it, and what if not.
    private static let demands: [(@Sendable (inout TokenRules) -> Void, TokenRefusal?)] = [
        ({ $0.audiences = ["account", "x"] }, nil),
        ({ $0.audiences = ["x"] }, .audience),
        ({ $0.audiences = [] }, .audience),
        (
            {
                $0.audiences = []; $0.acceptsAnyAudience = true
            }, nil
        ),
        ({ $0.clients = ["x", "editor"] }, nil),
        ({ $0.clients = ["EDITOR"] }, .client),
        ({ $0.scopes = ["scope_all"] }, nil),
        ({ $0.scopes = ["scope_all", "x"] }, .scope),
        ({ $0.scopes = ["scope"] }, .scope),
        ({ $0.contexts = ["eidas1", "eidas3"] }, nil),
        ({ $0.contexts = ["eidas1"] }, .context),
        ({ $0.modes = ["CARD", "MOBILE"] }, nil),
        ({ $0.modes = ["MOBILE"] }, .mode),
        ({ $0.methods = ["pwd"] }, .method),
        ({ $0.professionalClaim = "preferred_username" }, nil),
        ({ $0.professionalClaim = "otherIds" }, .claim),
        ({ $0.professionalClaim = "x" }, .professional),
        ({ $0.issuer = Forge.issuer + "/" }, .issuer),
        ({ $0.lifetimeMax = 120 }, nil),
        ({ $0.lifetimeMax = 119 }, .lifetime),
        ({ $0.algorithms = [.es256] }, nil),
        ({ $0.algorithms = [.es384, .rs256] }, .algorithm),
        ({ $0.algorithms = [] }, .algorithm),
    ]

    @Test(arguments: demands.indices)
    func `keeps the rules of its issuer`(index: Int) throws {
        let (change, refusal) = Self.demands[index]
        var rules = Forge.rules
        change(&rules)
        guard let refusal else {
            _ = try forge.verify(forge.token(), rules: rules)
            return
        }
        #expect(throws: refusal) { try forge.verify(forge.token(), rules: rules) }
    }

    @Test(
        arguments: [
            ([:], Forge.now + 149, nil),
            ([:], Forge.now + 150, .expired),
            ([:], Forge.now - 30, nil),
            ([:], Forge.now - 31, .notYetValid),
            (["nbf": JSONValue(integer: Forge.now + 30)], Forge.now, nil),
            (["nbf": JSONValue(integer: Forge.now + 31)], Forge.now, .notYetValid),
            (["iat": nil, "exp": JSONValue(integer: Forge.now + 14_400)], Forge.now, nil),
            (["iat": nil, "exp": JSONValue(integer: Forge.now + 14_401)], Forge.now, .lifetime),
            (["exp": nil], Forge.now, .claim),
            (["exp": .string("1800000120")], Forge.now, .claim),
            (["exp": .number("-1")], Forge.now, .claim),
            (["exp": .number("1e99")], Forge.now, .claim),
            (["exp": .number("9223372036854775807")], Forge.now, .claim),
            (["exp": .number("253402300799")], Forge.now, .lifetime),
            (["iat": .number("0")], Forge.now, .lifetime),
            (["iat": .boolean(true)], Forge.now, .claim),
            (["nbf": .array([])], Forge.now, .claim),
            (["auth_time": JSONValue(integer: Forge.now + 30)], Forge.now, nil),
            (["auth_time": JSONValue(integer: Forge.now + 31)], Forge.now, .notYetValid),
            (["auth_time": .string("now")], Forge.now, .claim),
        ] as [([String: JSONValue?], Int64, TokenRefusal?)])
    func `is good for its time, and the clocks' leeway`(
        claims: [String: JSONValue?], now: Int64, refusal: TokenRefusal?
    ) throws {
        let token = forge.token(claims: claims)
        guard let refusal else {
            _ = try forge.verify(token, now: now)
            return
        }
        #expect(throws: refusal) { try forge.verify(token, now: now) }
    }

    @Test func `is found a key by its name, or among the first that fit`() throws {
        let others = try (0..<8).map { _ in try #require(SigningKey.make()) }
        let token = forge.token(header: ["kid": nil])
        func verify(_ keys: KeySet, _ token: [UInt8]) throws(TokenRefusal) {
            _ = try verifyAccessToken(token.span, keys: keys, rules: Forge.rules, now: Forge.now)
        }
        let jwks = others.map { Forge.jwk($0) }
        try verify(Forge.set(jwks.dropLast() + [Forge.jwk(forge.key)]), token)
        // The ninth is not tried.
        #expect(throws: TokenRefusal.unknownKey) {
            try verify(Forge.set(jwks + [Forge.jwk(forge.key)]), token)
        }
        // But it has a name.
        try verify(Forge.set(jwks + [Forge.jwk(forge.key, id: "one")]), forge.token())
        // Two may share it.
        try verify(
            Forge.set([Forge.jwk(others[0], id: "one"), Forge.jwk(forge.key, id: "one")]),
            forge.token())
        #expect(throws: TokenRefusal.signature) {
            try verify(Forge.set([Forge.jwk(others[0], id: "one")]), forge.token())
        }
        #expect(throws: TokenRefusal.unknownKey) {
            try verify(Forge.set([Forge.jwk(forge.key, id: "two")]), forge.token())
        }
    }

    @Test func `names its issuer before it is verified`() {
        let token = forge.token()
        let named = issuer(ofUnverified: token.span)
        #expect(named == Forge.issuer)
        let mayBe = mayBeSignedToken(token.span)
        #expect(mayBe)
        for text in ["", "a.b", "opaque", "a.b.c", "..", "a.b.c.d.e"] {
            let bytes = [UInt8](text)
            let named = issuer(ofUnverified: bytes.span)
            #expect(named == nil)
        }
    }
}

@Suite struct `An answer of introspection` {
    private func answer(_ changes: [String: JSONValue?]) -> JSONValue {
        let more: [String: JSONValue?] = ["active": .boolean(true), "client_id": .string("editor")]
        return .object(Forge.changed(Forge.changed(Forge.claims, more), changes))
    }

    @Test(
        arguments: [
            ([:], nil),
            (["iss": nil, "sub": nil, "exp": nil], nil),
            (["active": .boolean(false)], .inactive),
            (["active": nil], .malformed),
            (["active": .string("true")], .malformed),
            (["active": .number("1")], .malformed),
            (["iss": .string("https://other.example")], .issuer),
            (["aud": nil], .audience),
            (["exp": JSONValue(integer: Forge.now - 31)], .expired),
            (["auth_time": JSONValue(integer: Forge.now + 31)], .notYetValid),
            (["token_use": .string("refresh_token")], .kind),
            (["token_use": .string("access_token")], nil),
            (["SubjectNameID": nil], .professional),
            (["SubjectNameID": nil, "sub": nil], .professional),
            (["typ": .string("Refresh")], .kind),
            (["cnf": .object(["jkt": .string("x")])], .unbound),
        ] as [([String: JSONValue?], TokenRefusal?)])
    func `is judged like a token`(changes: [String: JSONValue?], refusal: TokenRefusal?) throws {
        let answer = answer(changes)
        guard let refusal else {
            let token = try judgeIntrospection(answer, rules: Forge.rules, now: Forge.now)
            #expect(token.professional == Forge.professional)
            return
        }
        #expect(throws: refusal) {
            try judgeIntrospection(answer, rules: Forge.rules, now: Forge.now)
        }
    }

    @Test func `without an end is believed for a minute`() throws {
        let token = try judgeIntrospection(
            answer(["exp": nil]), rules: Forge.rules, now: Forge.now)
        #expect(token.expiresAt == Forge.now + 60)
    }
}

@Suite struct `A refusal of a token` {
    @Test func `has a word of its own, and one for the client`() {
        let all: [TokenRefusal] = [
            .tooLarge, .malformed, .header, .kind, .algorithm, .unknownKey, .signature,
            .noUsableKey, .claim, .issuer, .audience, .client, .scope, .context, .mode, .method,
            .expired, .notYetValid, .lifetime, .professional, .stale, .inactive, .unbound,
            .otherCertificate, .otherKey, .proof, .proofNonce, .nonce, .tokenHash, .subject,
        ]
        #expect(Set(all.map { "\($0.word)" }).count == all.count)
        #expect(
            Set(all.map { "\($0.challenge)" }) == [
                "invalid_token", "insufficient_scope", "insufficient_user_authentication",
                "invalid_dpop_proof", "use_dpop_nonce",
            ])
    }
}
