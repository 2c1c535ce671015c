// ListSignature.swift: whether a list was signed by whom it names: Ed25519 (RFC 8032) or CMS (RFC 5652).

internal import COpenSSL

/// An Ed25519 public key, by the digest of its SubjectPublicKeyInfo.
package struct ListKey: Hashable, Sendable {
    /// DER.
    package let info: [UInt8]

    /// The keys of a PEM text, one after another; nil when there is none, or one of another kind.
    package static func read(pem: [UInt8]) -> [ListKey]? {
        var keys: [ListKey] = []
        // Safe because the BIO only reads the bytes, which outlive it, and each key is freed.
        let isGood = unsafe pem.withUnsafeBytes { bytes -> Bool in
            guard let bio = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count))
            else { return false }
            defer { unsafe BIO_free(bio) }
            while let key = unsafe PEM_read_bio_PUBKEY(bio, nil, herse_no_passphrase, nil) {
                defer { unsafe EVP_PKEY_free(key) }
                guard unsafe EVP_PKEY_get_id(key) == EVP_PKEY_ED25519, keys.count < keysMax,
                    let info = unsafe encoded(key)
                else { return false }
                keys.append(ListKey(info: info))
            }
            ERR_clear_error()
            return true
        }
        return isGood && !keys.isEmpty ? keys : nil
    }

    /// Keys of one list.
    package static let keysMax = 16

    /// SHA-256 of the key, as 64 hexadecimal digits: by what people compare it.
    package var fingerprint: String {
        var digest = [UInt8](repeating: 0, count: 32)
        // Safe because SHA-256 writes 32 bytes and info has the count given.
        _ = unsafe EVP_Digest(info, info.count, &digest, nil, EVP_sha256(), nil)
        return hexadecimal(digest)
    }

    /// Whether this key signed `list`.
    func verifies(_ signature: [UInt8], of list: [UInt8]) -> Bool {
        guard signature.count == 64 else { return false }
        var start: UnsafePointer<UInt8>?
        // Safe because info outlives the parsing of it, and the key and context are freed.
        return unsafe info.withUnsafeBufferPointer { bytes in
            unsafe start = bytes.baseAddress
            guard let key = unsafe d2i_PUBKEY(nil, &start, bytes.count) else {
                ERR_clear_error()
                return false
            }
            defer { unsafe EVP_PKEY_free(key) }
            guard let context = unsafe EVP_MD_CTX_new() else { return false }
            defer { unsafe EVP_MD_CTX_free(context) }
            let isGood =
                unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
                && EVP_DigestVerify(context, signature, signature.count, list, list.count) == 1
            if !isGood { ERR_clear_error() }
            return isGood
        }
    }
}

/// Safe because the library allocates the encoding, which is copied and freed.
private func encoded(_ key: OpaquePointer) -> [UInt8]? {
    var start: UnsafeMutablePointer<UInt8>?
    let count = unsafe i2d_PUBKEY(key, &start)
    guard count > 0, let bytes = unsafe start else { return nil }
    defer { unsafe herse_free(bytes) }
    return unsafe Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
}

/// The bytes of a detached Ed25519 signature: 64 as they are, or in base64 on one line.
func signatureBytes(_ file: [UInt8]) -> [UInt8]? {
    if file.count == 64 { return file }
    guard file.count <= 128 else { return nil }
    var text = file[...]
    while let last = text.last, last == 0x0A || last == 0x0D { text.removeLast() }
    guard text.count == 88 else { return nil }
    var decoded = [UInt8](repeating: 0, count: 66)
    let source = Array(text)
    // Safe because 88 digits of base64 make 66 bytes, of which the last two are padding.
    guard unsafe EVP_DecodeBlock(&decoded, source, 88) == 66 else { return nil }
    return Array(decoded.prefix(64))
}

/// Whether a CMS signature, DER or PEM, of `list` is by somebody whom `authorities` (PEM) vouch for
/// now; revocation of the signer's certificate is not asked.
func verifiesCMS(_ signature: [UInt8], of list: [UInt8], authorities: [UInt8]) -> Bool {
    // Safe because every BIO only reads bytes that outlive it.
    unsafe signature.withUnsafeBytes { signature in
        unsafe list.withUnsafeBytes { list in
            unsafe authorities.withUnsafeBytes { authorities in
                unsafe herse_cms_verifies(
                    signature.baseAddress, signature.count, list.baseAddress, list.count,
                    authorities.baseAddress, authorities.count) == 1
            }
        }
    }
}
