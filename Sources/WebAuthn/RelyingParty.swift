// RelyingParty.swift: for whom a security key signs, WebAuthn Level 3 §4.

/// The site that a key is registered with.
package struct RelyingParty: Equatable, Sendable {
    /// The host's name, without port: `gate.example.fr`.
    package var id: String
    /// The origin browsers send: `https://gate.example.fr:8443`.
    package var origin: String

    package init(id: String, origin: String) {
        self.id = id
        self.origin = origin
    }
}
