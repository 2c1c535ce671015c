// SignedToken.swift: a JWS in compact form, RFC 7515, taken apart and checked before it is believed.

internal import JSON

/// The parts of a token; nothing in it is proven before `verify`.
struct SignedToken {
    let header: JSONValue
    let algorithm: SignatureAlgorithm
    let payload: [UInt8]
    let signature: [UInt8]
    /// The bytes, from the first on, that are signed.
    let signedCount: Int

    /// Bytes of a token: servers that fetch heads take no longer ones.
    static let bytesMax = 16 * 1024

    /// Takes a token apart, and refuses headers that no honest one has.
    ///
    /// - Parameters:
    ///   - token: In compact form.
    ///   - bytesMax: Its length.
    ///   - isProof: Whether it carries its key along, as DPoP has it.
    /// - Throws: Why it is none.
    init(
        _ token: Span<UInt8>, bytesMax: Int = SignedToken.bytesMax, isProof: Bool = false
    ) throws(TokenRefusal) {
        guard token.count <= bytesMax else { throw .tooLarge }
        let parts = try parts(of: token)
        guard let header = decodeBase64URL(token.extracting(parts.header)),
            let payload = decodeBase64URL(token.extracting(parts.payload)),
            let signature = decodeBase64URL(token.extracting(parts.signature))
        else { throw .malformed }
        // Five levels: a proof's key in its header is the second.
        guard let value = try? JSONValue(header.span, depthMax: 5, valuesMax: 64),
            let members = value.members
        else { throw .malformed }
        // What would have the key come from the token, or its content be unpacked or left out;
        // of what `crit` may name, nothing is understood here.
        let forbidden = ["jku", "x5u", "zip", "b64", "crit", "enc", "epk"]
        guard forbidden.allSatisfy({ members[$0] == nil }), (members["jwk"] != nil) == isProof
        else { throw .header }
        guard let name = members["alg"]?.text, let algorithm = SignatureAlgorithm(rawValue: name)
        else { throw .algorithm }
        if let id = members["kid"] {
            guard let text = id.text, text.utf8.count <= 1024 else { throw .header }
        }
        self.header = value
        self.algorithm = algorithm
        self.payload = payload
        self.signature = signature
        signedCount = parts.payload.upperBound
    }

    var keyID: String? { header["kid"]?.text }

    /// `typ` in lower case, and without `application/`, RFC 7515 §4.1.9; nil when there is none.
    func type() throws(TokenRefusal) -> String? {
        guard let value = header["typ"] else { return nil }
        guard let text = value.text, text.utf8.count <= 64 else { throw .kind }
        let lower = text.lowercased()
        return lower.hasPrefix("application/") ? String(lower.dropFirst(12)) : lower
    }

    /// Refuses what is of a type that none of `types` is; none at all may be said.
    func checkType(_ types: [String]) throws(TokenRefusal) {
        guard let type = try type() else { return }
        guard types.contains(where: { areSame($0, type) }) else { throw .kind }
    }

    /// The claims, once an issuer's key is known to have signed them.
    func verify(
        _ token: Span<UInt8>, keys: KeySet, algorithms: Set<SignatureAlgorithm>
    ) throws(TokenRefusal) -> JSONValue {
        guard algorithms.contains(algorithm) else { throw .algorithm }
        try keys.verify(
            signature, of: token.extracting(0..<signedCount), by: keyID, algorithm)
        return try claims()
    }

    func claims() throws(TokenRefusal) -> JSONValue {
        guard let claims = try? JSONValue(payload.span), claims.members != nil else {
            throw .malformed
        }
        return claims
    }
}

/// Where the three parts of a token lie.
private func parts(
    of token: Span<UInt8>
) throws(TokenRefusal) -> (header: Range<Int>, payload: Range<Int>, signature: Range<Int>) {
    var dots: [Int] = []
    for index in token.indices where token[index] == UInt8(ascii: ".") {
        guard dots.count < 2 else { throw .malformed }
        dots.append(index)
    }
    guard dots.count == 2 else { throw .malformed }
    return (0..<dots[0], dots[0] + 1..<dots[1], dots[1] + 1..<token.count)
}

/// Whose token it says it is, to choose by whose keys it must be verified; nil when it is no JWT.
package func issuer(ofUnverified token: Span<UInt8>) -> String? {
    guard let signed = try? SignedToken(token), let claims = try? signed.claims(),
        let issuer = claims["iss"]?.text, !issuer.isEmpty, issuer.utf8.count <= 1024
    else { return nil }
    return issuer
}

/// Whether a text has the form of a JWT: two dots; what has not can only be introspected.
package func mayBeSignedToken(_ token: Span<UInt8>) -> Bool {
    var dots = 0
    for index in token.indices where token[index] == UInt8(ascii: ".") { dots += 1 }
    return dots == 2 && token.count <= SignedToken.bytesMax
}
