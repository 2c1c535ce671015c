// LogoutToken.swift: a provider's word that a session is over, OpenID Connect Back-Channel Logout
// 1.0 §2.4 to §2.6.

internal import JSON

/// Whose sessions are over.
package struct LogoutToken: Equatable, Sendable {
    package let issuer: String
    /// Everything of this `sub`, unless `session` says which.
    package let subject: String?
    /// `sid`.
    package let session: String?
    /// `jti`, which comes once.
    package let id: String
    /// When it need no longer be remembered, seconds since 1970.
    package let expiresAt: Int64

    /// Seconds from `iat` for which one without `exp` is believed.
    static let seconds: Int64 = 120
    /// Seconds from `iat` for which any is, however long it says: so long its `jti` is remembered.
    static let secondsMax: Int64 = 600
    /// What its `events` must have.
    static let event = "http://schemas.openid.net/event/backchannel-logout"
}

/// What a logout token says, if it was made for us.
///
/// - Parameters:
///   - token: What came in `logout_token`.
///   - keys: The issuer's.
///   - rules: Those of its id tokens; the ones about a single sign-in are not looked at.
///   - now: Seconds since 1970.
/// - Returns: Whose sessions are over.
/// - Throws: Why none is.
package func verifyLogoutToken(
    _ token: Span<UInt8>, keys: KeySet, rules: IDTokenRules, now: Int64
) throws(TokenRefusal) -> LogoutToken {
    let signed = try SignedToken(token)
    try signed.checkType(["jwt", "logout+jwt"])
    let claims = Claims(
        value: try signed.verify(token, keys: keys, algorithms: rules.algorithms))
    try claims.checkKind(.logout)
    guard case .object? = claims.value["events"]?[LogoutToken.event] else { throw .kind }
    // So that no id token passes for one, nor the other way round.
    guard claims.value["nonce"] == nil else { throw .kind }
    try claims.checkIssuer(rules.issuer)
    guard isOne(rules.client, of: try claims.texts("aud")) else { throw .audience }
    let times = try claims.checkTimes(now: now, leeway: rules.leeway, lifetimeMax: nil)
    guard let issuedAt = times.issuedAt else { throw .claim }
    // Some providers leave `exp` out.
    let expiresAt = min(
        times.expiresAt ?? issuedAt + LogoutToken.seconds, issuedAt + LogoutToken.secondsMax)
    guard now - rules.leeway < expiresAt else { throw .expired }
    let subject = try claims.text("sub")
    let session = try claims.text("sid")
    guard subject != nil || session != nil else { throw .claim }
    return LogoutToken(
        issuer: rules.issuer, subject: subject, session: session,
        id: try claims.requiredText("jti"), expiresAt: expiresAt)
}
