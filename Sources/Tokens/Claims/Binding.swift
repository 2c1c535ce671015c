// Binding.swift: what a token is tied to, so that whoever finds it cannot use it.

internal import JSON

extension Claims {
    /// What `cnf` ties the token to, RFC 7800; refused when that is nothing known here, since the
    /// issuer meant it to be checked.
    func ties(
        acceptsHex: Bool
    ) throws(TokenRefusal) -> (certificate: [UInt8]?, key: String?) {
        guard let confirmation = value["cnf"] else { return (nil, nil) }
        guard case .object(let members) = confirmation, !members.members.isEmpty else {
            throw .unbound
        }
        var certificate: [UInt8]?
        if let thumbprint = members["x5t#S256"] {
            guard let text = thumbprint.text,
                let digest = certificateDigest(text, acceptsHex: acceptsHex)
            else { throw .unbound }
            certificate = digest
        }
        var key: String?
        if let thumbprint = members["jkt"] {
            guard let text = thumbprint.text, text.utf8.count == 43,
                decodeBase64URL(text)?.count == 32
            else { throw .unbound }
            key = text
        }
        guard certificate != nil || key != nil else { throw .unbound }
        return (certificate, key)
    }
}

/// The 32 bytes of `x5t#S256`: 43 letters of base64url, RFC 8705 §3.1; or base64 of the digest in
/// lower hexadecimal, as some French servers write it.
private func certificateDigest(_ text: String, acceptsHex: Bool) -> [UInt8]? {
    if text.utf8.count == 43 { return decodeBase64URL(text) }
    guard acceptsHex, text.utf8.count == 88, text.hasSuffix("==") else { return nil }
    // What is left of 64 digits of hexadecimal is 86 letters, `+` and `/` among none of them:
    // each of the bytes is below 0x80, and no such group of six bits comes of ASCII digits.
    let letters = Array(text.utf8.dropLast(2))
    guard let digits = decodeBase64URL(letters.span), digits.count == 64 else { return nil }
    var digest: [UInt8] = []
    for index in stride(from: 0, to: 64, by: 2) {
        guard let high = hexDigit(digits[index]), let low = hexDigit(digits[index + 1]) else {
            return nil
        }
        digest.append(high << 4 | low)
    }
    return digest
}

private func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
}

/// Refuses a token that is tied to something else than what came with it, or to nothing where the
/// rules ask that it be.
///
/// - Parameters:
///   - token: A verified one.
///   - rules: Its issuer's.
///   - certificate: SHA-256 of the client's certificate of this connection, in DER; nil when it
///     has none.
///   - proof: Of this request; nil when none came. A token that came with a proof must be tied
///     to its key: else a thief would put his own beside it.
/// - Throws: What is missing, or another's.
package func checkBinding(
    _ token: VerifiedToken, rules: TokenRules, certificate: Span<UInt8>?, proof: VerifiedProof?
) throws(TokenRefusal) {
    switch rules.binding {
    case .whenBound: break
    case .certificate: guard token.certificateThumbprint != nil else { throw .unbound }
    case .dpop: guard token.keyThumbprint != nil else { throw .unbound }
    case .either:
        guard token.certificateThumbprint != nil || token.keyThumbprint != nil else {
            throw .unbound
        }
    }
    if let thumbprint = token.certificateThumbprint {
        guard let certificate, certificate.count == thumbprint.count else {
            throw .otherCertificate
        }
        for index in thumbprint.indices where thumbprint[index] != certificate[index] {
            throw .otherCertificate
        }
    }
    switch (token.keyThumbprint, proof?.thumbprint) {
    case (nil, nil): break
    case (let tied?, let shown?): guard areSame(tied, shown) else { throw .otherKey }
    case (nil, _?), (_?, nil): throw .otherKey
    }
}
