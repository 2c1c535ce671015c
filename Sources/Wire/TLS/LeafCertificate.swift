// LeafCertificate.swift: what the gate needs to know of a client's certificate, as a value.

internal import COpenSSL

/// SHA-256 of a certificate's DER: its name in lists, caches and the record.
package struct Fingerprint: Hashable, Sendable {
    package let bytes: InlineArray<32, UInt8>

    package init(_ bytes: InlineArray<32, UInt8>) { self.bytes = bytes }

    /// The fingerprint of these bytes, which must be 32; fewer are filled with zeros.
    package init(_ digest: Span<UInt8>) {
        var bytes: InlineArray<32, UInt8> = .init(repeating: 0)
        for index in 0..<min(32, digest.count) { bytes[index] = digest[index] }
        self.bytes = bytes
    }

    package static func == (one: Fingerprint, other: Fingerprint) -> Bool {
        for index in 0..<32 where one.bytes[index] != other.bytes[index] { return false }
        return true
    }

    /// A digest is uniform already: any eight of its bytes spread well.
    package func hash(into hasher: inout Hasher) {
        var word: UInt64 = 0
        for index in 0..<8 { word = word << 8 | UInt64(bytes[index]) }
        hasher.combine(word)
    }

    /// Lower-case hexadecimal, 64 characters.
    package var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for index in 0..<32 {
            text.append(digits[Int(bytes[index] >> 4)])
            text.append(digits[Int(bytes[index] & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// The facts of a leaf certificate, read once and kept.
package struct LeafCertificate: Sendable {
    package let fingerprint: Fingerprint
    /// The fingerprint of the only other encoding that is as valid; see `twinFingerprint`.
    package let twin: Fingerprint?
    /// The X.501 Name of the subject, DER.
    package let subject: [UInt8]
    /// The X.501 Name of the issuer, DER.
    package let issuer: [UInt8]
    package let serial: [UInt8]
    /// The common name of the issuer; nil when it has none.
    package let issuerName: String?
    /// 1 to 3, as people count.
    package let version: Int
    package let isAuthority: Bool
    /// The keyUsage bits as in RFC 5280 §4.2.1.3 (digitalSignature = 0x80, nonRepudiation =
    /// 0x40…), nil when the extension is absent.
    package let keyUsage: UInt32?
    package let hasExtendedKeyUsage: Bool
    package let mayAuthenticateClients: Bool
    /// Seconds since 1970.
    package let notBefore: Int64
    package let notAfter: Int64
    /// The whole certificate, DER, for `Client-Cert` (RFC 9440).
    package let der: [UInt8]

    init(_ certificate: OpaquePointer, fingerprint: Fingerprint, twin: Fingerprint?) {
        self.fingerprint = fingerprint
        self.twin = twin
        // Safe because the certificate lives for the call, and what is kept of it is copied.
        subject = unsafe nameBytes(X509_get_subject_name(certificate))
        issuer = unsafe nameBytes(X509_get_issuer_name(certificate))
        let name = unsafe commonName(of: X509_get_issuer_name(certificate))
        issuerName = name == "?" ? nil : name
        let number = unsafe X509_get0_serialNumber(certificate)
        var serial: [UInt8] = []
        if let data = unsafe ASN1_STRING_get0_data(number) {
            let count = unsafe ASN1_STRING_length(number)
            for index in 0..<Int(max(count, 0)) { unsafe serial.append(data[index]) }
        }
        self.serial = serial
        version = unsafe X509_get_version(certificate) + 1
        let flags = unsafe X509_get_extension_flags(certificate)
        isAuthority = flags & UInt32(EXFLAG_CA) != 0
        keyUsage =
            flags & UInt32(EXFLAG_KUSAGE) != 0 ? unsafe X509_get_key_usage(certificate) : nil
        hasExtendedKeyUsage = flags & UInt32(EXFLAG_XKUSAGE) != 0
        let purposes = unsafe X509_get_extended_key_usage(certificate)
        mayAuthenticateClients = hasExtendedKeyUsage && purposes & UInt32(XKU_SSL_CLIENT) != 0
        notBefore = unsafe seconds(X509_get0_notBefore(certificate))
        notAfter = unsafe seconds(X509_get0_notAfter(certificate))
        var encoded: UnsafeMutablePointer<UInt8>?
        let length = unsafe i2d_X509(certificate, &encoded)
        if let start = unsafe encoded, length > 0 {
            der = unsafe Array(UnsafeBufferPointer(start: start, count: Int(length)))
        } else {
            der = []
        }
        unsafe CRYPTO_free(encoded, #fileID, #line)
    }
}

private func nameBytes(_ name: OpaquePointer?) -> [UInt8] {
    var start: UnsafePointer<UInt8>?
    var count = 0
    // Safe because the name keeps its DER as long as the certificate lives; it is copied here.
    guard unsafe X509_NAME_get0_der(name, &start, &count) == 1, let start = unsafe start else {
        return []
    }
    return unsafe Array(UnsafeBufferPointer(start: start, count: count))
}

/// SHA-256 of a certificate's DER; nil when OpenSSL cannot compute it.
func fingerprint(of certificate: OpaquePointer) -> Fingerprint? {
    var digest: InlineArray<32, UInt8> = .init(repeating: 0)
    var length: UInt32 = 0
    var span = digest.mutableSpan
    // Safe because SHA-256 writes exactly the 32 bytes there are.
    let done = unsafe span.withUnsafeMutableBufferPointer { room in
        unsafe X509_digest(certificate, EVP_sha256(), room.baseAddress, &length)
    }
    return done == 1 && length == 32 ? Fingerprint(digest) : nil
}
