// Assertions.swift: keys that sign in, and what stops them.

import Testing

@testable import WebAuthn

@Suite struct `An assertion` {
    @Test(arguments: [SigningKey.es256, .edDSA, .rs256])
    func `proves the key it was registered with`(signer: SigningKey) throws {
        let authenticator = SoftwareAuthenticator(signer)
        let key = try Scene.register(authenticator)
        let used = try Scene.sign(key, by: authenticator)
        var expected = key
        expected.usedAt = Scene.now + 60
        #expect(used == expected)
    }

    @Test func `finds its key among several`() throws {
        let mine = SoftwareAuthenticator(.edDSA, id: [1, 2, 3])
        let others = (0..<5).map {
            RegisteredKey(id: [1, 2, $0 + 4], publicKey: SigningKey.es256.cose)
        }
        let key = try Scene.register(mine)
        let challenge = try Scene.challenge()
        let used = try verifyAssertion(
            mine.sign(challenge).span, challenge: challenge, party: Scene.party,
            user: Scene.user.handle, keys: others + [key], now: Scene.now)
        #expect(used.id == mine.id)
    }

    @Test(arguments: [
        (UInt32(0), UInt32(0), true), (0, 1, true), (1, 2, true), (5, 900, true),
        (.max - 1, .max, true), (1, 1, false), (2, 1, false), (1, 0, false), (.max, 0, false),
    ])
    func `counts upward, unless the authenticator does not count`(
        kept: UInt32, received: UInt32, isGood: Bool
    ) throws {
        var key = try Scene.register()
        key.counter = kept
        if isGood {
            #expect(try Scene.sign(key) { $0.counter = received }.counter == received)
        } else {
            #expect(throws: WebAuthnRefusal.counterWentBack(kept: kept, received: received)) {
                try Scene.sign(key) { $0.counter = received }
            }
        }
    }

    @Test func `that is nobody's raises no alarm about a copy`() throws {
        var key = try Scene.register()
        key.counter = 5
        #expect(throws: WebAuthnRefusal.wrongSignature) {
            try Scene.sign(key, by: SoftwareAuthenticator(SigningKey(seed: "thief"))) {
                $0.counter = 1
            }
        }
    }

    @Test func `shown a second time is refused`() throws {
        let key = try Scene.register()
        let first = try Scene.challenge()
        let json = Scene.key.sign(first) { $0.counter = 1 }
        let used = try verifyAssertion(
            json.span, challenge: first, party: Scene.party, user: Scene.user.handle, keys: [key],
            now: Scene.now)
        let second = try Scene.challenge()
        #expect(throws: WebAuthnRefusal.wrongChallenge) {
            try verifyAssertion(
                json.span, challenge: second, party: Scene.party, user: Scene.user.handle,
                keys: [used], now: Scene.now)
        }
        // Were the challenge taken twice, the counter would still tell.
        #expect(throws: WebAuthnRefusal.counterWentBack(kept: 1, received: 1)) {
            try verifyAssertion(
                json.span, challenge: first, party: Scene.party, user: Scene.user.handle,
                keys: [used], now: Scene.now)
        }
    }

    @Test func `follows whether a passkey is backed up, but not whether it may be`() throws {
        let key = try Scene.register { $0.flags |= 0x08 }
        #expect(try Scene.sign(key) { $0.flags |= 0x18 }.isBackedUp)
        #expect(throws: WebAuthnRefusal.inconsistentBackup) { try Scene.sign(key) }
        let single = try Scene.register()
        #expect(throws: WebAuthnRefusal.inconsistentBackup) {
            try Scene.sign(single) { $0.flags |= 0x08 }
        }
    }

    @Test func `is for the account whose handle it names, or names none`() throws {
        let key = try Scene.register()
        #expect(throws: Never.self) { try Scene.sign(key) { $0.userHandle = Scene.user.handle } }
        #expect(throws: Never.self) { try Scene.sign(key) { $0.userHandle = [] } }
        #expect(throws: WebAuthnRefusal.otherUser) {
            try Scene.sign(key) { $0.userHandle = Array(2...33) }
        }
        #expect(throws: WebAuthnRefusal.malformed(.json)) {
            try Scene.sign(key) {
                $0.spoilJSON = {
                    $0 = $0.replacing(#""userHandle":null"#, with: #""userHandle":1"#)
                }
            }
        }
    }

    @Test func `of a key that another account has is refused`() throws {
        let key = try Scene.register()
        let thief = SoftwareAuthenticator(.es256, id: [9, 9, 9])
        #expect(throws: WebAuthnRefusal.unknownKey) { try Scene.sign(key, by: thief) }
        let challenge = try Scene.challenge()
        #expect(throws: WebAuthnRefusal.unknownKey) {
            try verifyAssertion(
                Scene.key.sign(challenge).span, challenge: challenge, party: Scene.party,
                user: Scene.user.handle, keys: [], now: Scene.now)
        }
    }

    @Test(arguments: Lie.ofBrowsers + Lie.ofAuthenticators + Self.lies)
    func `is refused for`(lie: Lie) throws {
        let key = try Scene.register()
        #expect(throws: lie.refusal) { try Scene.sign(key, lie.tell) }
    }

    private static let lies = [
        Lie("a registration's type", .wrongType) { $0.type = "webauthn.create" },
        Lie("a new key inside", .malformed(.authenticatorData)) {
            $0.flags |= 0x40
            $0.leftOver = [UInt8](repeating: 0, count: 16) + [0, 1, 7] + SigningKey.es256.cose
        },
        Lie("more than is read", .malformed(.authenticatorData)) {
            $0.extensions = CBOR.map([
                (CBOR.text("a"), CBOR.bytes([UInt8](repeating: 0, count: 900)))
            ])
        },
        Lie("data cut short", .malformed(.authenticatorData)) { $0.spoil = { $0.removeLast() } },
        Lie("no data", .malformed(.authenticatorData)) { $0.spoil = { $0 = [] } },
        Lie("a counter changed", .wrongSignature) { $0.spoil = { $0[36] ^= 1 } },
        Lie("a flag of the future", .wrongSignature) { $0.spoil = { $0[32] |= 0x20 } },
        Lie("a signature changed", .wrongSignature) { $0.spoilSignature = { $0[20] ^= 1 } },
        Lie("a signature cut short", .wrongSignature) { $0.spoilSignature = { $0.removeLast() } },
        Lie("a signature that goes on", .wrongSignature) { $0.spoilSignature = { $0.append(0) } },
        Lie("no signature", .malformed(.signature)) { $0.spoilSignature = { $0 = [] } },
        Lie("a huge signature", .malformed(.signature)) {
            $0.spoilSignature = { $0 = [UInt8](repeating: 1, count: 20_000) }
        },
        Lie("zeroes for a signature", .wrongSignature) {
            $0.spoilSignature = { $0 = [0x30, 6, 2, 1, 0, 2, 1, 0] }
        },
    ]

    /// One bit of what is signed, anywhere, and the signature is another's.
    @Test func `is refused whatever bit is changed`() throws {
        let key = try Scene.register()
        for bit in 0..<37 * 8 {
            #expect(throws: WebAuthnRefusal.self) {
                try Scene.sign(key) { $0.spoil = { $0[bit / 8] ^= 1 << UInt8(bit % 8) } }
            }
        }
    }

    @Test func `is refused when the key was kept broken`() throws {
        var key = try Scene.register()
        key.publicKey.removeLast()
        #expect(throws: WebAuthnRefusal.malformed(.publicKey)) { try Scene.sign(key) }
    }
}
