// NoteKeys.swift: the Ed25519 keys that sign notes, as C2SP's signed-note names them.

internal import COpenSSL
internal import Foundation

/// Bytes of an Ed25519 key, and of a signature (RFC 8032 §5.1).
private let keyLength = 32
private let signatureLength = 64

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
        guard isNoteName(name), key.count == keyLength else { return nil }
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
        guard signature.count == signatureLength,
            let pointer = unsafe EVP_PKEY_new_raw_public_key(
                EVP_PKEY_ED25519, nil, key, keyLength),
            let context = unsafe EVP_MD_CTX_new()
        else { return false }
        defer {
            unsafe EVP_MD_CTX_free(context)
            unsafe EVP_PKEY_free(pointer)
        }
        // Safe because the key outlives the call and both arrays have the counts given.
        let isGood =
            unsafe EVP_DigestVerifyInit(context, nil, nil, nil, pointer) == 1
            && EVP_DigestVerify(context, signature, signature.count, text, text.count) == 1
        if !isGood { ERR_clear_error() }
        return isGood
    }
}

/// The private half.
///
/// Safe because it owns its key alone, and nothing here changes the value.
@safe package final class NoteSigner: @unchecked Sendable {
    private let pointer: OpaquePointer
    package let verifier: NoteVerifier

    /// The key of a PEM text (PKCS#8); nil when it cannot be read, asks for a passphrase, is of
    /// another kind, or `name` is none.
    package convenience init?(name: String, pem: [UInt8]) {
        let key = unsafe pem.withUnsafeBytes { bytes -> OpaquePointer? in
            // Safe because the BIO is freed before the bytes go.
            guard let bio = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count))
            else { return nil }
            defer { unsafe BIO_free(bio) }
            return unsafe PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in -1 }, nil)
        }
        guard let key = unsafe key else {
            ERR_clear_error()
            return nil
        }
        unsafe self.init(name, key)
    }

    /// The key whose 32 bytes these are (RFC 8032 §5.1.5); nil when they are not, or `name` is
    /// none.
    package convenience init?(name: String, seed: [UInt8]) {
        guard seed.count == keyLength,
            let key = unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, keyLength)
        else { return nil }
        unsafe self.init(name, key)
    }

    private init?(_ name: String, _ key: OpaquePointer) {
        var raw = [UInt8](repeating: 0, count: keyLength)
        var count = keyLength
        // Safe because the key is ours and the array has the count given.
        guard unsafe EVP_PKEY_get_id(key) == EVP_PKEY_ED25519,
            unsafe EVP_PKEY_get_raw_public_key(key, &raw, &count) == 1,
            let verifier = NoteVerifier(name: name, algorithm: .ed25519, key: raw)
        else {
            unsafe EVP_PKEY_free(key)
            return nil
        }
        unsafe pointer = key
        self.verifier = verifier
    }

    deinit { unsafe EVP_PKEY_free(pointer) }

    /// The signature over `text`, 64 bytes; nil when the library refuses.
    func signature(over text: [UInt8]) -> [UInt8]? {
        guard let context = unsafe EVP_MD_CTX_new() else { return nil }
        defer { unsafe EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: signatureLength)
        var count = signature.count
        // Safe because the key outlives the call and the arrays have the counts given.
        guard unsafe EVP_DigestSignInit(context, nil, nil, nil, pointer) == 1,
            unsafe EVP_DigestSign(context, &signature, &count, text, text.count) == 1,
            count == signature.count
        else {
            ERR_clear_error()
            return nil
        }
        return signature
    }

    /// A new private key in PEM (PKCS#8); nil when the system has no randomness.
    package static func newKey() -> String? {
        var seed = [UInt8](repeating: 0, count: keyLength)
        // Safe because the array has the count given.
        guard unsafe RAND_bytes(&seed, Int32(keyLength)) == 1 else { return nil }
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
