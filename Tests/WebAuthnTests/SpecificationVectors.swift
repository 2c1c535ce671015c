// SpecificationVectors.swift: the test vectors of WebAuthn Level 3, §16.
//
// Their authenticators verify their users when a random bit says so; the gate wants them to
// always, so that most are refused for that, and read piece by piece.

import Testing

@testable import WebAuthn

@Suite struct `The vectors of the specification` {
    private static let party = RelyingParty(id: "example.org", origin: "https://example.org")

    private static func unhex(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var digits = text.utf8.makeIterator()
        while let high = digits.next(), let low = digits.next() {
            let pair = String(decoding: [high, low], as: UTF8.self)
            bytes.append(UInt8(pair, radix: 16) ?? 0)
        }
        return bytes
    }

    private static func challenge(_ hex: String) throws -> Challenge {
        try #require(Challenge(text: base64URL(unhex(hex))))
    }

    private static func register(
        _ id: String, _ challenge: String, _ clientData: String, _ object: String,
        policy: AttestationPolicy = .none
    ) throws -> RegisteredKey {
        let id = base64URL(unhex(id))
        let json = """
            {"id":"\(id)","rawId":"\(id)","type":"public-key","response":{\
            "clientDataJSON":"\(base64URL(unhex(clientData)))",\
            "attestationObject":"\(base64URL(unhex(object)))"}}
            """
        return try verifyRegistration(
            Array(json.utf8).span, challenge: Self.challenge(challenge), party: party,
            policy: policy, now: 1_780_000_000)
    }

