// PEMReading.swift: keys out of PEM texts (RFC 7468), for those who sign and those who seal.

internal import COpenSSL

/// What `read` makes of a reader over `bytes`; nil when there is no memory.
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

/// The key of a PEM text (PKCS#8), which the caller frees; nil when it cannot be read.
///
/// Its passphrase is asked for at the terminal by a command; the gate must not wait for one there,
/// and reads none that has one.
package func privateKey(pem: [UInt8], asksForPassphrase: Bool) -> OpaquePointer? {
    // Safe because the BIO only reads the bytes, which outlive it.
    let key = unsafe withMemoryFile(pem) { file in
        unsafe PEM_read_bio_PrivateKey(
            file, nil, asksForPassphrase ? nil : herse_no_passphrase, nil)
    }
    if unsafe key == nil { ERR_clear_error() }
    return unsafe key
}

/// The key of a PEM text (SubjectPublicKeyInfo), which the caller frees; nil when it cannot be read.
///
/// A passphrase is never asked for: there is nothing to hide.
package func publicKey(pem: [UInt8]) -> OpaquePointer? {
    // Safe because the BIO only reads the bytes, which outlive it.
    let key = unsafe withMemoryFile(pem) {
        unsafe PEM_read_bio_PUBKEY($0, nil, herse_no_passphrase, nil)
    }
    if unsafe key == nil { ERR_clear_error() }
    return unsafe key
}
