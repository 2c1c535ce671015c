// RevocationList.swift: the X.509 CRL of one throw-away authority, RFC 5280 §5.

import COpenSSL

/// A complete list signed by `authority`, in PEM: in force for a week, its entries dated now.
func revocationList(
    of serials: [[UInt8]], by authority: Authority, number: Int
) throws(PKIError) -> [UInt8] {
    let step = "make a revocation list"
    let list = try unsafe made(X509_CRL_new(), step)
    // Safe because everything made below is freed here or, once added, with the list.
    defer { unsafe X509_CRL_free(list) }
    try unsafe expect(X509_CRL_set_version(list, 1), step)
    let issuer = unsafe authority.certificate.pointer
    try unsafe expect(X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer)), step)
    guard let now = unsafe X509_gmtime_adj(nil, 0), let later = unsafe X509_gmtime_adj(nil, week)
    else { throw .last(step) }
    defer {
        unsafe ASN1_STRING_free(now)
        unsafe ASN1_STRING_free(later)
    }
    try unsafe expect(X509_CRL_set1_lastUpdate(list, now), step)
    try unsafe expect(X509_CRL_set1_nextUpdate(list, later), step)
    for serial in serials {
        let entry = try unsafe revoked(serial, at: now)
        guard unsafe X509_CRL_add0_revoked(list, entry) == 1 else {
            unsafe X509_REVOKED_free(entry)
            throw .last(step)
        }
    }
    try unsafe expect(X509_CRL_sort(list), step)
    try unsafe addExtensions(to: list, issuer: issuer, number: number)
    try unsafe expect(X509_CRL_sign(list, authority.key.pointer, EVP_sha256()), step)
    return try unsafe pemBytes(step) { bio in unsafe PEM_write_bio_X509_CRL(bio, list) }
}

private let week = 7 * 86_400

/// Who signed the list, and its rank among the lists of that authority.
private func addExtensions(
    to list: OpaquePointer, issuer: OpaquePointer, number: Int
) throws(PKIError) {
    let step = "write a list's extension"
    var context = unsafe X509V3_CTX()
    // Safe because OpenSSL copies the extension and the number, which are freed here.
    unsafe X509V3_set_ctx(&context, issuer, nil, nil, list, 0)
    let field = try unsafe made(
        X509V3_EXT_nconf_nid(nil, &context, NID_authority_key_identifier, "keyid:always"), step)
    defer { unsafe X509_EXTENSION_free(field) }
    try unsafe expect(X509_CRL_add_ext(list, field, -1), step)
    guard let rank = unsafe ASN1_INTEGER_new() else { throw .last(step) }
    defer { unsafe ASN1_INTEGER_free(rank) }
    try unsafe expect(ASN1_INTEGER_set(rank, number), step)
    try unsafe expect(X509_CRL_add1_ext_i2d(list, NID_crl_number, rank, 0, 0), step)
}

private func revoked(
    _ serial: [UInt8], at time: UnsafeMutablePointer<ASN1_TIME>
) throws(PKIError) -> OpaquePointer {
    let step = "revoke a certificate"
    let entry = try unsafe made(X509_REVOKED_new(), step)
    do throws(PKIError) {
        guard let number = unsafe ASN1_INTEGER_new() else { throw .last(step) }
        // Safe because OpenSSL copies the number and the time.
        defer { unsafe ASN1_INTEGER_free(number) }
        try unsafe setSerial(serial, on: number)
        try unsafe expect(X509_REVOKED_set_serialNumber(entry, number), step)
        try unsafe expect(X509_REVOKED_set_revocationDate(entry, time), step)
    } catch {
        unsafe X509_REVOKED_free(entry)
        throw error
    }
    return unsafe entry
}
