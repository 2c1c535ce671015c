// SecondFactor.swift: what a local account proves itself with besides its password.

/// A kind of second factor.
package enum SecondFactor: String, CaseIterable, Codable, Sendable {
    /// A one-time code, RFC 6238.
    case totp
    /// A security key, WebAuthn.
    case webauthn
}
