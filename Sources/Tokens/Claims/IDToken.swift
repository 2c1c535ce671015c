// IDToken.swift: id tokens, OpenID Connect Core 1.0 §3.1.3.7, and what userinfo adds.

package import JSON

/// How an id token is judged that a provider gave for one sign-in.
package struct IDTokenRules: Sendable {
    package var issuer: String
    package var algorithms: Set<SignatureAlgorithm>
    /// Ours: it must be in `aud`.
    package var client: String
    /// What the sign-in was begun with.
    package var nonce: String?
    /// One of them must be `acr`; empty asks for nothing.
    package var contexts: [String] = []
    /// Seconds since `auth_time` at most; nil asks for nothing.
    package var ageMax: Int64?
    /// The claim that holds the professional, which may be left to userinfo.
    package var professionalClaim = "SubjectNameID"
    package var leeway: Int64 = 30
    /// What came with it: checked against `at_hash` if that is there.
    package var accessToken: [UInt8]?

    package init(issuer: String, algorithms: Set<SignatureAlgorithm>, client: String) {
        self.issuer = issuer
        self.algorithms = algorithms
        self.client = client
    }
}

/// What an id token says, if it was made for this sign-in.
package func verifyIDToken(
    _ token: Span<UInt8>, keys: KeySet, rules: IDTokenRules, now: Int64
) throws(TokenRefusal) -> VerifiedToken {
    let signed = try SignedToken(token)
    try signed.checkType(["jwt"])
    let claims = Claims(
        value: try signed.verify(token, keys: keys, algorithms: rules.algorithms))
    try claims.checkKind(.identity)
    try claims.checkIssuer(rules.issuer)
    let party = try claims.checkAudience(client: rules.client)
    let times = try claims.checkTimes(now: now, leeway: rules.leeway, lifetimeMax: nil)
    guard let expiresAt = times.expiresAt, let issuedAt = times.issuedAt else { throw .claim }
    if let nonce = rules.nonce {
        guard let given = try claims.text("nonce"),
            areSame(Array(given.utf8), Array(nonce.utf8))
        else { throw .nonce }
    }
    let context = try claims.context()
    guard rules.contexts.isEmpty || isOne(context, of: rules.contexts) else { throw .context }
    let authenticatedAt = try claims.authenticatedAt(now: now, leeway: rules.leeway)
    if let ageMax = rules.ageMax {
        guard let authenticatedAt else { throw .stale }
        // Compared so that no sum can overflow, however long a time was asked for.
        guard now - rules.leeway - authenticatedAt <= ageMax else { throw .stale }
    }
    if let accessToken = rules.accessToken, let hash = try claims.text("at_hash") {
        let digest = signed.algorithm.digest.digest(accessToken.span)
        let half = Array(digest.prefix(digest.count / 2))
        guard areSame(hash, encodeBase64URL(half)) else { throw .tokenHash }
    }
    return VerifiedToken(
        professional: try claims.text(rules.professionalClaim) ?? "", issuer: rules.issuer,
        subject: try claims.requiredText("sub"), id: try claims.text("jti"),
        session: try claims.session(), client: party,
        context: context, mode: try claims.text("authMode"), methods: try claims.texts("amr"),
        scopes: [], authenticatedAt: authenticatedAt, issuedAt: issuedAt,
        notBefore: times.notBefore, expiresAt: expiresAt)
}

extension Claims {
    /// Refuses what was made for another client, OpenID Connect Core 1.0 §3.1.3.7, 3 to 5; returns
    /// the client.
    func checkAudience(client: String) throws(TokenRefusal) -> String {
        let audiences = try texts("aud")
        guard isOne(client, of: audiences) else { throw .audience }
        let party = try text("azp")
        if let party, !areSame(party, client) { throw .client }
        guard audiences.count == 1 || party != nil else { throw .client }
        return client
    }
}

/// The professional whom a provider's userinfo names, OpenID Connect Core 1.0 §5.3.2.
///
/// - Parameters:
///   - answer: What the provider itself answered.
///   - subject: Of the id token: an answer about somebody else is refused.
///   - claim: The name of the claim.
/// - Returns: The claim's text.
/// - Throws: Why nobody is named.
package func judgeUserInfo(
    _ answer: JSONValue, subject: String, claim: String
) throws(TokenRefusal) -> String {
    let claims = Claims(value: answer)
    guard areSame(try claims.requiredText("sub"), subject) else { throw .subject }
    guard let professional = try claims.text(claim) else { throw .professional }
    return professional
}
