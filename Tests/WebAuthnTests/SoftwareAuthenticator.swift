// SoftwareAuthenticator.swift: a browser and an authenticator in one, which can be told to lie.

import COpenSSL

@testable import WebAuthn

/// What the pair says in one ceremony: the truth, until a test changes it.
///
/// Everything that is signed is signed as told, so that a lie is found by the check meant for it
/// and not by its signature.
struct Story: Sendable {
    // The browser's part.
    var type: String?
    var challenge: String
    var origin = "https://gate.example.fr"
    /// Text put in the client data behind `origin`.
    var moreClientData = #","crossOrigin":false"#
    var id: [UInt8]
    var rawID: [UInt8]?
    var userHandle: [UInt8]?
    var credentialType = "public-key"

    // The authenticator's.
    var party = "gate.example.fr"
    var flags: UInt8 = 0x05
    var counter: UInt32 = 0
    var model = [UInt8](repeating: 0, count: 16)
    /// In place of the key's own.
    var cose: [UInt8]?
    /// Extensions, as CBOR; sets their flag.
    var extensions: [UInt8] = []
    /// Bytes at the end of the authenticator data.
    var leftOver: [UInt8] = []
    var attestation = Attestation.none
    /// Done to the attestation object, or to the authenticator data of an assertion, once signed.
    var spoil: @Sendable (inout [UInt8]) -> Void = { _ in }
    var spoilSignature: @Sendable (inout [UInt8]) -> Void = { _ in }
    var spoilJSON: @Sendable (inout String) -> Void = { _ in }

    enum Attestation: Sendable {
        case none
        /// By the key itself.
        case selfSigned
        case packed(by: SigningKey, certificates: [[UInt8]])
        case u2f(by: SigningKey, certificates: [[UInt8]])
        /// Whatever is put here.
        case other(format: String, statement: [UInt8])
    }
}

/// A key, the challenges it is told, and what it makes of them.
struct SoftwareAuthenticator: Sendable {
    let key: SigningKey
    let id: [UInt8]

    init(_ key: SigningKey, id: [UInt8] = Array("a key of the tests".utf8)) {
        self.key = key
        self.id = id
    }

    /// A `RegistrationResponseJSON`.
    func register(
        _ challenge: Challenge, _ change: (inout Story) -> Void = { _ in }
    ) -> [UInt8] {
        var story = Story(challenge: challenge.text, id: id)
        story.flags |= 0x40
        change(&story)
        let clientData = clientData(story, type: "webauthn.create")
        let cose = story.cose ?? key.cose
        let attested =
            story.flags & 0x40 == 0
            ? [] : story.model + bigEndian(UInt16(story.id.count)) + story.id + cose
        let data = head(story) + attested + story.extensions + story.leftOver
        let statement = statement(story, data: data, cose: cose, clientData: clientData)
        var object = CBOR.map([
            (CBOR.text("fmt"), CBOR.text(format(story.attestation))),
            (CBOR.text("attStmt"), statement),
            (CBOR.text("authData"), CBOR.bytes(data)),
        ])
        story.spoil(&object)
        return answer(
            story,
            response: """
                {"clientDataJSON":"\(base64URL(clientData))",\
                "attestationObject":"\(base64URL(object))","transports":["usb","nfc"]}
                """)
    }

    /// An `AuthenticationResponseJSON`.
    func sign(_ challenge: Challenge, _ change: (inout Story) -> Void = { _ in }) -> [UInt8] {
        var story = Story(challenge: challenge.text, id: id)
        change(&story)
        let clientData = clientData(story, type: "webauthn.get")
        var data = head(story) + story.extensions + story.leftOver
        var signature = key.sign(data + sha256(clientData))
        story.spoil(&data)
        story.spoilSignature(&signature)
        let handle = story.userHandle.map { "\"\(base64URL($0))\"" } ?? "null"
        return answer(
            story,
            response: """
                {"clientDataJSON":"\(base64URL(clientData))",\
                "authenticatorData":"\(base64URL(data))",\
                "signature":"\(base64URL(signature))","userHandle":\(handle)}
                """)
    }

