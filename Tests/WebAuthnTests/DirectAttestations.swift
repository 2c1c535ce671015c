// DirectAttestations.swift: authenticators that must say what they are, and who may vouch.

import Testing

@testable import WebAuthn

@Suite struct `An attestation that policy asks for` {
    private static let signer = SigningKey(seed: "authenticator")
    private static let model = Model(bytes: Attestations.model)

    private static func pem(_ certificates: [[UInt8]]) -> [UInt8] {
        certificates.flatMap { der in
            // base64url differs in two letters and the padding.
            var text = base64URL(der).replacing("-", with: "+").replacing("_", with: "/")
            while text.utf8.count % 4 != 0 { text += "=" }
            var lines = "-----BEGIN CERTIFICATE-----\n"
            while !text.isEmpty {
                lines += text.prefix(64) + "\n"
                text.removeFirst(min(64, text.count))
            }
            return Array((lines + "-----END CERTIFICATE-----\n").utf8)
        }
    }

    private static func policy(
        _ anchors: [[UInt8]] = [Attestations.root], models: Set<Model> = []
    ) throws -> AttestationPolicy {
        .direct(
            models: models,
            authorities: try #require(AttestationAuthorities(pem: Self.pem(anchors))))
    }

    private static func register(
        _ policy: AttestationPolicy, leaf: [UInt8] = Attestations.leaf,
        _ change: (inout Story) -> Void = { _ in }
    ) throws -> RegisteredKey {
        try Scene.register(policy: policy) {
            $0.model = Attestations.model
            $0.attestation = .packed(by: Self.signer, certificates: [leaf, Attestations.middle])
            change(&$0)
        }
    }

    @Test func `proves the model`() throws {
        #expect(try Self.register(Self.policy()).model == Self.model)
    }

    @Test(arguments: [
        [Attestations.middle], [Attestations.leaf], [Attestations.stranger, Attestations.root],
    ])
    func `may be traced to any certificate that was configured`(anchors: [[UInt8]]) throws {
        #expect(throws: Never.self) { try Self.register(Self.policy(anchors)) }
    }

    @Test func `need not name its model in the certificate`() throws {
        #expect(throws: Never.self) {
            try Self.register(Self.policy(), leaf: Attestations.silentLeaf)
        }
    }

    /// U2F signs no model: one that is claimed is nobody's word but the browser's.
    @Test(arguments: [[UInt8](repeating: 0, count: 16), Attestations.model])
    func `of a U2F key proves no model`(claimed: [UInt8]) throws {
        let tell = { @Sendable (story: inout Story) in
            story.model = claimed
            story.attestation = .u2f(by: Self.signer, certificates: [Attestations.silentLeaf])
        }
        let anchors = [Attestations.middle]
        #expect(try Self.register(Self.policy(anchors), tell).model == nil)
        let choosy = try Self.policy(anchors, models: [#require(Self.model)])
        #expect(throws: WebAuthnRefusal.noAttestation) { try Self.register(choosy, tell) }
    }

    @Test func `of a U2F key is for one kind of key, by one certificate`() throws {
        let policy = try Self.policy([Attestations.middle])
        #expect(throws: WebAuthnRefusal.malformed(.attestation)) {
            try Self.register(policy) {
                $0.attestation = .u2f(
                    by: Self.signer, certificates: [Attestations.silentLeaf, Attestations.middle])
            }
        }
        #expect(throws: WebAuthnRefusal.unsupportedAttestation) {
            try Scene.register(SoftwareAuthenticator(.edDSA), policy: policy) {
                $0.attestation = .u2f(by: Self.signer, certificates: [Attestations.silentLeaf])
            }
        }
    }

