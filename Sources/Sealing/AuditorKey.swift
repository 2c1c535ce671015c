// AuditorKey.swift: an auditor's pair of keys: the public half seals, the private half opens.
//
// X25519 (RFC 7748), in PEM as OpenSSL writes it (RFC 8410). The private half stays off the gate.

internal import COpenSSL
internal import Foundation
internal import Keys

/// Why a key could not be read, in words for the operator.
package struct AuditorKeyError: Error, Equatable, Sendable {
    package let message: String
    package let hint: String
}

/// The public half: the gate seals each segment's key to it.
package struct AuditorPublicKey: Hashable, Sendable {
    /// 32 bytes.
    package let raw: [UInt8]

    package init?(raw: [UInt8]) {
        guard raw.count == 32 else { return nil }
        self.raw = raw
    }

    /// The key of a PEM text (SubjectPublicKeyInfo), at most 16 KiB.
    package init(pem: [UInt8]) throws(AuditorKeyError) {
        // Safe because the key is freed here.
        guard let key = unsafe Keys.publicKey(pem: pem) else {
            throw AuditorKeyError(
                message: "is no public key in PEM",
                hint: "`herse record keys new` makes a pair; the file that ends in `.pub.pem` "
                    + "is the public half")
        }
        defer { unsafe EVP_PKEY_free(key) }
        guard let raw = unsafe rawKey(key, EVP_PKEY_get_raw_public_key) else {
            throw notX25519()
        }
        self.raw = raw
    }

    /// The first 16 hexadecimal digits of the SHA-256 of the key: how the record names an auditor.
    package var id: String {
        // Safe because the bytes are only read, within this call.
        let hash = unsafe raw.withUnsafeBufferPointer {
            unsafe herse_sha256($0.baseAddress, $0.count)
        }
        let digits = String(hash.a.bigEndian, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// The key in PEM, SubjectPublicKeyInfo.
    package var pem: String {
        pemText("PUBLIC KEY", [0x30, 0x2A, 0x30, 5, 6, 3, 0x2B, 0x65, 0x6E, 3, 0x21, 0] + raw)
    }
}

/// The private half of an auditor's key.
package struct AuditorKey: Sendable {
    /// 32 bytes.
    let raw: [UInt8]
    package let publicKey: AuditorPublicKey

    /// A new key; nil when the system has no randomness.
    package static func make() -> AuditorKey? {
        // Safe because the key is made and freed here.
        guard let key = unsafe newX25519Key() else { return nil }
        defer { unsafe EVP_PKEY_free(key) }
        return unsafe AuditorKey(key)
    }

    /// The key of a PEM text (PKCS#8), at most 16 KiB; asks for its passphrase at the terminal
    /// when it has one.
    package init(pem: [UInt8]) throws(AuditorKeyError) {
        // Safe because the key is freed here.
        guard let key = unsafe privateKey(pem: pem, asksForPassphrase: true) else {
            throw AuditorKeyError(
                message: "is no private key in PEM, or its passphrase was not given",
                hint: "the private half is needed here, which the auditor keeps offline")
        }
        defer { unsafe EVP_PKEY_free(key) }
        guard let made = unsafe AuditorKey(key) else { throw notX25519() }
        self = made
    }

    private init?(_ key: OpaquePointer) {
        // Safe because the caller keeps the key until this returns.
        guard let raw = unsafe rawKey(key, EVP_PKEY_get_raw_private_key),
            let known = unsafe rawKey(key, EVP_PKEY_get_raw_public_key),
            let publicKey = AuditorPublicKey(raw: known)
        else { return nil }
        self.raw = raw
        self.publicKey = publicKey
    }

    /// The key in PEM, PKCS#8 without a passphrase.
    package var pem: String {
        pemText(
            "PRIVATE KEY",
            [0x30, 0x2E, 2, 1, 0, 0x30, 5, 6, 3, 0x2B, 0x65, 0x6E, 4, 0x22, 4, 0x20] + raw)
    }
}

private func notX25519() -> AuditorKeyError {
    AuditorKeyError(
        message: "is not an X25519 key",
        hint: "`herse record keys new` makes one, and so does `openssl genpkey -algorithm X25519`")
}

/// The 32 bytes of an X25519 key; nil for a key of another kind.
private func rawKey(
    _ key: OpaquePointer,
    _ read: (OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<Int>?) -> Int32
) -> [UInt8]? {
    guard unsafe EVP_PKEY_get_id(key) == EVP_PKEY_X25519 else { return nil }
    var raw = [UInt8](repeating: 0, count: 32)
    var count = raw.count
    // Safe because the key is the caller's and the array has the count given.
    guard unsafe read(key, &raw, &count) == 1, count == 32 else {
        ERR_clear_error()
        return nil
    }
    return raw
}

private func pemText(_ kind: String, _ der: [UInt8]) -> String {
    let text = Data(der).base64EncodedString()
    return "-----BEGIN \(kind)-----\n\(text)\n-----END \(kind)-----\n"
}

/// A new pair; the caller frees it.
private func newX25519Key() -> OpaquePointer? {
    guard let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_X25519, nil) else { return nil }
    defer { unsafe EVP_PKEY_CTX_free(context) }
    var key: OpaquePointer?
    // Safe because the context is a local's and the key is handed to the caller.
    guard unsafe EVP_PKEY_keygen_init(context) == 1,
        unsafe EVP_PKEY_keygen(context, &key) == 1
    else { return nil }
    return unsafe key
}
