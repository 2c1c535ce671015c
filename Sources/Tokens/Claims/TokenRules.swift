// TokenRules.swift: what an issuer's tokens must say to be believed here.

/// How one issuer's access tokens are judged.
///
/// Empty lists ask for nothing, but for `audiences` and `algorithms`, which no token passes empty
/// unless `acceptsAnyAudience`.
package struct TokenRules: Equatable, Sendable {
    /// `iss`, compared byte by byte.
    package var issuer: String
    package var algorithms: Set<SignatureAlgorithm>
    /// One of them must be in `aud`.
    package var audiences: [String] = []
    package var acceptsAnyAudience = false
    /// One of them must be `azp`, or else `client_id`.
    package var clients: [String] = []
    /// All of them must be in `scope`.
    package var scopes: [String] = []
    /// One of them must be `acr`.
    package var contexts: [String] = []
    /// One of them must be `authMode`.
    package var modes: [String] = []
    /// All of them must be in `amr`.
    package var methods: [String] = []
    /// The claim that holds the professional's national identifier.
    package var professionalClaim = "SubjectNameID"
    /// Seconds by which clocks may differ.
    package var leeway: Int64 = 30
    /// Seconds from `iat` (else from now) to `exp` at most.
    package var lifetimeMax: Int64 = 4 * 3600
    /// What ties a token to whoever sends it.
    package var binding = TokenBinding.whenBound
    /// Whether `x5t#S256` may also be base64 of the digest in hexadecimal, as ANS's servers write.
    package var acceptsHexThumbprints = false

    package init(issuer: String, algorithms: Set<SignatureAlgorithm>) {
        self.issuer = issuer
        self.algorithms = algorithms
    }
}

/// What a token must be tied to.
package enum TokenBinding: String, CaseIterable, Sendable {
    /// Whatever it says itself: one with `cnf` is held to it, one without passes.
    case whenBound = "when-bound"
    /// The certificate of the connection, RFC 8705.
    case certificate
    /// A key shown with each request, RFC 9449.
    case dpop
    /// One or the other.
    case either
}
