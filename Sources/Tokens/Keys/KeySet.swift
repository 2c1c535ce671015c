// KeySet.swift: the keys an issuer publishes, RFC 7517 §5.

internal import JSON

/// An issuer's public keys; those that cannot be used here are left out.
package struct KeySet: Sendable {
    let keys: [JSONWebKey]

    /// Keys in a set: an issuer has two or three.
    package static let keysMax = 64
    /// Bytes of a set, certificates in it included.
    package static let bytesMax = 512 * 1024
    /// Keys that are tried for a token that names none.
    static let triesMax = 8

    package init(json: Span<UInt8>) throws(TokenRefusal) {
        let value: JSONValue
        do {
            value = try JSONValue(json, depthMax: 8, valuesMax: 4096, bytesMax: Self.bytesMax)
        } catch {
            throw error == .tooLarge ? .tooLarge : .malformed
        }
        guard let published = value["keys"]?.items else { throw .malformed }
        guard published.count <= Self.keysMax else { throw .tooLarge }
        keys = published.compactMap(JSONWebKey.init)
        guard !keys.isEmpty else { throw .noUsableKey }
    }

    package var count: Int { keys.count }

    /// Whether a token with this `kid`, or none, may have been signed by one of them.
    package func mayKnow(id: String?) -> Bool {
        guard let id else { return true }
        return keys.contains { $0.id.map { areSame($0, id) } ?? false }
    }

    /// Checks a signature by the key that the token names, or by any when it names none.
    func verify(
        _ signature: [UInt8], of message: Span<UInt8>, by id: String?,
        _ algorithm: SignatureAlgorithm
    ) throws(TokenRefusal) {
        let named = id.map { id in keys.filter { $0.id.map { areSame($0, id) } ?? false } } ?? keys
        guard !named.isEmpty else { throw .unknownKey }
        let fitting = named.filter { $0.serves(algorithm) }
        // One without a name may be of a key that only a newer set has.
        guard !fitting.isEmpty else { throw id == nil ? .unknownKey : .algorithm }
        for candidate in fitting.prefix(Self.triesMax)
        where candidate.key.verifies(signature, of: message, algorithm) {
            return
        }
        throw id == nil ? .unknownKey : .signature
    }
}
