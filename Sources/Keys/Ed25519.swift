// Ed25519.swift: signing and checking signatures, RFC 8032.

internal import COpenSSL

/// Bytes of a key, either half, and of a signature (RFC 8032 §5.1).
package let ed25519KeyLength = 32
package let ed25519SignatureLength = 64

/// The public half: whether it signed a text.
package struct Ed25519PublicKey: Equatable, Sendable {
    /// 32 bytes.
    package let raw: [UInt8]

    package init?(raw: [UInt8]) {
        guard raw.count == ed25519KeyLength else { return nil }
        self.raw = raw
    }

    /// The key of a PEM text (SubjectPublicKeyInfo); nil when there is none, or of another kind.
    package init?(pem: [UInt8]) {
        guard let key = unsafe publicKey(pem: pem) else { return nil }
        defer { unsafe EVP_PKEY_free(key) }
        // Safe because the key is freed after.
        guard let raw = unsafe rawPublicKey(key) else { return nil }
        self.raw = raw
    }

    /// Whether `signature` is this key's over `text`.
    package func verifies(_ signature: [UInt8], over text: [UInt8]) -> Bool {
        guard signature.count == ed25519SignatureLength,
            let key = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, raw, raw.count)
        else { return false }
        defer { unsafe EVP_PKEY_free(key) }
        guard let context = unsafe EVP_MD_CTX_new() else { return false }
        defer { unsafe EVP_MD_CTX_free(context) }
        // Safe because the key outlives the call and both arrays have the counts given.
        let isGood =
            unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
            && EVP_DigestVerify(context, signature, signature.count, text, text.count) == 1
        if !isGood { ERR_clear_error() }
        return isGood
    }
}

/// The private half.
///
/// Safe because it owns its key alone, and nothing here changes the value.
@safe package final class Ed25519PrivateKey: @unchecked Sendable {
    private let pointer: OpaquePointer
    package let publicKey: Ed25519PublicKey

    /// The key of a PEM text (PKCS#8); nil when it cannot be read, or is of another kind.
    package convenience init?(pem: [UInt8], asksForPassphrase: Bool) {
        unsafe self.init(privateKey(pem: pem, asksForPassphrase: asksForPassphrase))
    }

    /// The key whose 32 bytes these are (RFC 8032 §5.1.5); nil when they are not.
    package convenience init?(seed: [UInt8]) {
        guard seed.count == ed25519KeyLength else { return nil }
        unsafe self.init(
            EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count))
    }

    /// Takes over `key`.
    private init?(_ key: OpaquePointer?) {
        guard let key = unsafe key else { return nil }
        guard let raw = unsafe rawPublicKey(key), let publicKey = Ed25519PublicKey(raw: raw) else {
            unsafe EVP_PKEY_free(key)
            return nil
        }
        unsafe pointer = key
        self.publicKey = publicKey
    }

    deinit { unsafe EVP_PKEY_free(pointer) }

    /// The signature over `text`, 64 bytes; nil when the library refuses.
    package func signature(over text: [UInt8]) -> [UInt8]? {
        guard let context = unsafe EVP_MD_CTX_new() else { return nil }
        defer { unsafe EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: ed25519SignatureLength)
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
}

/// The public half of an Ed25519 key, 32 bytes; nil for a key of another kind.
private func rawPublicKey(_ key: OpaquePointer) -> [UInt8]? {
    guard unsafe EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 else { return nil }
    var raw = [UInt8](repeating: 0, count: ed25519KeyLength)
    var count = raw.count
    // Safe because the key is the caller's and the array has the count given.
    guard unsafe EVP_PKEY_get_raw_public_key(key, &raw, &count) == 1, count == raw.count else {
        ERR_clear_error()
        return nil
    }
    return raw
}
