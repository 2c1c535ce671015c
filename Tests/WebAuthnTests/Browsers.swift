// Browsers.swift: what a real browser sent through `webauthn.js`, of a key made of software.

import Testing

@testable import WebAuthn

@Suite struct `What Chromium 156 sent` {
    private static let party = RelyingParty(
        id: "gate.example.test", origin: "https://gate.example.test")

    @Test func `registers a key and signs in with it, once`() throws {
        let first = try #require(Challenge(text: Self.firstChallenge))
        let key = try verifyRegistration(
            Array(Self.registration.utf8).span, challenge: first, party: Self.party,
            policy: .none, name: "blue", now: 1_780_000_000)
        #expect(key.counter == 1 && key.transports == ["usb"] && key.id.count == 32)
        let second = try #require(Challenge(text: Self.secondChallenge))
        let used = try verifyAssertion(
            Array(Self.assertion.utf8).span, challenge: second, party: Self.party,
            user: Array("a handle".utf8), keys: [key], now: 1_780_000_001)
        #expect(used.counter == 2 && used.usedAt == 1_780_000_001)
        #expect(throws: WebAuthnRefusal.counterWentBack(kept: 2, received: 2)) {
            try verifyAssertion(
                Array(Self.assertion.utf8).span, challenge: second, party: Self.party,
                user: Array("a handle".utf8), keys: [used], now: 1_780_000_002)
        }
    }

    private static let firstChallenge =
        "uIe9cl7C817w6CKZxRcvJALoDLTCK06Yovsidy7CrAlseHM09x4XryYnKBMgs6CRV-tfw4nqTZDpgs0VxCudnQ"
    private static let registration =
        #"""
        {"id":"A8_iNyNNmWgohA7gmOGbnG5nJRgPvaPHHYNLK9Hz21A","rawId":"A8_iNyNNmWgohA7gmOGbnG5\#
        nJRgPvaPHHYNLK9Hz21A","type":"public-key","response":{"clientDataJSON":"eyJ0eXBlIjoi\#
        d2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoidUllOWNsN0M4MTd3NkNLWnhSY3ZKQUxvRExUQ0swNllv\#
        dnNpZHk3Q3JBbHNlSE0wOXg0WHJ5WW5LQk1nczZDUlYtdGZ3NG5xVFpEcGdzMFZ4Q3VkblEiLCJvcmlnaW4i\#
        OiJodHRwczovL2dhdGUuZXhhbXBsZS50ZXN0IiwiY3Jvc3NPcmlnaW4iOmZhbHNlfQ","attestationObje\#
        ct":"o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YViBeXPJggBbTd89BM5bbcIbVevoeCbtnA2s9aUVbcL\#
        jHfVFAAAAAQAAAAAAAAAAAAAAAAAAAAAAIAPP4jcjTZloKIQO4Jjhm5xuZyUYD72jxx2DSyvR89tQpAEBAyc\#
        gBiFYIAGBr-GPUIy3rnSeBE5cd6KGb_0vfP75SBWnM1sTVE7W","transports":["usb"]}}
        """#
    private static let secondChallenge =
        "uaI7xbVKzto13aOzjwsg_sZNuiwLXIPlUgarO3CKRQ4mv17e8N6aeA9IjNFg_WCQe8UCvHvugwpXOmESnncIMw"
    private static let assertion =
        #"""
        {"id":"A8_iNyNNmWgohA7gmOGbnG5nJRgPvaPHHYNLK9Hz21A","rawId":"A8_iNyNNmWgohA7gmOGbnG5\#
        nJRgPvaPHHYNLK9Hz21A","type":"public-key","response":{"clientDataJSON":"eyJ0eXBlIjoi\#
        d2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoidWFJN3hiVkt6dG8xM2FPemp3c2dfc1pOdWl3TFhJUGxVZ2Fy\#
        TzNDS1JRNG12MTdlOE42YWVBOUlqTkZnX1dDUWU4VUN2SHZ1Z3dwWE9tRVNubmNJTXciLCJvcmlnaW4iOiJo\#
        dHRwczovL2dhdGUuZXhhbXBsZS50ZXN0IiwiY3Jvc3NPcmlnaW4iOmZhbHNlfQ","authenticatorData":\#
        "eXPJggBbTd89BM5bbcIbVevoeCbtnA2s9aUVbcLjHfUFAAAAAg","signature":"Ji3UHBED8G3OR4Utcr\#
        AW7XbrvA2YNAw3ZsL5pP405pFGHUuYqbLnBkf4NPMKoj_LxrVB7R0ap9r4cxrPjX2LDQ","userHandle":n\#
        ull}}
        """#
}
