// AccessToken.swift: access tokens, RFC 9068 and Keycloak's, and what introspection says of them.

package import JSON

/// What an access token says, if its issuer's key signed it and the rules are kept.
///
/// It must show somewhere that it is one: with rules that ask for no audience, an id token of an
/// issuer that tells its tokens apart by nothing else would pass.
package func verifyAccessToken(
    _ token: Span<UInt8>, keys: KeySet, rules: TokenRules, now: Int64
) throws(TokenRefusal) -> VerifiedToken {
    let signed = try SignedToken(token)
    try signed.checkType(["jwt", "at+jwt"])
    let claims = Claims(
        value: try signed.verify(token, keys: keys, algorithms: rules.algorithms))
    try claims.checkKind(.access)
    guard try signed.type() == "at+jwt" || claims.isOfAccess else { throw .kind }
    try claims.checkIssuer(rules.issuer)
    let times = try claims.checkTimes(
        now: now, leeway: rules.leeway, lifetimeMax: rules.lifetimeMax)
    guard let expiresAt = times.expiresAt else { throw .claim }
    return try judge(
        claims, rules, subject: try claims.requiredText("sub"), expiresAt: expiresAt, now: now)
}

/// Seconds for which an answer of introspection that says no end is believed.
package let introspectionSecondsMax: Int64 = 60

/// What an issuer's answer says of a token, RFC 7662 §2.2, if the rules are kept.
///
/// The answer must have come from the issuer itself: nothing in it proves that.
package func judgeIntrospection(
    _ answer: JSONValue, rules: TokenRules, now: Int64
) throws(TokenRefusal) -> VerifiedToken {
    guard let active = answer["active"]?.flag else { throw .malformed }
    guard active else { throw .inactive }
    let claims = Claims(value: answer)
    try claims.checkKind(.access)
    if try claims.text("iss") != nil { try claims.checkIssuer(rules.issuer) }
    let times = try claims.checkTimes(
        now: now, leeway: rules.leeway, lifetimeMax: rules.lifetimeMax)
    guard let subject = try claims.text(anyOf: ["sub", "username", rules.professionalClaim]) else {
        throw .professional
    }
    return try judge(
        claims, rules, subject: subject,
        expiresAt: times.expiresAt ?? now + introspectionSecondsMax, now: now)
}

/// Judges what signed claims and answers have in common; all times but one are judged already.
private func judge(
    _ claims: Claims, _ rules: TokenRules, subject: String, expiresAt: Int64, now: Int64
) throws(TokenRefusal) -> VerifiedToken {
    let audiences = try claims.texts("aud")
    guard rules.acceptsAnyAudience || intersect(audiences, rules.audiences) else {
        throw .audience
    }
    let client = try claims.text(anyOf: ["azp", "client_id"])
    guard rules.clients.isEmpty || isOne(client, of: rules.clients) else { throw .client }
    let scopes = try claims.words("scope")
    guard rules.scopes.allSatisfy({ isOne($0, of: scopes) }) else { throw .scope }
    let context = try claims.context()
    guard rules.contexts.isEmpty || isOne(context, of: rules.contexts) else { throw .context }
    let mode = try claims.text("authMode")
    guard rules.modes.isEmpty || isOne(mode, of: rules.modes) else { throw .mode }
    let methods = try claims.texts("amr")
    guard rules.methods.allSatisfy({ isOne($0, of: methods) }) else { throw .method }
    guard let professional = try claims.text(rules.professionalClaim) else {
        throw .professional
    }
    let ties = try claims.ties(acceptsHex: rules.acceptsHexThumbprints)
    return VerifiedToken(
        professional: professional, issuer: rules.issuer, subject: subject,
        id: try claims.text("jti"), session: try claims.session(),
        client: client, context: context, mode: mode, methods: methods, scopes: scopes,
        authenticatedAt: try claims.authenticatedAt(now: now, leeway: rules.leeway),
        issuedAt: try claims.time("iat"),
        notBefore: try claims.time("nbf"), expiresAt: expiresAt,
        certificateThumbprint: ties.certificate, keyThumbprint: ties.key)
}

extension Claims {
    /// `sid`, or else Keycloak's older name of it.
    func session() throws(TokenRefusal) -> String? { try text(anyOf: ["sid", "session_state"]) }
}

/// Whether a text is in a list, byte by byte.
func isOne(_ text: String?, of list: [String]) -> Bool {
    guard let text else { return false }
    return list.contains { areSame($0, text) }
}

/// Whether two lists have a text in common.
func intersect(_ one: [String], _ other: [String]) -> Bool {
    one.contains { isOne($0, of: other) }
}
