// Stream.swift: a transmitter of the tests' own, with a key that was made for it.

import JSON
import Testing
import Tokens

@testable import Signals

/// An issuer whose key is made anew for each.
struct Stream {
    static let now: Int64 = 1_800_000_000
    static let issuer = "https://idp.example/"
    static let audience = "https://gate.example/signals"

    let folder = TemporaryFolder()
    let keys: AssertionKeys
    let set: KeySet

    init() throws {
        keys = try AssertionKeys(folder: folder.path, rotate: 86_400, now: Self.now)
        set = try KeySet(json: keys.published.span)
    }

    static var rules: StreamRules {
        StreamRules(issuer: issuer, audience: audience, algorithms: [.es256])
    }

    /// Claims that are good, but for what `change` does to them.
    static func claims(
        _ event: String = SignalEvent.accountDisabled.uri, _ about: JSONObject = [:],
        change: (inout JSONObject) -> Void = { _ in }
    ) -> JSONValue {
        var claims: JSONObject = [
            "iss": .string(issuer), "aud": .string(audience), "jti": .string("one"),
            "iat": JSONValue(integer: now - 5),
            "sub_id": .object([
                "format": .string("iss_sub"), "iss": .string(issuer),
                "sub": .string("899700218896"),
            ]), "events": .object([event: .object(about)]),
        ]
        change(&claims)
        return .object(claims)
    }

    func token(_ claims: JSONValue, type: String = "secevent+jwt") throws -> [UInt8] {
        try #require(keys.sign(claims: claims.encoded, type: type, now: Self.now))
    }

    func event(_ token: [UInt8]) throws(DeliveryError) -> SecurityEvent {
        try verifySecurityEvent(token.span, keys: set, rules: Self.rules, now: Self.now)
    }
}
