// FetchedCRL.swift: a revocation list as it was fetched, and what it says of itself.

internal import COpenSSL

/// Bytes that are no revocation list.
struct CRLUnreadable: Error {}

/// A revocation list, RFC 5280 §5, whose signature nobody has looked at.
struct FetchedCRL: Sendable {
    let der: [UInt8]
    /// The X.501 Name, DER.
    let issuer: [UInt8]
    /// Seconds since 1970.
    let thisUpdate: Int64
    let nextUpdate: Int64?

    /// Reads DER, or one block of PEM and nothing behind.
    init(_ bytes: [UInt8]) throws(CRLUnreadable) {
        // Safe because the list is freed below, and what is kept of it is copied before.
        guard let list = unsafe derList(bytes) ?? pemList(bytes) else { throw CRLUnreadable() }
        defer { unsafe X509_CRL_free(list) }
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_X509_CRL(list, &encoded)
        defer { unsafe CRYPTO_free(encoded, #fileID, #line) }
        var name: UnsafePointer<UInt8>?
        var nameCount = 0
        guard count > 0, let start = unsafe encoded,
            unsafe X509_NAME_get0_der(X509_CRL_get_issuer(list), &name, &nameCount) == 1,
            let nameStart = unsafe name,
            let thisUpdate = unsafe seconds(X509_CRL_get0_lastUpdate(list))
        else { throw CRLUnreadable() }
        der = unsafe Array(UnsafeBufferPointer(start: start, count: Int(count)))
        issuer = unsafe Array(UnsafeBufferPointer(start: nameStart, count: nameCount))
        self.thisUpdate = thisUpdate
        nextUpdate = unsafe seconds(X509_CRL_get0_nextUpdate(list))
    }
}

/// Safe because at most as many bytes as there are are read; the caller frees what is returned.
private func derList(_ bytes: [UInt8]) -> OpaquePointer? {
    unsafe bytes.withUnsafeBufferPointer { bytes in
        let first = bytes.baseAddress
        var start = unsafe first
        guard let list = unsafe d2i_X509_CRL(nil, &start, bytes.count) else {
            ERR_clear_error()
            return nil
        }
        guard unsafe first.map({ unsafe $0 + bytes.count }) == start else {
            unsafe X509_CRL_free(list)
            return nil
        }
        return unsafe list
    }
}

/// Safe because the BIO is freed before the bytes go away; the caller frees what is returned.
private func pemList(_ bytes: [UInt8]) -> OpaquePointer? {
    unsafe bytes.withUnsafeBytes { bytes in
        guard let bio = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count))
        else { return nil }
        defer {
            unsafe BIO_free(bio)
            ERR_clear_error()
        }
        // One that asks for a passphrase is refused: who answers must not make the gate wait.
        guard let list = unsafe PEM_read_bio_X509_CRL(bio, nil, herse_no_passphrase, nil)
        else { return nil }
        // Two lists at one address: it is not known which should count.
        if let second = unsafe PEM_read_bio_X509_CRL(bio, nil, herse_no_passphrase, nil) {
            unsafe X509_CRL_free(second)
            unsafe X509_CRL_free(list)
            return nil
        }
        return unsafe list
    }
}