    /// §16.3, "ES256 Credential with Self Attestation".
    @Test func `register a key that attests itself`() throws {
        let id = "455ef34e2043a87db3d4afeb39bbcb6cc32df9347c789a865ecdca129cbef58c"
        let key = try Self.register(
            id, "7869c2b772d4b58eba9378cf8f29e26cf935aa77df0da89fa99c0bdc0a76f7e5",
            Self.selfAttestedClientData, Self.selfAttested)
        #expect(key.id == Self.unhex(id))
        #expect(key.mayBeBackedUp && key.isBackedUp && key.model == nil && key.counter == 0)
        // Its assertion has no user verified: read in pieces.
        let data = Self.unhex(Self.partyHash + "0900000000")
        let clientData = Self.unhex(
            "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a22"
                + "5248696843784e534e493352594d45314f7731476d3132786e726b634a5f666670763754"
                + "6e2d4a71386773222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f"
                + "7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a"
                + "22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468"
                + "206164646974696f6e616c206669656c647320696e20746865206675747572652c207375"
                + "636820617320746869733a206754623533727a36456853576f6d58477a696d433151227d")
        try check(
            clientData: clientData, ceremony: .assertion,
            challenge: Self.challenge(
                "4478a10b1352348dd160c1353b0d469b5db19eb91c27f7dfa6fed39fe26af20b"),
            party: Self.party)
        #expect(throws: WebAuthnRefusal.userNotVerified) {
            try authenticatorData(data, party: Self.party)
        }
        let signature = Self.unhex(
            "304402203310b9431903c401f1be2bdc8d23a4007682dbbddcf846994947b7f465daf84002204e94dd00"
                + "047b316061b3b99772b7efd95994a83ef584b3b6b825ea3550251b66")
        #expect(
            try PublicKey(cose: key.publicKey).signed(
                AuthenticatorData(data), clientDataHash: sha256(clientData), signature: signature,
                party: Self.party))
    }

    /// §16.2, "ES256 Credential with No Attestation": its user is not verified.
    @Test func `are refused where the user is not verified`() {
        #expect(throws: WebAuthnRefusal.userNotVerified) {
            try Self.register(
                "f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4",
                "00c30fb78531c464d2b6771dab8d7b603c01162f2fa486bea70f283ae556e130",
                "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e67"
                    + "65223a22414d4d507434557878475453746e63647134313759447742466938767049612d"
                    + "7077386f4f755657345441222c226f726967696e223a2268747470733a2f2f6578616d70"
                    + "6c652e6f7267222c2263726f73734f726967696e223a66616c73652c2265787472614461"
                    + "7461223a22636c69656e74446174614a534f4e206d617920626520657874656e64656420"
                    + "77697468206164646974696f6e616c206669656c647320696e2074686520667574757265"
                    + "2c207375636820617320746869733a20426b5165446a646354427258426941774a544c45"
                    + "3551227d",
                "a363666d74646e6f6e656761747453746d74a068617574684461746158a4bfabc374"
                    + "32958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b55900000000844"
                    + "6ccb9ab1db374750b2367ff6f3a1f0020f91f391db4c9b2fde0ea70189cba3fb63f57"
                    + "9ba6122b33ad94ff3ec330084be4a5010203262001215820afefa16f97ca9b2d23eb8"
                    + "6ccb64098d20db90856062eb249c33a9b672f26df61225820930a56b87a2fca66334b"
                    + "03458abf879717c12cc68ed73290af2e2664796b9220")
        }
    }

    /// §16.4: made in a frame of another site, which the gate never is.
    @Test func `are refused where they come from a frame`() {
        #expect(throws: WebAuthnRefusal.crossOrigin) {
            try Self.register(
                "6e1050c0d2ca2f07c755cb2c66a74c64fa43065c18f938354d9915db2bd5ce57",
                "3be5aacd03537142472340ab5969f240f1d87716e20b6807ac230655fa4b3b49",
                "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e67"
                    + "65223a224f2d57717a514e5463554a484930437257576e7951504859647862694332674"
                    + "872434d475666704c4f306b222c226f726967696e223a2268747470733a2f2f6578616d"
                    + "706c652e6f7267222c2263726f73734f726967696e223a747275652c22657874726144"
                    + "617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465"
                    + "642077697468206164646974696f6e616c206669656c647320696e2074686520667574"
                    + "7572652c207375636820617320746869733a207a5a7175457444523944577170573574"
                    + "425754467567227d",
                "a0")
        }
    }

    /// §16.11, "Packed Attestation with Ed25519 Credential".
    @Test func `prove a certificate's word for a key on Ed25519`() throws {
        let object = try AttestationObject(Self.unhex(Self.edDSAAttested))
        let data = try AuthenticatorData(Array(object.bytes[object.authenticatorData]))
        let credential = try #require(data.credential)
        let key = try PublicKey(cose: Array(data.bytes[credential.publicKey]))
        #expect(key.kind == .edDSA && key.isUsable)
        let clientData = Self.unhex(
            "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a22"
                + "714b763532723347734e396a526d733576616e6f6f306f303459557a656c6e7878586d5a426e"
                + "6254733730222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c"
                + "2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e"
                + "74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f"
                + "6e616c206669656c647320696e20746865206675747572652c20737563682061732074686973"
                + "3a20425f44543567375a445f2d394f544c59583549764551227d")
        let library = try #require(
            FidoCredential(
                data, key: key, party: Self.party, clientDataHash: sha256(clientData)))
        let statement = try AttestationStatement(object)
        let leaf = try #require(statement.certificates?.first)
        #expect(
            library.isSigned(format: "packed", certificate: leaf, signature: statement.signature))
        #expect(
            !library.isSigned(
                format: "packed", certificate: leaf, signature: statement.signature.reversed()))
        let assertion = Self.unhex(
            "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a2269566c58"
                + "3442786a4f6d6d44534b4c596f7870557439736e364d48454f7943413135726947514a6e7639"
                + "49222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f"
                + "73734f726967696e223a66616c73657d")
        let signature = Self.unhex(
            "f5c59c7e46c34f6f8cc197101ddf9934fa2595f68eb1913a637e8419eb9ba4cfdfc48f85393bc0d4"
                + "0b011f0d6fecb097d6607525713223a0dc0d453993dae00b")
        #expect(
            key.signed(
                try AuthenticatorData(Self.unhex(Self.partyHash + "0100000000")),
                clientDataHash: sha256(assertion), signature: signature, party: Self.party))
    }

    /// SHA-256 of `example.org`.
    private static let partyHash =
        "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b5"

    private static let selfAttestedClientData =
        "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a2265"
        + "476e4374334c55745936366b336a506a796e6962506b31716e666644616966715a774c3341703239"
        + "2d55222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73"
        + "734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a53"
        + "4f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c64"
        + "7320696e20746865206675747572652c207375636820617320746869733a205539685458764b4532"
        + "55526b4d6e625f307859485667227d"

    private static let selfAttested =
        "a363666d74667061636b65646761747453746d74a263616c672663736967584630440220067a20754ab9"
        + "25005dbf378097c92120031581c73228d1fb4f5b881bcd7da98302207fc7b147558c7c0eba3af18b"
        + "d9d121fa3d3a26d17fe3f220272178f473b6006d68617574684461746158a4bfabc37432958b0633"
        + "60d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b55d00000000df850e09db6afbdfab516977"
        + "91506cfc0020455ef34e2043a87db3d4afeb39bbcb6cc32df9347c789a865ecdca129cbef58ca501"
        + "0203262001215820eb151c8176b225cc651559fecf07af450fd85802046656b34c18f6cf193843c5"
        + "225820927b8aa427a2be1b8834d233a2d34f61f13bfd44119c325d5896e183fee484f2"

    private static let edDSAAttested =
        "a363666d74667061636b65646761747453746d74a363616c67266373696758483046022100d83f60bd80"
        + "269537583218858aefb03ac57d45fa06e42feaae332d187f62da9f022100a02bd3cb6f7e1d283c93"
        + "bad1f3f4b5a4c0494463da7fdbf256949116754d1f17637835638159022730820223308201c8a003"
        + "020102021100b2cfc9ea33c8643b0e1a760463eaf164300a06082a8648ce3d0403023062311e301c"
        + "06035504030c15576562417574686e207465737420766563746f7273310c300a060355040a0c0357"
        + "334331253023060355040b0c1c41757468656e74696361746f72204174746573746174696f6e2043"
        + "41310b30090603550406130241413020170d3234303130313030303030305a180f33303234303130"
        + "313030303030305a305f311e301c06035504030c15576562417574686e207465737420766563746f"
        + "7273310c300a060355040a0c0357334331223020060355040b0c1941757468656e74696361746f72"
        + "204174746573746174696f6e310b30090603550406130241413059301306072a8648ce3d02010608"
        + "2a8648ce3d03010703420004dd2b7a564b73b8c0b81c4c62e521925c4d1198ec9f583dbf1eebe364"
        + "b65cd9c29a9bdf346aaa81fb6b9507e5249a52fdaf8e39e26b0b7dc45992a7e233b70f70a360305e"
        + "300c0603551d130101ff04023000300e0603551d0f0101ff040403020780301d0603551d0e041604"
        + "140ae27546bc7eccb1b4b597bd354f0c0b1f1f8f8e301f0603551d2304183016801445aff715b0dd"
        + "786741fee996ebc16547a3931b1e300a06082a8648ce3d0403020349003046022100a0d434ecb5fc"
        + "3bfd7da5f41904517ad2836249f561bd834ba7a438a8ab7a4ce8022100fac845bb7a02513b58e9f3"
        + "19654dbe49b0f02b95835bac568c71f8a18cdde9ab6861757468446174615881bfabc37432958b06"
        + "3360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b54100000000d5aa33581e8ca478e20fe7"
        + "13f5d32ff20020ce9f840ed96599580cd140fbc7bb3230633f50f61041aff73308ae71caa8a2bda4"
        + "01010327200621582044e06ddd331c36a8dc667bab52bcae63486c916aa5e339e6acebaa84934bf8"
        + "32"
}
