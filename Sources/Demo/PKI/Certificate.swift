// Certificate.swift: one throw-away X.509 certificate, and what is asked of it when it is made.

import COpenSSL

/// When a certificate is in force, in seconds from now.
package struct Validity: Equatable, Sendable {
    package let begins: Int
    package let ends: Int

    /// From 5 minutes ago, for clocks that differ, to 30 days.
    package static let month = Validity(begins: -300, ends: 30 * 86_400)
    /// Over since yesterday.
    package static let past = Validity(begins: -30 * 86_400, ends: -86_400)
}

/// What a certificate is asked to say.
struct CertificateRequest {
    var subject: [[NamePart]]
    var validity = Validity.month
    /// Extensions as OpenSSL's configuration writes them, by their NID.
    var extensions: [(Int32, String)]
}

/// A signed certificate.
///
/// Safe because `pointer` is owned by this object alone and freed with it.
@safe final class Certificate {
    let pointer: OpaquePointer
    /// 18 bytes, like those of the national authority: a list keyed by 8 would not hold them.
    let serial: [UInt8]

    /// Signs a certificate for `key`; without an issuer it signs itself.
    init(
        _ request: CertificateRequest, key: PrivateKey, issuer: Authority? = nil
    ) throws(PKIError) {
        let step = "make a certificate"
        serial = try randomSerial()
        let made = try unsafe made(X509_new(), step)
        // From here on deinit frees it, whatever fails.
        unsafe pointer = made
        // Safe because every pointer handed to OpenSSL below is owned by an object that outlives
        // the call, and OpenSSL copies what it keeps.
        try unsafe expect(X509_set_version(pointer, 2), step)
        try unsafe setSerial(serial, on: X509_get_serialNumber(pointer))
        let past = unsafe X509_gmtime_adj(X509_getm_notBefore(pointer), request.validity.begins)
        let future = unsafe X509_gmtime_adj(X509_getm_notAfter(pointer), request.validity.ends)
        guard unsafe past != nil && future != nil else { throw .last(step) }
        try unsafe expect(X509_set_pubkey(pointer, key.pointer), step)

        let subject = try unsafe Demo.made(X509_get_subject_name(pointer), step)
        try unsafe fill(subject, with: request.subject)
        let issuerPointer = unsafe issuer?.certificate.pointer ?? pointer
        try unsafe expect(
            X509_set_issuer_name(pointer, X509_get_subject_name(issuerPointer)), step)

        for (identifier, value) in request.extensions {
            var context = unsafe X509V3_CTX()
            unsafe X509V3_set_ctx(&context, issuerPointer, pointer, nil, nil, 0)
            let made = unsafe X509V3_EXT_nconf_nid(nil, &context, identifier, value)
            let field = try unsafe Demo.made(made, "write the extension `\(value)`")
            defer { unsafe X509_EXTENSION_free(field) }
            try unsafe expect(X509_add_ext(pointer, field, -1), step)
        }
        let signer = issuer?.key ?? key
        try unsafe expect(X509_sign(pointer, signer.pointer, EVP_sha256()), "sign a certificate")
    }

    deinit { unsafe X509_free(pointer) }

    func pem() throws(PKIError) -> [UInt8] {
        try unsafe pemBytes("write a certificate") { bio in
            unsafe PEM_write_bio_X509(bio, pointer)
        }
    }

    /// SHA-256 of the DER.
    func fingerprint() throws(PKIError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        // Safe because the array holds as much as any digest takes.
        try unsafe expect(X509_digest(pointer, EVP_sha256(), &digest, &count), "hash a certificate")
        return Array(digest.prefix(Int(count)))
    }
}

/// A certificate that signs others, and its key, which is never written to disk.
struct Authority {
    let certificate: Certificate
    let key: PrivateKey
}

/// 18 random bytes that read as a positive number without a leading zero.
private func randomSerial() throws(PKIError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 18)
    // Safe because the length handed over is the array's own.
    try unsafe expect(RAND_bytes(&bytes, Int32(bytes.count)), "draw a serial number")
    bytes[0] = bytes[0] & 0x3F | 0x40
    return bytes
}

/// Writes `serial`, big-endian, into `number`.
func setSerial(_ serial: [UInt8], on number: UnsafeMutablePointer<ASN1_INTEGER>?) throws(PKIError) {
    let step = "write a serial number"
    // Safe because BN_bin2bn reads as many bytes as it is told, and its result is freed here.
    let big = try unsafe made(BN_bin2bn(serial, Int32(clamping: serial.count), nil), step)
    defer { unsafe BN_free(big) }
    guard unsafe BN_to_ASN1_INTEGER(big, number) != nil else { throw .last(step) }
}
