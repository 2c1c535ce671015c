// IDTokenTests.swift: id tokens, userinfo and logout tokens, and that none passes for another.

import JSON
import Testing

@testable import Tokens

private let event = "http://schemas.openid.net/event/backchannel-logout"

@Suite struct `An id token` {
    private static let claims: [String: JSONValue?] = [
        "aud": .string("herse"), "azp": .string("herse"), "typ": .string("ID"), "scope": nil,
        "nonce": .string("n-0S6_WzA2Mj"),
    ]
    private let forge: Forge
    init() throws { forge = try Forge() }

    private static var rules: IDTokenRules {
        var rules = IDTokenRules(
            issuer: Forge.issuer, algorithms: [.es256], client: "herse")
        rules.nonce = "n-0S6_WzA2Mj"
        return rules
    }

    private func verify(
        _ changes: [String: JSONValue?] = [:], header: [String: JSONValue?] = [:],
        _ change: (inout IDTokenRules) -> Void = { _ in }
    ) throws(TokenRefusal) -> VerifiedToken {
        var rules = Self.rules
        change(&rules)
        let claims = Self.claims.merging(changes) { $1 }
        let token = forge.token(header: header, claims: claims)
        return try verifyIDToken(token.span, keys: forge.keys, rules: rules, now: Forge.now)
    }

    @Test func `says who signed in, and how`() throws {
        let token = try verify()
        #expect(token.professional == Forge.professional)
        #expect(token.session == "5c0f")
        #expect(token.client == "herse")
        #expect(token.context == "eidas3")
        #expect(token.authenticatedAt == Forge.now - 10)
        // Left to userinfo.
        #expect(try verify(["SubjectNameID": nil]).professional == "")
    }

    @Test(
        arguments: [
            (["nonce": .string("other")], .nonce),
            (["nonce": nil], .nonce),
            (["nonce": .string("n-0S6_WzA2MK")], .nonce),
            (["aud": .string("other")], .audience),
            (["aud": nil], .audience),
            (["azp": .string("other")], .client),
            (["aud": .array([.string("herse"), .string("b")]), "azp": nil], .client),
            (["aud": .array([.string("herse"), .string("b")])], nil),
            (["azp": nil], nil),
            (["iss": .string("https://other.example")], .issuer),
            (["exp": nil], .claim),
            (["iat": nil], .claim),
            (["exp": JSONValue(integer: Forge.now - 30)], .expired),
            (["iat": JSONValue(integer: Forge.now + 31)], .notYetValid),
            (["auth_time": JSONValue(integer: Forge.now + 31)], .notYetValid),
            (["sub": nil], .claim),
            (["typ": .string("Bearer")], .kind),
            (["typ": .string("Logout")], .kind),
            (["typ": nil], nil),
            (["events": .object([event: .object([:])])], .kind),
            (["token_use": .string("access")], .kind),
        ] as [([String: JSONValue?], TokenRefusal?)])
    func `is for one sign-in of ours`(changes: [String: JSONValue?], refusal: TokenRefusal?) throws
    {
        guard let refusal else {
            _ = try verify(changes)
            return
        }
        #expect(throws: refusal) { try verify(changes) }
    }

    @Test(arguments: ["at+jwt", "logout+jwt", "dpop+jwt"])
    func `is no other token`(type: String) {
        #expect(throws: TokenRefusal.kind) { try verify(header: ["typ": .string(type)]) }
    }

    @Test func `is strong and fresh enough`() throws {
        _ = try verify { $0.contexts = ["eidas1", "eidas3"] }
        #expect(throws: TokenRefusal.context) { try verify { $0.contexts = ["eidas1"] } }
        _ = try verify(["auth_time": JSONValue(integer: Forge.now - 90)]) { $0.ageMax = 60 }
        #expect(throws: TokenRefusal.stale) {
            try verify(["auth_time": JSONValue(integer: Forge.now - 91)]) { $0.ageMax = 60 }
        }
        #expect(throws: TokenRefusal.stale) { try verify(["auth_time": nil]) { $0.ageMax = 60 } }
        _ = try verify(["auth_time": nil])
    }

    @Test func `belongs to the access token that came with it`() throws {
        let access = [UInt8]("the access token")
        let digest = sha256(access.span)
        let hash = JSONValue.string(encodeBase64URL(Array(digest.prefix(16))))
        _ = try verify(["at_hash": hash]) { $0.accessToken = access }
        #expect(throws: TokenRefusal.tokenHash) {
            try verify(["at_hash": hash]) { $0.accessToken = access + [0] }
        }
        #expect(throws: TokenRefusal.tokenHash) {
            try verify(["at_hash": .string(encodeBase64URL(digest))]) { $0.accessToken = access }
        }
        _ = try verify { $0.accessToken = access }
    }

    @Test func `is refused as an access token, and an access token as it`() throws {
        let claims = Self.claims.merging(["aud": .string("https://gate.example.fr")]) { $1 }
        #expect(throws: TokenRefusal.kind) { try forge.verify(forge.token(claims: claims)) }
        let access = forge.token(claims: ["aud": .string("herse"), "azp": .string("herse")])
        #expect(throws: TokenRefusal.kind) {
            try verifyIDToken(access.span, keys: forge.keys, rules: Self.rules, now: Forge.now)
        }
    }
}

