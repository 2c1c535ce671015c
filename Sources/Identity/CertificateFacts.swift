// CertificateFacts.swift: what the gate found in a certificate, beside its subject.

/// What a certificate says of itself, apart from who its subject is; filled once per certificate.
package struct CertificateFacts: Equatable, Sendable {
    /// 1 to 3, as people say it; X.509 writes 0 to 2.
    package var version: Int
    /// Whether basicConstraints says CA:TRUE.
    package var isAuthority: Bool
    /// Nil when the extension is absent.
    package var keyUsage: KeyUsage?
    /// Nil when the extension is absent.
    package var extendedKeyUsage: ExtendedKeyUsage?
    /// Big-endian, without the sign byte; 20 bytes at most by RFC 5280 §4.1.2.2.
    package var serial: [UInt8]
    /// The issuer's CN, when it has exactly one.
    package var issuer: String?
    /// SHA-256 of the whole certificate, 32 bytes.
    package var fingerprint: [UInt8]
    /// Seconds since 1970, UTC, both ends included.
    package var notBefore: Int64
    package var notAfter: Int64

    package init(
        version: Int, isAuthority: Bool, keyUsage: KeyUsage?, extendedKeyUsage: ExtendedKeyUsage?,
        serial: [UInt8], issuer: String?, fingerprint: [UInt8], notBefore: Int64, notAfter: Int64
    ) {
        self.version = version
        self.isAuthority = isAuthority
        self.keyUsage = keyUsage
        self.extendedKeyUsage = extendedKeyUsage
        self.serial = serial
        self.issuer = issuer
        self.fingerprint = fingerprint
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    /// Whether the certificate is in force at `now`, seconds since 1970; asked again on every
    /// handshake, resumed ones included.
    package func isInForce(at now: Int64) -> Bool { notBefore <= now && now <= notAfter }
}

/// What a key may do, RFC 5280 §4.2.1.3; the bits of OpenSSL's `X509_get_key_usage`.
package struct KeyUsage: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let digitalSignature = KeyUsage(rawValue: 0x80)
    package static let nonRepudiation = KeyUsage(rawValue: 0x40)
    package static let keyEncipherment = KeyUsage(rawValue: 0x20)
    package static let dataEncipherment = KeyUsage(rawValue: 0x10)
    package static let keyAgreement = KeyUsage(rawValue: 0x08)
    package static let certificateSign = KeyUsage(rawValue: 0x04)
    package static let revocationListSign = KeyUsage(rawValue: 0x02)
}

/// What a key is for, RFC 5280 §4.2.1.12; the bits of OpenSSL's `X509_get_extended_key_usage`.
package struct ExtendedKeyUsage: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let serverAuthentication = ExtendedKeyUsage(rawValue: 0x1)
    package static let clientAuthentication = ExtendedKeyUsage(rawValue: 0x2)
    package static let emailProtection = ExtendedKeyUsage(rawValue: 0x4)
    package static let codeSigning = ExtendedKeyUsage(rawValue: 0x8)
    package static let any = ExtendedKeyUsage(rawValue: 0x100)
}