    @Test(
        arguments: [
            [("credProtect", 3)], [("hmac-secret", 0xf5)], [("hmac-secret", 0xf4)],
            [("minPinLength", 6)], [("credBlob", 0xf5)], [("credBlob", 0xf4)], [("unknown", 1)],
            [("credProtect", 2), ("hmac-secret", 0xf5)],
        ] as [[(String, UInt8)]])
    func `stands beside extensions nobody asked for`(extensions: [(String, UInt8)]) throws {
        let map = CBOR.map(extensions.map { (CBOR.text($0.0), [$0.1]) })
        #expect(throws: Never.self) {
            try Self.register(Self.policy()) { $0.extensions = map }
        }
    }

    @Test(arguments: [
        (Attestations.otherModelLeaf, WebAuthnRefusal.wrongAttestation),
        (Attestations.brokenModelLeaf, .wrongAttestation),
        (Attestations.criticalModelLeaf, .untrustedAttestation(34)),
        (Attestations.authorityLeaf, .wrongAttestation),
        (Attestations.otherUnitLeaf, .wrongAttestation),
        (Attestations.twoUnitsLeaf, .wrongAttestation),
        (Attestations.expiredLeaf, .untrustedAttestation(10)),
        (Attestations.stranger, .wrongAttestation),
        ([], .wrongAttestation),
        (Array(Attestations.leaf.dropLast()), .wrongAttestation),
    ])
    func `is refused with a certificate of another kind`(
        leaf: [UInt8], refusal: WebAuthnRefusal
    ) throws {
        let policy = try Self.policy()
        #expect(throws: refusal) { try Self.register(policy, leaf: leaf) }
    }

    @Test func `is refused when nobody vouches for it`() throws {
        let policy = try Self.policy([Attestations.stranger])
        // No issuer: 20, unable to get local issuer certificate.
        #expect(throws: WebAuthnRefusal.untrustedAttestation(20)) { try Self.register(policy) }
    }

    @Test func `is refused when the chain has a gap`() throws {
        let policy = try Self.policy()
        #expect(throws: WebAuthnRefusal.untrustedAttestation(20)) {
            try Self.register(policy) {
                $0.attestation = .packed(by: Self.signer, certificates: [Attestations.leaf])
            }
        }
    }

    @Test func `is refused for a model that is not among those allowed`() throws {
        let mine = try #require(Self.model)
        let other = try #require(Model("cb69481e-8ff7-4039-93ec-0a2729a154a8"))
        #expect(try Self.register(Self.policy(models: [other, mine])).model == mine)
        let policy = try Self.policy(models: [other])
        #expect(throws: WebAuthnRefusal.modelNotAllowed(mine)) { try Self.register(policy) }
        #expect(throws: WebAuthnRefusal.noAttestation) {
            try Self.register(policy, leaf: Attestations.silentLeaf) {
                $0.model = [UInt8](repeating: 0, count: 16)
            }
        }
    }

    @Test(arguments: [
        Lie("nothing", .noAttestation) { $0.attestation = .none },
        Lie("the key's own word", .noAttestation) { $0.attestation = .selfSigned },
        Lie("a TPM's", .unsupportedAttestation) {
            $0.attestation = .other(format: "tpm", statement: CBOR.map([]))
        },
        Lie("an algorithm that is not the certificate's", .unsupportedAttestation) {
            $0.attestation = .packed(
                by: .edDSA, certificates: [Attestations.leaf, Attestations.middle])
        },
        Lie("another's signature", .wrongAttestation) {
            $0.attestation = .packed(
                by: .es256, certificates: [Attestations.leaf, Attestations.middle])
        },
        Lie("a changed signature", .wrongAttestation) { $0.spoilSignature = { $0[20] ^= 1 } },
        Lie("no signature", .malformed(.attestation)) { $0.spoilSignature = { $0 = [] } },
        Lie("a statement of nothing", .malformed(.attestation)) {
            $0.attestation = .other(format: "packed", statement: CBOR.map([]))
        },
        Lie("an empty chain", .malformed(.attestation)) {
            $0.attestation = .other(
                format: "packed",
                statement: CBOR.map([
                    (CBOR.text("alg"), CBOR.integer(-7)), (CBOR.text("sig"), CBOR.bytes([1])),
                    (CBOR.text("x5c"), CBOR.array([])),
                ]))
        },
        Lie("a long chain", .malformed(.attestation)) {
            $0.attestation = .packed(
                by: Self.signer,
                certificates: [Attestations.leaf]
                    + Array(repeating: Attestations.middle, count: 8))
        },
        Lie("a broken certificate above", .malformed(.attestation)) {
            $0.attestation = .packed(
                by: Self.signer, certificates: [Attestations.leaf, [0x30, 0]])
        },
        Lie("a huge certificate", .malformed(.attestation)) {
            $0.attestation = .packed(
                by: Self.signer,
                certificates: [Attestations.leaf, [UInt8](repeating: 0x30, count: 8193)])
        },
    ])
    func `is refused for`(lie: Lie) throws {
        let policy = try Self.policy()
        #expect(throws: lie.refusal) { try Self.register(policy, lie.tell) }
    }

    @Test(arguments: [
        [], Array("nothing here".utf8), Array("-----BEGIN CERTIFICATE-----\n".utf8),
        Self.pem([Attestations.root]) + Self.pem([[0x30, 0]]),
        Self.pem(Array(repeating: Attestations.root, count: 257)),
    ])
    func `needs authorities that can be read`(pem: [UInt8]) {
        #expect(AttestationAuthorities(pem: pem) == nil)
    }
}
