// SigningKey.swift: a private key on P-256 that signs with ES256.

internal import COpenSSL

/// A key pair whose private half leaves memory only through `pem`.
///
/// Safe because it owns its key alone, and nothing here changes the value.
@safe final class SigningKey: @unchecked Sendable {
    let publicKey: PublicKey
    /// Coordinates of the public half, 32 bytes each.
    let x: [UInt8]
    let y: [UInt8]
    private let pointer: OpaquePointer

    /// Takes over the key at `pointer`; nil for one that is not on P-256.
    private init?(takingOver pointer: OpaquePointer) {
        unsafe self.pointer = pointer
        var point = [UInt8](repeating: 0, count: 80)
        var count = 0
        // Safe because OpenSSL writes no more than the room it is told of.
        let read = unsafe EVP_PKEY_get_octet_string_param(
            pointer, OSSL_PKEY_PARAM_PUB_KEY, &point, point.count, &count)
        guard read == 1, count == 65, point[0] == 0x04 else {
            ERR_clear_error()
            // What is not made does not run its `deinit`.
            unsafe EVP_PKEY_free(pointer)
            return nil
        }
        x = Array(point[1..<33])
        y = Array(point[33..<65])
        guard let publicKey = PublicKey.onCurve(.p256, x: x, y: y) else {
            unsafe EVP_PKEY_free(pointer)
            return nil
        }
        self.publicKey = publicKey
        // What cannot be verified is found out here, and not by those who read its signatures.
        let sample = Array("herse".utf8)
        guard let signature = sign(sample.span),
            publicKey.verifies(signature, of: sample.span, .es256)
        else { return nil }
    }

    deinit { unsafe EVP_PKEY_free(pointer) }

    /// A new key; nil when OpenSSL cannot make one.
    static func make() -> SigningKey? {
        // Safe because the key is taken over at once.
        guard let pointer = unsafe herse_generate_p256() else { return nil }
        return unsafe SigningKey(takingOver: pointer)
    }

    /// The key of a PEM text; nil when there is none, or one with a passphrase.
    static func read(pem: [UInt8]) -> SigningKey? {
        // Safe because the BIO only reads the bytes, which outlive it.
        unsafe pem.withUnsafeBytes { bytes in
            guard let bio = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count))
            else { return nil }
            defer { unsafe BIO_free(bio) }
            let key = unsafe PEM_read_bio_PrivateKey(bio, nil, herse_no_passphrase, nil)
            guard let key = unsafe key else {
                ERR_clear_error()
                return nil
            }
            return unsafe SigningKey(takingOver: key)
        }
    }

    /// PKCS#8, not encrypted: the mode of its file is what protects it.
    func pem() -> [UInt8]? {
        guard let bio = unsafe BIO_new(BIO_s_secmem()) else { return nil }
        defer { unsafe BIO_free(bio) }
        let done = unsafe PEM_write_bio_PrivateKey(bio, pointer, nil, nil, 0, nil, nil)
        guard done == 1 else {
            ERR_clear_error()
            return nil
        }
        var bytes = [UInt8](repeating: 0, count: 1024)
        // Safe because no more is read than there is room for.
        let count = unsafe BIO_read(bio, &bytes, Int32(bytes.count))
        guard count > 0, Int(count) < bytes.count else { return nil }
        bytes.removeLast(bytes.count - Int(count))
        return bytes
    }

    /// r || s, 64 bytes; nil when OpenSSL fails.
    func sign(_ message: Span<UInt8>) -> [UInt8]? {
        guard let context = unsafe EVP_MD_CTX_new() else { return nil }
        defer { unsafe EVP_MD_CTX_free(context) }
        var der = [UInt8](repeating: 0, count: 128)
        var count = der.count
        let done = unsafe message.withUnsafeBufferPointer { message in
            // Safe because message and room have the lengths they are passed with.
            unsafe EVP_DigestSignInit(context, nil, EVP_sha256(), nil, pointer) == 1
                && EVP_DigestSign(context, &der, &count, message.baseAddress, message.count) == 1
        }
        guard done else {
            ERR_clear_error()
            return nil
        }
        return rawSignature(Array(der.prefix(count)), coordinateBytes: 32)
    }
}
