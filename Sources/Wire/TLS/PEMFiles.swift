// PEMFiles.swift: certificates, keys and revocation lists from files, owned by one object.

internal import COpenSSL
internal import Glibc

/// An X.509 certificate; immutable, so safe to share between threads.
///
/// Safe because it owns one reference to its certificate, OpenSSL counts references atomically,
/// and nothing here changes the value.
@safe package final class Certificate: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over one reference to `pointer`.
    init(takingOver pointer: OpaquePointer) { unsafe self.pointer = pointer }
    deinit { unsafe X509_free(pointer) }

    /// Whether subject and issuer are the same name.
    var isSelfIssued: Bool {
        unsafe X509_NAME_cmp(X509_get_subject_name(pointer), X509_get_issuer_name(pointer)) == 0
    }

    func isIssued(by other: Certificate) -> Bool {
        unsafe X509_NAME_cmp(X509_get_issuer_name(pointer), X509_get_subject_name(other.pointer))
            == 0
    }

    /// The common name of the subject, or its one-line form; for messages, never for identity.
    package var title: String { unsafe commonName(of: X509_get_subject_name(pointer)) }

    /// Seconds since 1970 at which it ends.
    package var notAfter: Int64 { unsafe seconds(X509_get0_notAfter(pointer)) }
    package var notBefore: Int64 { unsafe seconds(X509_get0_notBefore(pointer)) }

    /// Whether it is for this host: a name or an address as in `Host`, with a port or without.
    package func names(_ host: String) -> Bool {
        var name = Substring(host)
        if name.hasPrefix("[") {
            name = name.dropFirst().prefix { $0 != "]" }
            // Safe because OpenSSL reads a text that ends with a zero.
            return unsafe X509_check_ip_asc(pointer, String(name), 0) == 1
        }
        name = name.prefix { $0 != ":" }
        let text = String(name)
        // Safe because OpenSSL reads as many bytes as it is told there are.
        return unsafe X509_check_host(pointer, text, text.utf8.count, 0, nil) == 1
            || X509_check_ip_asc(pointer, text, 0) == 1
    }

    /// Its bytes; empty when OpenSSL is out of memory.
    package var der: [UInt8] {
        var out: UnsafeMutablePointer<UInt8>?
        // Safe because OpenSSL allocates what it writes, which is copied and freed here.
        let count = unsafe i2d_X509(pointer, &out)
        guard count > 0, let bytes = unsafe out else { return [] }
        defer { unsafe CRYPTO_free(bytes, #fileID, #line) }
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
    }
}

/// A private key; never leaves the process.
///
/// Safe because it owns one reference to its key, OpenSSL counts references atomically, and
/// nothing here changes the value.
@safe package final class PrivateKey: @unchecked Sendable {
    let pointer: OpaquePointer
    init(takingOver pointer: OpaquePointer) { unsafe self.pointer = pointer }
    deinit { unsafe EVP_PKEY_free(pointer) }
}

/// An X.509 revocation list; immutable, so safe to share between threads.
///
/// Safe because it owns one reference to its list, OpenSSL counts references atomically, and
/// nothing here changes the value.
@safe package final class RevocationList: @unchecked Sendable {
    let pointer: OpaquePointer
    package let file: String

    init(takingOver pointer: OpaquePointer, file: String) {
        unsafe self.pointer = pointer
        self.file = file
    }
    deinit { unsafe X509_CRL_free(pointer) }

    /// One that was fetched; nil when these bytes are none, or hold more than one.
    package convenience init?(der: [UInt8], from address: String) {
        // Safe because OpenSSL reads no more bytes than it is told there are.
        let list = unsafe der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var start = buffer.baseAddress
            guard let list = unsafe d2i_X509_CRL(nil, &start, buffer.count) else { return nil }
            guard let base = buffer.baseAddress, unsafe start == base + buffer.count else {
                unsafe X509_CRL_free(list)
                return nil
            }
            return unsafe list
        }
        guard let list = unsafe list else {
            ERR_clear_error()
            return nil
        }
        unsafe self.init(takingOver: list, file: address)
    }

    /// The common name of the authority that signed it.
    package var issuer: String { unsafe commonName(of: X509_CRL_get_issuer(pointer)) }
    /// Seconds since 1970 of `thisUpdate`.
    package var thisUpdate: Int64 { unsafe seconds(X509_CRL_get0_lastUpdate(pointer)) }
    /// Seconds since 1970 of `nextUpdate`; nil when the list has none.
    package var nextUpdate: Int64? {
        guard let time = unsafe X509_CRL_get0_nextUpdate(pointer) else { return nil }
        return unsafe seconds(time)
    }
    package var entryCount: Int {
        guard let entries = unsafe X509_CRL_get_REVOKED(pointer) else { return 0 }
        return Int(unsafe OPENSSL_sk_num(entries))
    }

    /// Whether it is in the name of `authority`, and its key made the signature.
    package func isOf(_ authority: Certificate) -> Bool {
        isIssued(by: authority) && isSigned(by: authority)
    }

    func isIssued(by authority: Certificate) -> Bool {
        unsafe X509_NAME_cmp(X509_CRL_get_issuer(pointer), X509_get_subject_name(authority.pointer))
            == 0
    }

    /// Whether `authority`'s key made its signature.
    func isSigned(by authority: Certificate) -> Bool {
        guard let key = unsafe X509_get0_pubkey(authority.pointer) else { return false }
        let good = unsafe X509_CRL_verify(pointer, key) == 1
        if !good { ERR_clear_error() }
        return good
    }
}

