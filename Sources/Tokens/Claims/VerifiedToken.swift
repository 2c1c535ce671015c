// VerifiedToken.swift: what an issuer's token says, once it is believed.

/// What is known of whoever sent a token: only what the gate decides by, and records.
package struct VerifiedToken: Equatable, Sendable {
    /// The national identifier as the issuer wrote it, to be read as a `ProfessionalID`; empty
    /// only for an id token that leaves it to userinfo.
    package var professional: String
    package var issuer: String
    /// `sub`.
    package var subject: String
    /// `jti`.
    package var id: String?
    /// `sid`, or else `session_state`.
    package var session: String?
    /// `azp`, or else `client_id`.
    package var client: String?
    /// `acr`.
    package var context: String?
    /// `authMode`.
    package var mode: String?
    /// `amr`.
    package var methods: [String]
    package var scopes: [String]
    /// `auth_time`: seconds since 1970, like all times here.
    package var authenticatedAt: Int64?
    package var issuedAt: Int64?
    package var notBefore: Int64?
    /// `exp`; believed until then and for its issuer's `leeway` more.
    package var expiresAt: Int64
    /// SHA-256 of the certificate it is tied to: 32 bytes.
    package var certificateThumbprint: [UInt8]?
    /// Thumbprint of the key it is tied to, RFC 7638, as base64url.
    package var keyThumbprint: String?

    /// Whether it is over, by the clock of an issuer that may be off by `leeway`.
    package func isOver(now: Int64, leeway: Int64) -> Bool { now - leeway >= expiresAt }
}
