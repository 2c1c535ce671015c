// TokenRefusal.swift: why a token, a proof or an answer about one is not believed.

/// Why something signed, or said to be, was refused; nothing of its text is kept.
package enum TokenRefusal: Error, Equatable, Sendable {
    /// More bytes than any honest one has.
    case tooLarge
    /// Not three parts of base64url, or no JSON within; also one key twice, or too deep.
    case malformed
    /// A header that would have keys taken from the token, content unpacked, or is not understood.
    case header
    /// Made for another purpose: an id token, a refresh token, a proof.
    case kind
    /// Not among the issuer's algorithms, or not one for its key.
    case algorithm
    /// No key of the set has its `kid`; a set fetched anew may.
    case unknownKey
    case signature
    /// A set of keys that cannot be read, or has none that can be used.
    case noUsableKey
    /// A claim that is missing, has the wrong type, or holds what no text should.
    case claim
    case issuer
    case audience
    case client
    case scope
    /// `acr`, `authMode`, `amr`.
    case context
    case mode
    case method
    case expired
    case notYetValid
    /// Good for longer than any of its issuer's should be.
    case lifetime
    /// Nobody is named.
    case professional
    /// Proven too long ago.
    case stale
    /// The issuer says that it is over.
    case inactive
    /// Tied to nothing, where it must be, or to something that is not known here.
    case unbound
    /// Tied to another certificate than the connection's.
    case otherCertificate
    /// Tied to a key, and no proof of it came, or one of another key.
    case otherKey
    /// A proof for another request, another token, or another time.
    case proof
    /// A proof without a nonce of ours that is still good.
    case proofNonce
    /// An id token for another sign-in, or another access token.
    case nonce
    case tokenHash
    /// What is said of somebody is said of somebody else.
    case subject

    /// For the log.
    package var word: StaticString {
        switch self {
        case .tooLarge: "too-large"
        case .malformed: "malformed"
        case .header: "header"
        case .kind: "kind"
        case .algorithm: "algorithm"
        case .unknownKey: "unknown-key"
        case .signature: "signature"
        case .noUsableKey: "no-usable-key"
        case .claim: "claim"
        case .issuer: "issuer"
        case .audience: "audience"
        case .client: "client"
        case .scope: "scope"
        case .context: "acr"
        case .mode: "auth-mode"
        case .method: "amr"
        case .expired: "expired"
        case .notYetValid: "not-yet-valid"
        case .lifetime: "lifetime"
        case .professional: "professional"
        case .stale: "stale"
        case .inactive: "inactive"
        case .unbound: "unbound"
        case .otherCertificate: "other-certificate"
        case .otherKey: "other-key"
        case .proof: "proof"
        case .proofNonce: "proof-nonce"
        case .nonce: "nonce"
        case .tokenHash: "token-hash"
        case .subject: "subject"
        }
    }

    /// The `error` of `WWW-Authenticate`: RFC 6750 §3.1, RFC 9449 §7.1 and §8, RFC 9470 §3.
    package var challenge: StaticString {
        switch self {
        case .proof, .otherKey: "invalid_dpop_proof"
        case .proofNonce: "use_dpop_nonce"
        case .scope: "insufficient_scope"
        case .context, .mode, .method, .stale: "insufficient_user_authentication"
        case .tooLarge, .malformed, .header, .kind, .algorithm, .unknownKey, .signature,
            .noUsableKey, .claim, .issuer, .audience, .client, .expired, .notYetValid, .lifetime,
            .professional, .inactive, .unbound, .otherCertificate, .nonce, .tokenHash, .subject:
            "invalid_token"
        }
    }
}
