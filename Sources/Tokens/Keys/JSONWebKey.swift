// JSONWebKey.swift: a public key as JSON, RFC 7517, RFC 7518 §6, RFC 8037 §2.

internal import JSON

/// Members that only a private or a shared key has, RFC 7518 §6.2.2, §6.3.2, §6.4.1.
private let secretMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]

/// A public key of a set or of a proof, with what is said about it.
struct JSONWebKey: Sendable {
    /// `kid`.
    let id: String?
    /// `alg`: the only algorithm it may be used with.
    let algorithm: SignatureAlgorithm?
    let key: PublicKey

    /// Nil for what is no public key, or not one to verify signatures with: symmetric ones,
    /// private ones, which whoever reads the set could sign with, and those for encryption.
    init?(_ value: JSONValue) {
        guard case .object(let members) = value,
            secretMembers.allSatisfy({ members[$0] == nil }),
            let type = members["kty"]?.text
        else { return nil }
        if let use = members["use"], use.text != "sig" { return nil }
        if let operations = members["key_ops"] {
            guard let names = operations.texts, names.contains("verify") else { return nil }
        }
        guard let key = publicKey(type, members) else { return nil }
        self.key = key
        if let named = members["alg"] {
            guard let algorithm = named.text.flatMap(SignatureAlgorithm.init(rawValue:)),
                algorithm.fits(key.kind)
            else { return nil }
            self.algorithm = algorithm
        } else {
            algorithm = nil
        }
        if let id = members["kid"] {
            guard let text = id.text, text.utf8.count <= 1024 else { return nil }
            self.id = text
        } else {
            id = nil
        }
    }

    /// Whether it may verify a signature of this algorithm.
    func serves(_ algorithm: SignatureAlgorithm) -> Bool {
        algorithm.fits(key.kind) && (self.algorithm == nil || self.algorithm == algorithm)
    }
}

private func publicKey(_ type: String, _ members: JSONObject) -> PublicKey? {
    func bytes(_ name: String) -> [UInt8]? {
        // No number of a key that is used here is longer than 1 KiB.
        guard let text = members[name]?.text, text.utf8.count <= 2048 else { return nil }
        return decodeBase64URL(text)
    }
    switch (type, members["crv"]?.text) {
    case ("RSA", _):
        guard let modulus = bytes("n"), let exponent = bytes("e") else { return nil }
        return .rsa(modulus: modulus, exponent: exponent)
    case ("EC", let curve?):
        guard let x = bytes("x"), let y = bytes("y") else { return nil }
        switch curve {
        case "P-256": return .onCurve(.p256, x: x, y: y)
        case "P-384": return .onCurve(.p384, x: x, y: y)
        case "P-521": return .onCurve(.p521, x: x, y: y)
        default: return nil
        }
    case ("OKP", "Ed25519"):
        guard let x = bytes("x") else { return nil }
        return .ed25519(x)
    default: return nil
    }
}
