// Fuzz.swift: the one door for a fuzz target: any bytes, as everything this module reads.

internal import JSON

/// Feeds `bytes` to a reader of this module that the first byte chooses; nothing may trap.
///
/// What is signed here is signed by a key made for it: else nothing would be seen behind the
/// signature. A failed check stops the program, which is what a fuzz target wants.
package func fuzzTokens(_ bytes: Span<UInt8>) {
    guard let key = FuzzKey.shared, bytes.count > 0 else { return }
    let rest = bytes.extracting(1..<bytes.count)
    switch bytes[0] & 7 {
    case 0:
        if verifyAll(rest, key) { preconditionFailure("nobody but the key signs") }
    case 1: checkClaims(rest, key)
    case 2: checkHeader(rest, key)
    case 3:
        guard let keys = try? KeySet(json: rest) else { return }
        precondition((1...KeySet.keysMax).contains(keys.count), "as many as are allowed")
        for one in keys.keys { precondition(one.key.thumbprint.utf8.count == 43, "a SHA-256") }
    case 4:
        let text = copied(rest)
        let form = proofAddress(String(decoding: text, as: UTF8.self))
        if let form { precondition(proofAddress(form) == form, "one form is enough") }
    case 5:
        if let plain = decodeBase64URL(rest) {
            precondition(encodeBase64URL(plain.span) == copied(rest), "one text for one value")
        }
    case 6:
        if let raw = rawSignature(copied(rest), coordinateBytes: 32) {
            precondition(raw.count == 64, "two numbers of 32 bytes")
        }
        if let der = derSignature(copied(rest), coordinateBytes: 32) {
            precondition(rawSignature(der, coordinateBytes: 32) == copied(rest), "it reads back")
        }
    default:
        guard let answer = try? JSONValue(rest) else { return }
        _ = try? judgeIntrospection(answer, rules: FuzzKey.rules, now: FuzzKey.now)
        _ = try? judgeUserInfo(answer, subject: "s", claim: "SubjectNameID")
    }
}

/// An issuer with one key.
private struct FuzzKey {
    let key: SigningKey
    let keys: KeySet
    let jwk: JSONValue

    static let shared = FuzzKey()
    static let now: Int64 = 1_800_000_000

    private init?() {
        guard let key = SigningKey.make() else { return nil }
        jwk = .object([
            "kty": .string("EC"), "crv": .string("P-256"), "kid": .string("one"),
            "x": .string(encodeBase64URL(key.x)), "y": .string(encodeBase64URL(key.y)),
        ])
        let set = JSONValue.object(["keys": .array([jwk])]).encoded
        guard let keys = try? KeySet(json: set.span) else { return nil }
        self.key = key
        self.keys = keys
    }

    static var rules: TokenRules {
        var rules = TokenRules(issuer: "https://i.example", algorithms: [.es256])
        rules.acceptsAnyAudience = true
        rules.acceptsHexThumbprints = true
        return rules
    }

    func signed(_ header: [UInt8], _ payload: [UInt8]) -> [UInt8] {
        let message =
            encodeBase64URL(header.span) + [UInt8(ascii: ".")] + encodeBase64URL(payload.span)
        guard let signature = key.sign(message.span) else { return [] }
        return message + [UInt8(ascii: ".")] + encodeBase64URL(signature.span)
    }
}

/// Whether any kind of token is believed of these bytes.
private func verifyAll(_ token: Span<UInt8>, _ key: FuzzKey) -> Bool {
    _ = issuer(ofUnverified: token)
    let method = Array("GET".utf8)
    var rules = IDTokenRules(issuer: "https://i.example", algorithms: [.es256], client: "c")
    rules.ageMax = .max
    rules.accessToken = method
    let now = FuzzKey.now
    let access = try? verifyAccessToken(token, keys: key.keys, rules: FuzzKey.rules, now: now)
    if let access {
        precondition(!access.professional.isEmpty, "an access token names somebody")
        precondition(access.certificateThumbprint?.count ?? 32 == 32, "a SHA-256")
        _ = try? checkBinding(access, rules: FuzzKey.rules, certificate: nil, proof: nil)
    }
    let identity = try? verifyIDToken(token, keys: key.keys, rules: rules, now: now)
    let logout = try? verifyLogoutToken(token, keys: key.keys, rules: rules, now: now)
    let kinds = [access != nil, identity != nil, logout != nil].filter { $0 }.count
    precondition(logout == nil || kinds == 1, "what ends a session begins none")
    _ = try? verifyProof(
        token, method: method.span, address: "https://g.example/", token: method.span,
        rules: ProofRules(), now: now)
    return kinds > 0
}

private func checkClaims(_ claims: Span<UInt8>, _ key: FuzzKey) {
    let claims = copied(claims)
    let token = key.signed(Array(#"{"alg":"ES256","kid":"one"}"#.utf8), claims)
    _ = verifyAll(token.span, key)
    let proof = JSONValue.object([
        "typ": .string("dpop+jwt"), "alg": .string("ES256"), "jwk": key.jwk,
    ])
    let shown = key.signed(proof.encoded, claims)
    precondition(!verifyAll(shown.span, key), "a proof is no token")
}

private func checkHeader(_ header: Span<UInt8>, _ key: FuzzKey) {
    let claims = #"{"iss":"https://i.example","sub":"s","exp":1800000060,"SubjectNameID":"8"}"#
    let token = key.signed(copied(header), Array(claims.utf8))
    let isBelieved = verifyAll(token.span, key)
    guard isBelieved, let members = try? JSONValue(header) else { return }
    precondition(members["alg"]?.text == "ES256", "what signed it is what it says")
    precondition(members["jwk"] == nil && members["crit"] == nil, "nothing is taken from it")
}

private func copied(_ bytes: Span<UInt8>) -> [UInt8] {
    // Safe because the bytes are copied before the call ends.
    unsafe bytes.withUnsafeBufferPointer { bytes in
        unsafe Array(bytes)
    }
}
