// Proof.swift: a proof that whoever sends a token holds the key it is tied to, RFC 9449.

internal import JSON

/// What a proof must keep to.
package struct ProofRules: Sendable {
    package var algorithms: Set<SignatureAlgorithm> = [
        .es256, .es384, .es512, .ps256, .ps384, .ps512, .rs256, .edDSA,
    ]
    /// Seconds from `iat` for which a proof is good.
    package var ageMax: Int64 = 60
    /// Seconds by which clocks may differ.
    package var leeway: Int64 = 10
    /// Whether, and which, nonces of ours it must bear.
    package var nonces: ProofNonces?

    package init() {}

    /// Seconds for which a proof that was used must be remembered.
    package var seconds: Int64 { ageMax + 2 * leeway }
}

/// A proof that is believed, but for having been used before.
package struct VerifiedProof: Equatable, Sendable {
    /// Of the key, RFC 7638, as base64url.
    package let thumbprint: String
    /// `jti`.
    package let id: String
    package let issuedAt: Int64
}

/// Bytes of a proof: one with an RSA key of 8192 bits has less than five thousand.
private let proofBytesMax = 8 * 1024
/// Bits of a key that whoever asks chose himself: the gate, not he, works for it at each request.
private let proofKeyBitsMax = 4096

/// What a proof shows, if it was made for this request and this token, RFC 9449 §4.3.
///
/// - Parameters:
///   - proof: The only `DPoP` field of the request: with two it must be refused before.
///   - method: Of the request.
///   - address: What the client asked for, as the client knows it; a query is left aside.
///   - token: The access token that came with it, as it came.
///   - rules: How old it may be, and with which nonce.
///   - now: Seconds since 1970.
/// - Returns: Whose key it shows, and what tells it from others: it counts once.
/// - Throws: Why it shows nothing.
package func verifyProof(
    _ proof: Span<UInt8>, method: Span<UInt8>, address: String, token: Span<UInt8>,
    rules: ProofRules, now: Int64
) throws(TokenRefusal) -> VerifiedProof {
    let signed = try SignedToken(proof, bytesMax: proofBytesMax, isProof: true)
    guard try signed.type() == "dpop+jwt" else { throw .kind }
    guard rules.algorithms.contains(signed.algorithm) else { throw .algorithm }
    guard let key = signed.header["jwk"].flatMap(JSONWebKey.init) else { throw .header }
    guard key.serves(signed.algorithm) else { throw .algorithm }
    guard key.key.bits <= proofKeyBitsMax else { throw .header }
    let message = proof.extracting(0..<signed.signedCount)
    guard key.key.verifies(signed.signature, of: message, signed.algorithm) else {
        throw .signature
    }
    let claims = Claims(value: try signed.claims())
    guard isSame(try claims.requiredText("htm"), method) else { throw .proof }
    guard let claimed = proofAddress(try claims.requiredText("htu")),
        let asked = proofAddress(address), areSame(claimed, asked)
    else { throw .proof }
    guard areSame(try claims.requiredText("ath"), encodeBase64URL(sha256(token))) else {
        throw .proof
    }
    guard let issuedAt = try claims.time("iat"), issuedAt <= now + rules.leeway,
        now - rules.leeway - rules.ageMax < issuedAt
    else { throw .proof }
    // Some clients give a proof an end of its own.
    _ = try claims.checkTimes(now: now, leeway: rules.leeway, lifetimeMax: nil)
    if let nonces = rules.nonces {
        guard let nonce = try claims.text("nonce"), nonces.accepts(nonce, now: now) else {
            throw .proofNonce
        }
    }
    return VerifiedProof(
        thumbprint: key.key.thumbprint, id: try claims.requiredText("jti"), issuedAt: issuedAt)
}

private func isSame(_ text: String, _ bytes: Span<UInt8>) -> Bool {
    let text = Array(text.utf8)
    guard text.count == bytes.count else { return false }
    return text.indices.allSatisfy { text[$0] == bytes[$0] }
}
