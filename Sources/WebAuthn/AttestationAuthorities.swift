// AttestationAuthorities.swift: who vouches for models of authenticators.

internal import COpenSSL

/// Makers' certificates that attestations are traced to; no other is ever trusted.
package struct AttestationAuthorities: Sendable {
    /// In DER.
    private let anchors: [[UInt8]]

    /// Certificates of one file.
    package static let countMax = 256

    /// Reads `pem`, certificates one after the other; nil when it has none, or one is broken.
    package init?(pem: [UInt8]) {
        defer { forgetErrors() }
        // Safe because the bytes live as long as the reader over them, which is freed here.
        let anchors: [[UInt8]]? = unsafe pem.withUnsafeBytes { source -> [[UInt8]]? in
            guard let length = Int32(exactly: source.count),
                let bio = unsafe BIO_new_mem_buf(source.baseAddress, length)
            else { return nil }
            defer { unsafe BIO_free(bio) }
            var anchors: [[UInt8]] = []
            while let certificate = unsafe PEM_read_bio_X509(
                bio, nil, herse_no_passphrase, nil)
            {
                defer { unsafe X509_free(certificate) }
                guard anchors.count < Self.countMax, let der = unsafe encoded(certificate) else {
                    return nil
                }
                anchors.append(der)
            }
            // The end is an error like any other but for its reason.
            // The low 23 bits are the reason: ERR_GET_REASON, a macro.
            let reason = Int32(truncatingIfNeeded: ERR_peek_last_error() & 0x7f_ffff)
            return reason == PEM_R_NO_START_LINE ? anchors : nil
        }
        guard let anchors, !anchors.isEmpty else { return nil }
        self.anchors = anchors
    }

    /// Whether `certificates` lead from an authenticator to one of these, and fit what it says of
    /// its model; §8.2.1 and RFC 5280.
    func check(
        _ certificates: [[UInt8]], model: [UInt8], isPacked: Bool, now: Int64
    ) throws(WebAuthnRefusal) {
        guard let store = Store(anchors) else { throw .unavailable }
        guard let chain = Chain(certificates) else { throw .malformed(.attestation) }
        let error = store.verify(chain, now: now)
        guard error == X509_V_OK else { throw .untrustedAttestation(error) }
        guard chain.leafFits(model: model, isPacked: isPacked) else { throw .wrongAttestation }
    }
}

/// Certificates to trust.
///
/// Safe because it owns its store alone and frees it once.
@safe private final class Store {
    private let raw: OpaquePointer

    init?(_ anchors: [[UInt8]]) {
        guard let raw = unsafe X509_STORE_new() else { return nil }
        unsafe self.raw = raw
        for der in anchors {
            guard let anchor = unsafe decoded(der) else { return nil }
            // Safe because the store takes a reference of its own.
            defer { unsafe X509_free(anchor) }
            guard unsafe X509_STORE_add_cert(raw, anchor) == 1 else { return nil }
        }
    }

    deinit { unsafe X509_STORE_free(raw) }

    /// OpenSSL's verdict, `X509_V_OK` or why not.
    func verify(_ chain: Chain, now: Int64) -> Int32 {
        guard let context = unsafe X509_STORE_CTX_new() else { return X509_V_ERR_OUT_OF_MEM }
        // Safe because the context is freed here, after its last use, and what it is given outlives it.
        defer { unsafe X509_STORE_CTX_free(context) }
        guard unsafe X509_STORE_CTX_init(context, raw, chain.leaf, chain.others) == 1,
            let parameters = unsafe X509_STORE_CTX_get0_param(context)
        else { return X509_V_ERR_OUT_OF_MEM }
        unsafe X509_VERIFY_PARAM_set_time(parameters, time_t(now))
        unsafe X509_VERIFY_PARAM_set_depth(parameters, Int32(WebAuthnLimits.certificatesMax))
        // 112 bits: RSA of 2048, SHA-256.
        unsafe X509_VERIFY_PARAM_set_auth_level(parameters, 2)
        // Makers publish intermediate certificates, or the authenticator's own, as anchors.
        unsafe X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        if unsafe X509_verify_cert(context) == 1 { return X509_V_OK }
        let error = unsafe X509_STORE_CTX_get_error(context)
        return error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error
    }
}

/// What an authenticator shows: its own certificate and those above it.
///
/// Safe because it owns its certificates alone and frees them once.
@safe private final class Chain {
    let leaf: OpaquePointer
    let others: OpaquePointer

