// NoteKeys.swift: the Ed25519 keys that sign notes, as C2SP's signed-note names them.

internal import COpenSSL
internal import Foundation
internal import Keys

/// How a key signs: the byte before it in a verifier key (C2SP signed-note).
package enum NoteAlgorithm: UInt8, Sendable {
    case ed25519 = 1
    /// A witness's: Ed25519 over a time and the note (C2SP tlog-cosignature).
    case cosignature = 4
}

/// The public half of a note's key: `NAME+HASH+KEY`.
package struct NoteVerifier: Equatable, Sendable {
    package let name: String
    package let algorithm: NoteAlgorithm
    /// 32 bytes.
    package let key: [UInt8]

    package init?(name: String, algorithm: NoteAlgorithm, key: [UInt8]) {
        guard isNoteName(name), key.count == ed25519KeyLength else { return nil }
        self.name = name
        self.algorithm = algorithm
        self.key = key
    }

    /// Reads a verifier key; nil when it is none, or its hash is not that of its key.
    package init?(_ text: String) {
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = decodedBase64(parts[2]),
            let first = bytes.first, let algorithm = NoteAlgorithm(rawValue: first)
        else { return nil }
        self.init(
            name: String(parts[0]), algorithm: algorithm, key: Array(bytes.dropFirst()))
        guard hexadecimal(id) == parts[1] else { return nil }
    }

    /// `NAME+HASH+KEY`.
    package var text: String {
        name + "+" + hexadecimal(id) + "+"
            + Data([algorithm.rawValue] + key).base64EncodedString()
    }

    /// The four bytes before each of its signatures.
    package var id: [UInt8] {
        let bytes = Array(name.utf8) + [0x0A, algorithm.rawValue] + key
        // Safe because the bytes are only read, within this call.
        let hash = unsafe bytes.withUnsafeBufferPointer {
            unsafe herse_sha256($0.baseAddress, $0.count)
        }
        return (0..<4).map { UInt8(truncatingIfNeeded: hash.a.littleEndian >> UInt64(8 * $0)) }
    }

    /// Whether `signature` of 64 bytes is this key's over `text`.
    func verifies(_ signature: [UInt8], over text: [UInt8]) -> Bool {
        Ed25519PublicKey(raw: key)?.verifies(signature, over: text) ?? false
    }
}

/// The private half.
package struct NoteSigner: Sendable {
    private let key: Ed25519PrivateKey
    package let verifier: NoteVerifier

    /// The key of a PEM text (PKCS#8); nil when it cannot be read, asks for a passphrase, is of
    /// another kind, or `name` is none.
    package init?(name: String, pem: [UInt8]) {
        self.init(name, Ed25519PrivateKey(pem: pem, asksForPassphrase: false))
    }

    /// The key whose 32 bytes these are (RFC 8032 §5.1.5); nil when they are not, or `name` is
    /// none.
    package init?(name: String, seed: [UInt8]) {
        self.init(name, Ed25519PrivateKey(seed: seed))
    }

    private init?(_ name: String, _ key: Ed25519PrivateKey?) {
        guard let key,
            let verifier = NoteVerifier(
                name: name, algorithm: .ed25519, key: key.publicKey.raw)
        else { return nil }
        self.key = key
        self.verifier = verifier
    }

    /// The signature over `text`, 64 bytes; nil when the library refuses.
    func signature(over text: [UInt8]) -> [UInt8]? { key.signature(over: text) }

    /// A new private key in PEM (PKCS#8); nil when the system has no randomness.
    package static func newKey() -> String? {
        var seed = [UInt8](repeating: 0, count: ed25519KeyLength)
        // Safe because the array has the count given.
        guard unsafe RAND_bytes(&seed, Int32(seed.count)) == 1 else { return nil }
        let der: [UInt8] = [0x30, 0x2E, 2, 1, 0, 0x30, 5, 6, 3, 0x2B, 0x65, 0x70, 4, 0x22, 4, 0x20]
        return "-----BEGIN PRIVATE KEY-----\n" + Data(der + seed).base64EncodedString()
            + "\n-----END PRIVATE KEY-----\n"
    }
}

/// Whether a text may name a key: not empty, no space, no plus (C2SP signed-note).
package func isNoteName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 200
        && name.unicodeScalars.allSatisfy {
            !$0.properties.isWhitespace && $0 != "+" && $0.value >= 0x20
        }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
        decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