/// The largest certificate, key or list file that is read.
package let materialBytesMax = 256 * 1024 * 1024

/// Every certificate of a PEM file, in order.
package func readCertificates(_ file: String) throws(TLSMaterialError) -> [Certificate] {
    var found: [Certificate] = []
    try unsafe withBIO(file) { bio throws(TLSMaterialError) in
        // Safe because the BIO is lent for the call, and each certificate is taken over at once.
        while let certificate = unsafe PEM_read_bio_X509(bio, nil, herse_no_passphrase, nil) {
            unsafe found.append(Certificate(takingOver: certificate))
        }
        try endOfPEM(file, what: "certificate", found: found.count)
    }
    return found
}

/// The private key of a PEM file; one that asks for a passphrase is refused, since nobody is there.
package func readPrivateKey(_ file: String) throws(TLSMaterialError) -> PrivateKey {
    var key: PrivateKey?
    try unsafe withBIO(file) { bio throws(TLSMaterialError) in
        // Safe because the BIO is lent for the call, and the key is taken over below.
        let pointer = unsafe PEM_read_bio_PrivateKey(bio, nil, herse_no_passphrase, nil)
        guard let pointer = unsafe pointer else {
            throw TLSMaterialError(
                file: file, problem: "no usable private key",
                hint: "expected an unencrypted PEM key"
                    + (takeOpenSSLError().map { "; \($0)" } ?? ""))
        }
        key = unsafe PrivateKey(takingOver: pointer)
    }
    guard let key else { throw TLSMaterialError(file: file, problem: "no usable private key") }
    return key
}

/// Every revocation list of a PEM file, or the one of a DER file.
package func readRevocationLists(_ file: String) throws(TLSMaterialError) -> [RevocationList] {
    var found: [RevocationList] = []
    try unsafe withBIO(file) { bio throws(TLSMaterialError) in
        // Safe because the BIO is lent for the call, and each list is taken over at once.
        while let list = unsafe PEM_read_bio_X509_CRL(bio, nil, herse_no_passphrase, nil) {
            unsafe found.append(RevocationList(takingOver: list, file: file))
        }
        if found.isEmpty {
            ERR_clear_error()
            _ = unsafe BIO_ctrl(bio, BIO_CTRL_RESET, 0, nil)
            if let list = unsafe d2i_X509_CRL_bio(bio, nil) {
                unsafe found.append(RevocationList(takingOver: list, file: file))
                return
            }
        }
        try endOfPEM(file, what: "revocation list", found: found.count)
    }
    return found
}

/// Tells the end of a PEM file from something that could not be read in it.
private func endOfPEM(_ file: String, what: String, found: Int) throws(TLSMaterialError) {
    let code = ERR_peek_last_error()
    ERR_clear_error()
    // The low 23 bits are the reason: ERR_GET_REASON, a macro.
    let atEnd = Int32(code & 0x7F_FFFF) == PEM_R_NO_START_LINE
    guard found > 0, atEnd else {
        throw TLSMaterialError(
            file: file,
            problem: found == 0 ? "no \(what) in it" : "\(what) \(found + 1) cannot be read",
            hint: "expected PEM blocks")
    }
}

/// Reads a whole file into memory and lends it as an OpenSSL BIO.
private func withBIO(
    _ file: String, _ body: (OpaquePointer) throws(TLSMaterialError) -> Void
) throws(TLSMaterialError) {
    let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
        // Safe because strerror's text is copied at once.
        throw TLSMaterialError(
            file: file, problem: "cannot be read", hint: unsafe String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        throw TLSMaterialError(file: file, problem: "is not a regular file")
    }
    guard status.st_size <= materialBytesMax else {
        throw TLSMaterialError(
            file: file, problem: "is too large (\(status.st_size) bytes)",
            hint: "at most \(materialBytesMax) bytes are read")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var filled = 0
    while filled < bytes.count {
        let count = unsafe bytes.withUnsafeMutableBytes { room in
            // Safe because filled < room.count and read writes at most the rest.
            unsafe read(
                descriptor, room.baseAddress.map { unsafe $0 + filled }, room.count - filled)
        }
        if count <= 0 { break }
        filled += count
    }
    ERR_clear_error()
    // Safe because the BIO is freed before bytes goes away.
    let result: Result<Void, TLSMaterialError> = unsafe bytes.withUnsafeBytes { source in
        guard let bio = unsafe BIO_new_mem_buf(source.baseAddress, Int32(filled)) else {
            return .failure(TLSMaterialError(file: file, problem: "out of memory"))
        }
        defer { unsafe BIO_free(bio) }
        do throws(TLSMaterialError) {
            try unsafe body(bio)
            return .success(())
        } catch {
            return .failure(error)
        }
    }
    try result.get()
}

func commonName(of name: OpaquePointer?) -> String {
    guard let name = unsafe name else { return "?" }
    var text = [CChar](repeating: 0, count: 256)
    // Safe because at most text.count bytes are written, terminated.
    let length = unsafe X509_NAME_get_text_by_NID(name, NID_commonName, &text, Int32(text.count))
    guard length > 0 else { return "?" }
    return String(decoding: text.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Seconds since 1970 of an ASN.1 time; the furthest future when it cannot be read.
func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64 {
    // Safe because the parts are a local, filled before they are read.
    var parts = unsafe tm()
    guard unsafe ASN1_TIME_to_tm(time, &parts) == 1 else { return .max }
    return Int64(unsafe timegm(&parts))
}