    init?(_ certificates: [[UInt8]]) {
        guard let first = certificates.first, let leaf = unsafe decoded(first) else { return nil }
        guard let others = unsafe OPENSSL_sk_new_null() else {
            unsafe X509_free(leaf)
            return nil
        }
        unsafe self.leaf = leaf
        unsafe self.others = others
        for der in certificates.dropFirst() {
            guard let other = unsafe decoded(der) else { return nil }
            guard unsafe OPENSSL_sk_push(others, UnsafeRawPointer(other)) > 0 else {
                unsafe X509_free(other)
                return nil
            }
        }
    }

    deinit {
        while let other = unsafe OPENSSL_sk_pop(others) { unsafe X509_free(OpaquePointer(other)) }
        unsafe OPENSSL_sk_free(others)
        unsafe X509_free(leaf)
    }

    /// Whether the leaf is an attestation's and speaks of `model`.
    func leafFits(model: [UInt8], isPacked: Bool) -> Bool {
        // Safe because OpenSSL lends what belongs to the certificate, which outlives the use.
        guard unsafe X509_get_extension_flags(leaf) & UInt32(EXFLAG_CA) == 0,
            unsafe certificateModel(of: leaf, or: model) == model
        else { return false }
        guard isPacked else { return true }
        return unsafe X509_get_version(leaf) == 2
            && unit(of: leaf) == "Authenticator Attestation"
    }
}

/// The model that a certificate is for, by FIDO's extension; `model` without it, empty when it is
/// bad.
private func certificateModel(of certificate: OpaquePointer, or model: [UInt8]) -> [UInt8] {
    // id-fido-gen-ce-aaguid; without names, as OpenSSL may know it by none.
    guard let name = unsafe OBJ_txt2obj("1.3.6.1.4.1.45724.1.1.4", 1) else { return [] }
    // Safe because it is freed after its last use; what the certificate lends outlives this call.
    defer { unsafe ASN1_OBJECT_free(name) }
    let place = unsafe X509_get_ext_by_OBJ(certificate, name, -1)
    guard place >= 0 else { return model }
    guard unsafe X509_get_ext_by_OBJ(certificate, name, place) < 0,
        let found = unsafe X509_get_ext(certificate, place),
        unsafe X509_EXTENSION_get_critical(found) == 0,
        let value = unsafe X509_EXTENSION_get_data(found),
        let start = unsafe ASN1_STRING_get0_data(value)
    else { return [] }
    let bytes = unsafe Array(
        UnsafeBufferPointer(start: start, count: Int(ASN1_STRING_length(value))))
    // An OCTET STRING of 16 bytes within the extension's own.
    return bytes.starts(with: [0x04, 0x10]) && bytes.count == 18 ? Array(bytes[2...]) : []
}

/// The organisational unit of a certificate's subject, when it has exactly one.
private func unit(of certificate: OpaquePointer) -> String? {
    // Safe because OpenSSL lends what belongs to the certificate, which outlives this call.
    guard let subject = unsafe X509_get_subject_name(certificate) else { return nil }
    let place = unsafe X509_NAME_get_index_by_NID(subject, NID_organizationalUnitName, -1)
    guard place >= 0,
        unsafe X509_NAME_get_index_by_NID(subject, NID_organizationalUnitName, place) < 0,
        let value = unsafe X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)),
        let start = unsafe ASN1_STRING_get0_data(value)
    else { return nil }
    let bytes = unsafe UnsafeBufferPointer(start: start, count: Int(ASN1_STRING_length(value)))
    return unsafe String(decoding: bytes, as: UTF8.self)
}

/// A certificate out of its DER, all of it; to be freed.
private func decoded(_ der: [UInt8]) -> OpaquePointer? {
    // Safe because OpenSSL reads within the array and keeps nothing of it.
    unsafe der.withUnsafeBufferPointer { buffer in
        var next = buffer.baseAddress
        guard let certificate = unsafe d2i_X509(nil, &next, buffer.count) else { return nil }
        guard let start = buffer.baseAddress, unsafe next == start + buffer.count else {
            unsafe X509_free(certificate)
            return nil
        }
        return unsafe certificate
    }
}

private func encoded(_ certificate: OpaquePointer) -> [UInt8]? {
    let length = unsafe i2d_X509(certificate, nil)
    guard length > 0 else { return nil }
    var der = [UInt8](repeating: 0, count: Int(length))
    // Safe because OpenSSL writes the length it said.
    let written = unsafe der.withUnsafeMutableBufferPointer { buffer in
        var next = buffer.baseAddress
        return unsafe i2d_X509(certificate, &next)
    }
    return written == length ? der : nil
}
