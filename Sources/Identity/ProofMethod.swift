// ProofMethod.swift: the ways to prove who one is, in the words of `require`.

/// A way to prove one's identity.
package enum ProofMethod: String, CaseIterable, Sendable {
    /// The certificate of a card, shown in the TLS handshake.
    case certificate
    /// A bearer token of an issuer.
    case token
    /// A browser's session, begun at an identity provider.
    case session
    /// A local account: password through PAM, and a one-time code.
    case pamTOTP = "pam+totp"
    /// A local account: password through PAM, and a security key.
    case pamWebAuthn = "pam+webauthn"

    /// Whether it lasts as a session behind a cookie.
    package var isSession: Bool {
        switch self {
        case .session, .pamTOTP, .pamWebAuthn: true
        case .certificate, .token: false
        }
    }
}
