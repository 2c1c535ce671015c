// ApprovalKey.swift: the Ed25519 key by which an administrator approves, RFC 8032.

internal import Keys

/// The public half: whether it approved a text.
package struct ApprovalKey: Sendable {
    private let key: Ed25519PublicKey

    /// Bytes of a key's file at most.
    package static let fileMax = 16 * 1024
    /// Bytes of a signature.
    package static let signatureLength = ed25519SignatureLength

    /// The key of a PEM text (SubjectPublicKeyInfo); nil when there is none, or of another kind.
    package init?(pem: [UInt8]) {
        guard let key = Ed25519PublicKey(pem: pem) else { return nil }
        self.key = key
    }

    /// Whether this key signed `text`.
    package func approves(_ text: [UInt8], signature: [UInt8]) -> Bool {
        key.verifies(signature, over: text)
    }
}

/// The private half, which stays with its administrator.
package struct ApprovalSigner: Sendable {
    private let key: Ed25519PrivateKey

    /// The key of a PEM text; asks for its passphrase at the terminal when it has one; nil when it
    /// cannot be read, or is of another kind.
    package init?(pem: [UInt8]) {
        guard let key = Ed25519PrivateKey(pem: pem, asksForPassphrase: true) else { return nil }
        self.key = key
    }

    /// The signature of `text`, 64 bytes; nil when the library refuses.
    package func signature(of text: [UInt8]) -> [UInt8]? { key.signature(over: text) }
}
