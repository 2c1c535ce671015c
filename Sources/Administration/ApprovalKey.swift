// ApprovalKey.swift: the Ed25519 key by which an administrator approves, RFC 8032.

internal import COpenSSL

/// The public half: whether it approved a text.
///
/// Safe because it owns its key alone, and nothing here changes the value.
@safe package final class ApprovalKey: @unchecked Sendable {
    private let pointer: OpaquePointer

    /// Bytes of a key's file at most.
    package static let fileMax = 16 * 1024
    /// Bytes of a signature.
    package static let signatureLength = 64

    /// The key of a PEM text (SubjectPublicKeyInfo); nil when there is none, or of another kind.
    package init?(pem: [UInt8]) {
        // Safe because the BIO only reads the bytes, which outlive it.
        let key = unsafe withMemoryFile(pem) {
            unsafe PEM_read_bio_PUBKEY($0, nil, { _, _, _, _ in -1 }, nil)
        }
        guard let key = unsafe ed25519(key) else { return nil }
        unsafe pointer = key
    }

    deinit { unsafe EVP_PKEY_free(pointer) }

    /// Whether this key signed `text`.
    package func approves(_ text: [UInt8], signature: [UInt8]) -> Bool {
        guard signature.count == Self.signatureLength, let context = unsafe EVP_MD_CTX_new() else {
            return false
        }
        defer { unsafe EVP_MD_CTX_free(context) }
        // Safe because the key outlives the call and both arrays have the counts given.
        let isGood =
            unsafe EVP_DigestVerifyInit(context, nil, nil, nil, pointer) == 1
            && EVP_DigestVerify(context, signature, signature.count, text, text.count) == 1
        if !isGood { ERR_clear_error() }
        return isGood
    }
}

/// The private half, which stays with its administrator.
///
/// Safe because it owns its key alone, and nothing here changes the value.
@safe package final class ApprovalSigner: @unchecked Sendable {
    private let pointer: OpaquePointer

    /// The key of a PEM text; asks for its passphrase at the terminal when it has one; nil when it
    /// cannot be read, or is of another kind.
    package init?(pem: [UInt8]) {
        // Safe because the BIO only reads the bytes, which outlive it.
        let key = unsafe withMemoryFile(pem) { unsafe PEM_read_bio_PrivateKey($0, nil, nil, nil) }
        guard let key = unsafe ed25519(key) else { return nil }
        unsafe pointer = key
    }

    deinit { unsafe EVP_PKEY_free(pointer) }

    /// The signature of `text`, 64 bytes; nil when the library refuses.
    package func signature(of text: [UInt8]) -> [UInt8]? {
        guard let context = unsafe EVP_MD_CTX_new() else { return nil }
        defer { unsafe EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: ApprovalKey.signatureLength)
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

/// Takes over `key` if it is an Ed25519 key; frees it else.
///
/// Safe because the caller has just made the key and gives it up.
private func ed25519(_ key: OpaquePointer?) -> OpaquePointer? {
    guard let key = unsafe key else {
        ERR_clear_error()
        return nil
    }
    guard unsafe EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 else {
        unsafe EVP_PKEY_free(key)
        return nil
    }
    return unsafe key
}

private func withMemoryFile(
    _ bytes: [UInt8], _ read: (OpaquePointer) -> OpaquePointer?
) -> OpaquePointer? {
    unsafe bytes.withUnsafeBytes { bytes in
        // Safe because the BIO is freed before the bytes go.
        guard let bio = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count))
        else { return nil }
        defer { unsafe BIO_free(bio) }
        return unsafe read(bio)
    }
}
