// Registrations.swift: keys that may be registered, and what they may not.

import Testing

@testable import WebAuthn

@Suite struct `A registration` {
    @Test(arguments: [SigningKey.es256, .edDSA, .rs256])
    func `keeps the key, its counter and how it is reached`(signer: SigningKey) throws {
        let authenticator = SoftwareAuthenticator(signer)
        let key = try Scene.register(authenticator, name: "blue") { $0.counter = 7 }
        #expect(
            key
                == RegisteredKey(
                    id: authenticator.id, publicKey: signer.cose, counter: 7,
                    transports: ["usb", "nfc"], name: "blue", registeredAt: Scene.now))
    }

    @Test func `knows a passkey that is kept elsewhere too`() throws {
        let mine = try Scene.register { $0.flags |= 0x18 }
        #expect(mine.mayBeBackedUp && mine.isBackedUp)
        let eligible = try Scene.register { $0.flags |= 0x08 }
        #expect(eligible.mayBeBackedUp && !eligible.isBackedUp)
    }

    @Test(arguments: [
        [], CBOR.map([(CBOR.text("credProtect"), [3])]),
        CBOR.map([(CBOR.text("hmac-secret"), [0xf5])]),
        CBOR.map([(CBOR.text("hmac-secret"), [0xf4]), (CBOR.text("minPinLength"), [4])]),
        CBOR.map([(CBOR.text("not known to anybody"), CBOR.array([[1], [2]]))]),
    ])
    func `passes over extensions nobody asked for`(extensions: [UInt8]) throws {
        #expect(throws: Never.self) { try Scene.register { $0.extensions = extensions } }
    }

    @Test(arguments: [
        Story.Attestation.selfSigned, .other(format: "tpm", statement: CBOR.map([])),
        .other(format: "android-key", statement: CBOR.map([(CBOR.text("sig"), [0x40])])),
    ])
    func `believes no attestation that policy did not ask for`(
        attestation: Story.Attestation
    ) throws {
        let key = try Scene.register {
            $0.attestation = attestation
            $0.model = Attestations.model
        }
        #expect(key.model == nil)
    }

    @Test func `takes the longest id there is, and no longer`() throws {
        let longest = SoftwareAuthenticator(.es256, id: [UInt8](repeating: 7, count: 1023))
        #expect(try Scene.register(longest).id.count == 1023)
        let longer = SoftwareAuthenticator(.es256, id: [UInt8](repeating: 7, count: 1024))
        #expect(throws: WebAuthnRefusal.malformed(.credentialID)) { try Scene.register(longer) }
    }

    @Test func `of a key that is there already is refused`() throws {
        let key = try Scene.register()
        #expect(throws: WebAuthnRefusal.alreadyRegistered) { try Scene.register(existing: [key]) }
        var other = key
        other.id.append(1)
        #expect(throws: Never.self) { try Scene.register(existing: [other]) }
    }

    @Test func `keeps no more of a name than it should`() throws {
        let name = String(repeating: "é", count: 90)
        #expect(try Scene.register(name: name).name == String(repeating: "é", count: 50))
    }

    @Test func `keeps only words that browsers may say of transports`() throws {
        let words = #"["usb","<script>","","smart-card","UPPER","a","b","c","d","e","f","g"]"#
        let key = try Scene.register {
            $0.spoilJSON = { $0 = $0.replacing(#"["usb","nfc"]"#, with: words) }
        }
        #expect(key.transports == ["usb", "smart-card", "a", "b", "c", "d", "e", "f"])
    }

    @Test func `needs no rawId to differ in its writing`() throws {
        // The same bytes, in letters whose last bits say something else.
        let authenticator = SoftwareAuthenticator(.es256, id: [0xff])
        #expect(throws: WebAuthnRefusal.malformed(.credentialID)) {
            try Scene.register(authenticator) {
                $0.spoilJSON = { $0 = $0.replacing("_w", with: "_x") }
            }
        }
    }

    @Test(arguments: Lie.ofBrowsers + Lie.ofAuthenticators + Self.lies)
    func `is refused for`(lie: Lie) {
        #expect(throws: lie.refusal) { try Scene.register(Scene.key, lie.tell) }
    }

    private static let lies = [
        Lie("an assertion's type", .wrongType) { $0.type = "webauthn.get" },
        Lie("no key", .malformed(.authenticatorData)) { $0.flags &= ~0x40 },
        Lie("no id", .malformed(.credentialID)) { $0.id = [] },
        Lie("another id inside", .differentIDs) { story in
            let other = base64URL([UInt8](repeating: 9, count: story.id.count))
            let mine = base64URL(story.id)
            story.spoilJSON = { $0 = $0.replacing(mine, with: other) }
        },
        Lie("an algorithm nobody offered", .unsupportedAlgorithm) {
            $0.cose = CBOR.map([
                (CBOR.integer(1), CBOR.integer(2)), (CBOR.integer(3), CBOR.integer(-35)),
            ])
        },
        Lie("RSA with SHA-1", .unsupportedAlgorithm) {
            $0.cose = CBOR.map([
                (CBOR.integer(1), CBOR.integer(3)), (CBOR.integer(3), CBOR.integer(-65535)),
            ])
        },
        Lie("a key without algorithm", .malformed(.publicKey)) {
            $0.cose = CBOR.map([(CBOR.integer(1), CBOR.integer(2))])
        },
        Lie("a key that is no map", .malformed(.publicKey)) { $0.cose = CBOR.bytes([1, 2, 3]) },
        Lie("a point on no curve", .unusableKey) { $0.cose = Self.point(x: 32, y: 32) },
        Lie("a short coordinate", .unusableKey) { $0.cose = Self.point(x: 31, y: 32) },
        Lie("a long coordinate", .unusableKey) { $0.cose = Self.point(x: 32, y: 33) },
        Lie("a parameter more", .malformed(.publicKey)) {
            $0.cose = Self.point(x: 32, y: 32, more: [(CBOR.integer(4), CBOR.integer(1))])
        },
        Lie("a parameter twice", .malformed(.publicKey)) {
            $0.cose = Self.point(x: 32, y: 32, more: [(CBOR.integer(3), CBOR.integer(-7))])
        },
        Lie("a short modulus", .unusableKey) {
            $0.cose = CBOR.map([
                (CBOR.integer(1), CBOR.integer(3)), (CBOR.integer(3), CBOR.integer(-257)),
                (CBOR.integer(-1), CBOR.bytes([UInt8](repeating: 0xff, count: 128))),
                (CBOR.integer(-2), CBOR.bytes([1, 0, 1])),
            ])
        },
        Lie("an object that goes on", .malformed(.attestation)) { $0.spoil = { $0.append(0) } },
        Lie("an object cut short", .malformed(.attestation)) { $0.spoil = { $0.removeLast() } },
        Lie("nothing at all", .malformed(.attestation)) { $0.spoil = { $0 = [] } },
        Lie("an object without end", .malformed(.attestation)) { $0.spoil = { $0[0] = 0xbf } },
        Lie("an object with a tag", .malformed(.attestation)) {
            $0.spoil = { $0.insert(0xc0, at: 0) }
        },
        Lie("two formats", .malformed(.attestation)) {
            $0.spoil = { $0 = [0xa4] + CBOR.text("fmt") + CBOR.text("none") + $0.dropFirst() }
        },
        Lie("a member nobody knows", .malformed(.attestation)) {
            $0.spoil = { $0 = [0xa4] + CBOR.text("epAtt") + [0xf5] + $0.dropFirst() }
        },
        Lie("a deep statement", .malformed(.attestation)) {
            $0.attestation = .other(
                format: "none", statement: [UInt8](repeating: 0x81, count: 9) + [0])
        },
        Lie("a statement deeper than a stack", .malformed(.attestation)) {
            $0.attestation = .other(
                format: "none", statement: [UInt8](repeating: 0x81, count: 40_000) + [0])
        },
    ]

    private static func point(x: Int, y: Int, more: [([UInt8], [UInt8])] = []) -> [UInt8] {
        CBOR.map(
            [
                (CBOR.integer(1), CBOR.integer(2)), (CBOR.integer(3), CBOR.integer(-7)),
                (CBOR.integer(-1), CBOR.integer(1)),
                (CBOR.integer(-2), CBOR.bytes([UInt8](repeating: 5, count: x))),
                (CBOR.integer(-3), CBOR.bytes([UInt8](repeating: 6, count: y))),
            ] + more)
    }

    /// Whatever byte is missing or changed, something is said, and nothing stops.
    @Test func `is refused wherever it is cut`() throws {
        let whole = try Self.object()
        for length in whole.indices {
            #expect(throws: WebAuthnRefusal.malformed(.attestation)) {
                try Scene.register { $0.spoil = { $0.removeLast($0.count - length) } }
            }
        }
    }

    private static func object() throws -> [UInt8] {
        var object: [UInt8] = []
        let json = Scene.key.register(try Scene.challenge())
        let text = String(decoding: json, as: UTF8.self)
        let start = try #require(text.firstRange(of: "attestationObject\":\"")).upperBound
        let end = try #require(text[start...].firstIndex(of: "\""))
        object = try #require(bytes(ofBase64URL: String(text[start..<end])))
        return object
    }
}
