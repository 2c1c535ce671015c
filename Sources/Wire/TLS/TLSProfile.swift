// TLSProfile.swift: the versions, suites, groups and signatures Herse speaks (ANSSI SDE-NT-35).
//
// One profile for clients and for identity servers; an operator cannot weaken it by accident.

internal import COpenSSL

/// The TLS profile: 1.2 and 1.3 only, forward secret, authenticated encryption.
enum TLSProfile {
    /// TLS 1.3 suites in the server's order of preference.
    static let suites13 =
        "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"

    /// TLS 1.2 suites in the server's order of preference.
    static let suites12 =
        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
        + "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
        + "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

    static let groups = "X25519:P-256:X448:P-384:P-521"

    /// PKCS#1 v1.5 stays for TLS 1.2: card middleware may offer nothing else.
    static let signatures =
        "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:"
        + "RSA+SHA256:RSA+SHA384:RSA+SHA512"

    /// OpenSSL's security level: 112 bits, so RSA and DH of 2048 bits at least, and no SHA-1.
    static let securityLevel: Int32 = 2

    /// Applies the profile to a context, or says which part this OpenSSL refuses.
    static func apply(to context: OpaquePointer) throws(TLSMaterialError) {
        // Safe because context is live and the strings are copied by OpenSSL.
        unsafe SSL_CTX_set_security_level(context, securityLevel)
        let accepted = unsafe [
            ("versions", herse_ctx_set_min_version(context, TLS1_2_VERSION) == 1),
            ("versions", herse_ctx_set_max_version(context, TLS1_3_VERSION) == 1),
            ("TLS 1.3 suites", SSL_CTX_set_ciphersuites(context, suites13) == 1),
            ("TLS 1.2 suites", SSL_CTX_set_cipher_list(context, suites12) == 1),
            ("groups", herse_ctx_set_groups(context, groups) == 1),
            ("signatures", herse_ctx_set_signature_algorithms(context, signatures) == 1),
            (
                "client signatures",
                herse_ctx_set_client_signature_algorithms(context, signatures) == 1
            ),
        ]
        for (part, ok) in accepted where !ok {
            throw TLSMaterialError(
                file: nil, problem: "this OpenSSL refuses the profile's \(part)",
                hint: takeOpenSSLError())
        }
        _ = unsafe SSL_CTX_set_options(
            context,
            HERSE_OP_NO_RENEGOTIATION | HERSE_OP_NO_COMPRESSION
                | HERSE_OP_CIPHER_SERVER_PREFERENCE)
        // NO_AUTO_CHAIN: without it OpenSSL rebuilds our own chain at each handshake.
        _ = unsafe herse_ctx_set_mode(
            context,
            Int(
                SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE
                    | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN))
        // One read fetches header and body of a record, and what follows it.
        unsafe herse_ctx_set_read_ahead(context, 1)
    }
}

/// Why certificates, keys or lists cannot be used; never holds key material.
package struct TLSMaterialError: Error, Equatable, Sendable {
    /// The file at fault; nil when no single one is.
    package let file: String?
    package let problem: String
    package let hint: String?

    package init(file: String?, problem: String, hint: String? = nil) {
        self.file = file
        self.problem = problem
        self.hint = hint
    }
}

/// The oldest error OpenSSL left on this thread, as it words it; the queue is emptied.
func takeOpenSSLError() -> String? {
    let code = ERR_get_error()
    ERR_clear_error()
    guard code != 0 else { return nil }
    // Safe because reason strings are static.
    guard let reason = unsafe ERR_reason_error_string(code) else { return nil }
    return unsafe String(cString: reason).lowercased()
}
