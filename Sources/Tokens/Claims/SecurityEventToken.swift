// SecurityEventToken.swift: a Security Event Token, RFC 8417, as far as it is a signed token.

package import JSON

/// Bytes of a security event token, and so of what is pushed.
package let securityEventBytesMax = 65_536

/// The claims of a security event token that an issuer's key signed.
///
/// What they say is judged by whoever knows events; that it is a token for nothing else is known.
///
/// - Parameters:
///   - token: In compact form.
///   - issuer: `iss`, compared byte by byte before a signature is looked at, so that a stranger's
///     token is told from one with a bad signature.
///   - keys: The issuer's.
///   - algorithms: Those it may sign with.
/// - Returns: The claims.
/// - Throws: Why it is none.
package func verifySecurityEventToken(
    _ token: Span<UInt8>, issuer: String, keys: KeySet, algorithms: Set<SignatureAlgorithm>
) throws(TokenRefusal) -> JSONValue {
    let signed = try SignedToken(token, bytesMax: securityEventBytesMax)
    // Explicit typing, SSF 1.0 §4.1: no other token of the issuer's may pass for one.
    guard try signed.type() == "secevent+jwt" else { throw .kind }
    guard let claimed = try signed.claims()["iss"]?.text else { throw .claim }
    guard areSame(claimed, issuer) else { throw .issuer }
    return try signed.verify(token, keys: keys, algorithms: algorithms)
}
