// TwinFingerprint.swift: the other certificate that an ECDSA signature makes valid.
//
// With (r, s) also (r, n − s) is a signature of the same bytes, so whoever holds a certificate can
// write it in a second way whose SHA-256 differs. Naming one fingerprint must cut off both.

internal import COpenSSL

/// The fingerprint of `leaf` with the other form of its ECDSA signature; nil when its issuer signs
/// otherwise.
///
/// `chain` is the verified chain: the curve is that of the issuer's key.
func twinFingerprint(of leaf: OpaquePointer, in chain: OpaquePointer?) -> Fingerprint? {
    guard unsafe OPENSSL_sk_num(chain) > 1, let issuer = unsafe OPENSSL_sk_value(chain, 1),
        let key = unsafe X509_get0_pubkey(OpaquePointer(issuer))
    else { return nil }
    var order: OpaquePointer?
    defer { unsafe BN_free(order) }
    // Fails, and leaves an error behind, for a key that is not on a curve.
    guard unsafe EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_ORDER, &order) == 1,
        let twin = unsafe twinSignature(of: leaf, order: order)
    else {
        ERR_clear_error()
        return nil
    }
    var body: UnsafeMutablePointer<UInt8>?
    let bodyLength = unsafe i2d_re_X509_tbs(leaf, &body)
    defer { unsafe CRYPTO_free(body, #fileID, #line) }
    var algorithm: UnsafePointer<X509_ALGOR>?
    unsafe X509_get0_signature(nil, &algorithm, leaf)
    var name: UnsafeMutablePointer<UInt8>?
    let nameLength = unsafe i2d_X509_ALGOR(algorithm, &name)
    defer { unsafe CRYPTO_free(name, #fileID, #line) }
    guard bodyLength > 0, nameLength > 0, let body = unsafe body, let name = unsafe name else {
        return nil
    }
    // Safe because both buffers have the lengths their encoders returned.
    let parts =
        unsafe Array(UnsafeBufferPointer(start: body, count: Int(bodyLength)))
        + Array(UnsafeBufferPointer(start: name, count: Int(nameLength)))
        + element(0x03, [0] + twin)
    return digest(element(0x30, parts))
}

/// The DER of (r, n − s).
private func twinSignature(of leaf: OpaquePointer, order: OpaquePointer?) -> [UInt8]? {
    var bits: UnsafePointer<ASN1_BIT_STRING>?
    unsafe X509_get0_signature(&bits, nil, leaf)
    guard let bits = unsafe bits else { return nil }
    var start = unsafe ASN1_STRING_get0_data(bits)
    let length = Int(unsafe ASN1_STRING_length(bits))
    guard let signature = unsafe d2i_ECDSA_SIG(nil, &start, length) else { return nil }
    defer { unsafe ECDSA_SIG_free(signature) }
    guard let r = unsafe BN_dup(ECDSA_SIG_get0_r(signature)), let s = unsafe BN_new() else {
        return nil
    }
    guard unsafe BN_sub(s, order, ECDSA_SIG_get0_s(signature)) == 1,
        unsafe ECDSA_SIG_set0(signature, r, s) == 1
    else {
        unsafe BN_free(r)
        unsafe BN_free(s)
        return nil
    }
    var out: UnsafeMutablePointer<UInt8>?
    let written = unsafe i2d_ECDSA_SIG(signature, &out)
    defer { unsafe CRYPTO_free(out, #fileID, #line) }
    guard written > 0, let out = unsafe out else { return nil }
    // Safe because the encoder returned the length of its buffer.
    return unsafe Array(UnsafeBufferPointer(start: out, count: Int(written)))
}

/// One element of DER.
private func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    var length: [UInt8] = []
    if content.count < 0x80 {
        length = [UInt8(content.count)]
    } else {
        var rest = content.count
        while rest > 0 {
            length.insert(UInt8(truncatingIfNeeded: rest), at: 0)
            rest >>= 8
        }
        length.insert(0x80 | UInt8(length.count), at: 0)
    }
    return [tag] + length + content
}

private func digest(_ bytes: [UInt8]) -> Fingerprint? {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    // Safe because SHA-256 writes exactly the 32 bytes there are.
    guard unsafe EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil) == 1 else {
        return nil
    }
    return Fingerprint(digest.span)
}