@Suite struct `Userinfo` {
    @Test(
        arguments: [
            (["sub": .string("s"), "SubjectNameID": .string("899700218896")], nil),
            (["sub": .string("t"), "SubjectNameID": .string("899700218896")], .subject),
            (["SubjectNameID": .string("899700218896")], .claim),
            (["sub": .string("s")], .professional),
            (["sub": .string("s"), "SubjectNameID": .number("8")], .claim),
        ] as [(JSONObject, TokenRefusal?)])
    func `is about whoever signed in`(answer: JSONObject, refusal: TokenRefusal?) throws {
        func judge() throws(TokenRefusal) -> String {
            try judgeUserInfo(.object(answer), subject: "s", claim: "SubjectNameID")
        }
        guard let refusal else {
            #expect(try judge() == "899700218896")
            return
        }
        #expect(throws: refusal) { try judge() }
    }
}

@Suite struct `A logout token` {
    private static let claims: [String: JSONValue?] = [
        "aud": .string("herse"), "azp": nil, "typ": .string("Logout"), "scope": nil, "nonce": nil,
        "acr": nil, "events": .object([event: .object([:])]),
    ]
    private let forge: Forge
    init() throws { forge = try Forge() }

    private func verify(
        _ changes: [String: JSONValue?] = [:], header: [String: JSONValue?] = [:],
        now: Int64 = Forge.now
    ) throws(TokenRefusal) -> LogoutToken {
        let rules = IDTokenRules(issuer: Forge.issuer, algorithms: [.es256], client: "herse")
        let token = forge.token(header: header, claims: Self.claims.merging(changes) { $1 })
        return try verifyLogoutToken(token.span, keys: forge.keys, rules: rules, now: now)
    }

    @Test func `says whose session is over`() throws {
        let token = try verify(header: ["typ": .string("logout+jwt")])
        #expect(token.session == "5c0f")
        #expect(token.subject == "f:550dc1c8-d97b-4b1e-ac8c-8eb4471cf9dd:899700218896")
        #expect(token.id == "0a7f")
        #expect(token.expiresAt == Forge.now + 120)
        #expect(try verify(["sid": nil]).session == nil)
        #expect(try verify(["sub": nil, "typ": nil]).subject == nil)
    }

    @Test(
        arguments: [
            (["events": nil], .kind),
            (["events": .object([:])], .kind),
            (["events": .object([event: .null])], .kind),
            (["events": .array([.string(event)])], .kind),
            (["nonce": .string("n")], .kind),
            (["nonce": .null], .kind),
            (["typ": .string("ID")], .kind),
            (["sub": nil, "sid": nil], .claim),
            (["jti": nil], .claim),
            (["iat": nil], .claim),
            (["aud": .string("other")], .audience),
            (["iss": .string("https://other.example")], .issuer),
            (["exp": JSONValue(integer: Forge.now - 30)], .expired),
        ] as [([String: JSONValue?], TokenRefusal)])
    func `is refused when it is none, or not for us`(
        changes: [String: JSONValue?], refusal: TokenRefusal
    ) {
        #expect(throws: refusal) { try verify(changes) }
    }

    @Test func `without an end is good for two minutes`() throws {
        _ = try verify(["exp": nil], now: Forge.now + 149)
        #expect(throws: TokenRefusal.expired) {
            try verify(["exp": nil], now: Forge.now + 150)
        }
    }

    @Test func `is good for ten minutes, whatever it says`() throws {
        let far: [String: JSONValue?] = ["exp": JSONValue(integer: Forge.now + 86_400)]
        #expect(try verify(far).expiresAt == Forge.now + 600)
        _ = try verify(far, now: Forge.now + 629)
        #expect(throws: TokenRefusal.expired) { try verify(far, now: Forge.now + 630) }
    }
}