    private func clientData(_ story: Story, type: String) -> [UInt8] {
        Array(
            """
            {"type":"\(story.type ?? type)","challenge":"\(story.challenge)",\
            "origin":"\(story.origin)"\(story.moreClientData)}
            """.utf8)
    }

    private func head(_ story: Story) -> [UInt8] {
        let flags = story.flags | (story.extensions.isEmpty ? 0 : 0x80)
        return sha256(Array(story.party.utf8)) + [flags] + bigEndian(story.counter)
    }

    private func answer(_ story: Story, response: String) -> [UInt8] {
        var json = """
            {"id":"\(base64URL(story.id))","rawId":"\(base64URL(story.rawID ?? story.id))",\
            "type":"\(story.credentialType)","response":\(response),\
            "clientExtensionResults":{},"authenticatorAttachment":"cross-platform"}
            """
        story.spoilJSON(&json)
        return Array(json.utf8)
    }

    private func format(_ attestation: Story.Attestation) -> String {
        switch attestation {
        case .none: "none"
        case .selfSigned, .packed: "packed"
        case .u2f: "fido-u2f"
        case .other(let format, _): format
        }
    }

    private func statement(
        _ story: Story, data: [UInt8], cose: [UInt8], clientData: [UInt8]
    ) -> [UInt8] {
        let signed = data + sha256(clientData)
        func made(_ algorithm: Int64?, _ signature: [UInt8], _ certificates: [[UInt8]]) -> [UInt8] {
            var signature = signature
            story.spoilSignature(&signature)
            var members = [(CBOR.text("sig"), CBOR.bytes(signature))]
            if let algorithm { members.insert((CBOR.text("alg"), CBOR.integer(algorithm)), at: 0) }
            if !certificates.isEmpty {
                let list = certificates.map { CBOR.bytes($0) }
                members.append((CBOR.text("x5c"), CBOR.array(list)))
            }
            return CBOR.map(members)
        }
        switch story.attestation {
        case .none: return CBOR.map([])
        case .other(_, let statement): return statement
        case .selfSigned: return made(key.kind.rawValue, key.sign(signed), [])
        case .packed(let signer, let certificates):
            return made(signer.kind.rawValue, signer.sign(signed), certificates)
        case .u2f(let signer, let certificates):
            let told =
                [0] + sha256(Array(story.party.utf8)) + sha256(clientData) + story.id + key.point
            return made(nil, signer.sign(told), certificates)
        }
    }
}

func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    stride(from: Number.bitWidth - 8, through: 0, by: -8).map {
        UInt8(truncatingIfNeeded: number >> $0)
    }
}

/// CBOR, written in its shortest form.
enum CBOR {
    static func integer(_ number: Int64) -> [UInt8] {
        number < 0 ? head(1, UInt64(-1 - number)) : head(0, UInt64(number))
    }
    static func bytes(_ bytes: [UInt8]) -> [UInt8] { head(2, UInt64(bytes.count)) + bytes }
    static func text(_ text: String) -> [UInt8] {
        head(3, UInt64(text.utf8.count)) + Array(text.utf8)
    }
    static func array(_ items: [[UInt8]]) -> [UInt8] {
        head(4, UInt64(items.count)) + items.flatMap { $0 }
    }
    static func map(_ pairs: [([UInt8], [UInt8])]) -> [UInt8] {
        head(5, UInt64(pairs.count)) + pairs.flatMap { $0.0 + $0.1 }
    }

    private static func head(_ kind: UInt8, _ value: UInt64) -> [UInt8] {
        switch value {
        case 0..<24: [kind << 5 | UInt8(value)]
        case 24..<256: [kind << 5 | 24, UInt8(value)]
        case 256..<65536: [kind << 5 | 25] + bigEndian(UInt16(value))
        default: [kind << 5 | 26] + bigEndian(UInt32(truncatingIfNeeded: value))
        }
    }
}
