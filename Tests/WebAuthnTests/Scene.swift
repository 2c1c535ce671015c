// Scene.swift: who takes part in the tests, and lies told in one line.

import Testing

@testable import WebAuthn

enum Scene {
    static let party = RelyingParty(id: "gate.example.fr", origin: "https://gate.example.fr")
    static let user = WebAuthnUser(handle: Array(1...32), name: "anne")
    static let now: Int64 = 1_780_000_000
    static let key = SoftwareAuthenticator(.es256)

    static func challenge() throws -> Challenge { try #require(Challenge()) }

    /// What the gate makes of a registration that `change` made something else of.
    static func register(
        _ authenticator: SoftwareAuthenticator = key, policy: AttestationPolicy = .none,
        existing: [RegisteredKey] = [], name: String = "",
        _ change: (inout Story) -> Void = { _ in }
    ) throws -> RegisteredKey {
        let challenge = try challenge()
        let json = authenticator.register(challenge, change)
        return try verifyRegistration(
            json.span, challenge: challenge, party: party, policy: policy, existing: existing,
            name: name, now: now)
    }

    /// The same, of an assertion by `kept`.
    static func sign(
        _ kept: RegisteredKey, by authenticator: SoftwareAuthenticator = key,
        _ change: (inout Story) -> Void = { _ in }
    ) throws -> RegisteredKey {
        let challenge = try challenge()
        let json = authenticator.sign(challenge, change)
        return try verifyAssertion(
            json.span, challenge: challenge, party: party, user: user.handle, keys: [kept],
            now: now + 60)
    }
}

/// A lie, and what it is refused for.
struct Lie: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let refusal: WebAuthnRefusal
    let tell: @Sendable (inout Story) -> Void

    init(
        _ what: String, _ refusal: WebAuthnRefusal,
        _ tell: @escaping @Sendable (inout Story) -> Void
    ) {
        testDescription = what
        self.refusal = refusal
        self.tell = tell
    }

    /// Lies of the browser, in either ceremony.
    static let ofBrowsers = [
        Lie("another site", .wrongOrigin) { $0.origin = "https://gate.example.fr.evil.example" },
        Lie("no TLS", .wrongOrigin) { $0.origin = "http://gate.example.fr" },
        Lie("another port", .wrongOrigin) { $0.origin = "https://gate.example.fr:8443" },
        Lie("a slash more", .wrongOrigin) { $0.origin = "https://gate.example.fr/" },
        Lie("upper case", .wrongOrigin) { $0.origin = "https://GATE.example.fr" },
        Lie("a letter of another alphabet", .wrongOrigin) { $0.origin = "https://gаte.example.fr" },
        Lie("no origin", .wrongOrigin) { $0.origin = "" },
        Lie("another challenge", .wrongChallenge) { $0.challenge = base64URL(Array(1...32)) },
        Lie("a challenge with padding", .wrongChallenge) { $0.challenge += "=" },
        Lie("no challenge", .wrongChallenge) { $0.challenge = "" },
        Lie("a frame", .crossOrigin) { $0.moreClientData = #","crossOrigin":true"# },
        Lie("a frame's parent", .crossOrigin) {
            $0.moreClientData = #","crossOrigin":false,"topOrigin":"https://gate.example.fr""#
        },
        Lie("a frame, as text", .malformed(.clientData)) {
            $0.moreClientData = #","crossOrigin":"false""#
        },
        Lie("two origins", .malformed(.clientData)) {
            $0.moreClientData = #","origin":"https://evil.example""#
        },
        Lie("two types", .malformed(.clientData)) {
            $0.moreClientData = #","type":"webauthn.get""#
        },
        Lie("client data that go on", .malformed(.clientData)) { $0.moreClientData = "}{" },
        Lie("nested client data", .malformed(.clientData)) {
            $0.moreClientData =
                ",\"a\":" + String(repeating: "[", count: 9)
                + String(repeating: "]", count: 9)
        },
        Lie("another kind of credential", .malformed(.json)) { $0.credentialType = "password" },
        Lie("another rawId", .differentIDs) { $0.rawID = [1, 2, 3] },
        Lie("no JSON", .malformed(.json)) { $0.spoilJSON = { $0.removeLast() } },
        Lie("an array", .malformed(.json)) { $0.spoilJSON = { $0 = "[\($0)]" } },
        Lie("two ids", .malformed(.json)) {
            $0.spoilJSON = { $0 = $0.replacing(",\"type\"", with: ",\"id\":\"AA\",\"type\"") }
        },
        Lie("bytes with padding", .malformed(.clientData)) {
            $0.spoilJSON = { $0 = $0.replacing("DataJSON\":\"", with: "DataJSON\":\"=") }
        },
        Lie("64 KiB and one", .tooLarge) {
            $0.spoilJSON = { $0 += String(repeating: " ", count: 65_537 - $0.utf8.count) }
        },
        Lie("ten thousand arrays", .malformed(.json)) {
            $0.spoilJSON = { $0 = String(repeating: "[", count: 10_000) }
        },
    ]

    /// Lies of the authenticator, in either ceremony.
    static let ofAuthenticators = [
        Lie("another relying party", .wrongParty) { $0.party = "evil.example" },
        Lie("a parent domain", .wrongParty) { $0.party = "example.fr" },
        Lie("nobody there", .userNotPresent) { $0.flags &= ~0x01 },
        Lie("nobody verified", .userNotVerified) { $0.flags &= ~0x04 },
        Lie("backed up, but cannot be", .inconsistentBackup) { $0.flags |= 0x10 },
        Lie("a byte left over", .malformed(.authenticatorData)) { $0.leftOver = [0] },
        Lie("extensions that are none", .malformed(.authenticatorData)) { $0.extensions = [0x01] },
        Lie("extensions without end", .malformed(.authenticatorData)) {
            $0.extensions = [0xbf, 0xff]
        },
        Lie("extensions that lie about their number", .malformed(.authenticatorData)) {
            $0.extensions = [0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
        },
        Lie("an extension twice", .malformed(.authenticatorData)) {
            $0.extensions = [0xa2, 0x61, 0x61, 0xf5, 0x61, 0x61, 0xf5]
        },
    ]
}
