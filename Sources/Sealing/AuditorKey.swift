// AuditorKey.swift: an auditor's pair of keys: the public half seals, the private half opens.
//
// X25519 (RFC 7748), in PEM as OpenSSL writes it (RFC 8410). The private half stays off the gate.

internal import COpenSSL

/// Why a key could not be read, in words for the operator.
package struct AuditorKeyError: Error, Equatable, Sendable {
    package let message: String
    package let hint: String
}

/// The public half: the gate seals each segment's key to it.
package struct AuditorPublicKey: Hashable, Sendable {
    /// 32 bytes.
    package let raw: [UInt8]

    package init?(raw: [UInt8]) {
        guard raw.count == 32 else { return nil }
        self.raw = raw
    }
}

/// The private half of an auditor's key.
package struct AuditorKey: Sendable {
    /// 32 bytes.
    let raw: [UInt8]

    package init?(raw: [UInt8]) {
        guard raw.count == 32 else { return nil }
        self.raw = raw
    }
}
