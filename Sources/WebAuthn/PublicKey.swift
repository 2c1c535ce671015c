// PublicKey.swift: a key as authenticators write it, COSE, RFC 9052 §7 and RFC 9053.

/// The algorithms a key may sign with; numbers are those of the IANA COSE registry.
///
/// In the order of preference, as options offer them.
enum SignatureKind: Int64, CaseIterable, Sendable {
    case es256 = -7
    case edDSA = -8
    case rs256 = -257
}

/// A public key, taken out of its COSE map.
struct PublicKey: Equatable {
    let kind: SignatureKind
    /// As libfido2 wants it: x and y, an Ed25519 key, or modulus and exponent.
    let raw: [UInt8]

    /// Reads the map whole: no parameter twice, none that §6.5.2 does not name.
    init(cose bytes: [UInt8]) throws(WebAuthnRefusal) {
        let parameters: [Int64: Value]
        do { parameters = try Self.parameters(of: bytes) } catch { throw .malformed(.publicKey) }
        guard case .number(let algorithm)? = parameters[3] else { throw .malformed(.publicKey) }
        guard let kind = SignatureKind(rawValue: algorithm) else { throw .unsupportedAlgorithm }
        self.kind = kind
        let form = Self.form(of: kind)
        guard parameters.count == form.count + 1 else { throw .malformed(.publicKey) }
        var raw: [UInt8] = []
        for (label, wanted) in form {
            switch (wanted, parameters[label]) {
            case (.number(let wanted), .number(let found)?) where wanted == found: break
            case (.bytes(let length), .bytes(let found)?) where found.count == length:
                raw += bytes[found]
            default: throw .unusableKey
            }
        }
        self.raw = raw
    }

    private enum Value {
        case number(Int64)
        case bytes(Range<Int>)
    }

    private enum Wanted {
        case number(Int64)
        /// So many bytes.
        case bytes(Int)
    }

    /// Parameters besides the algorithm, in the order in which `raw` has their bytes.
    ///
    /// Key types: 1 OKP, 2 EC2, 3 RSA. Curves: 1 P-256, 6 Ed25519. RSA is 2048 bits, which is all
    /// that libfido2 takes and all that authenticators make.
    private static func form(of kind: SignatureKind) -> [(Int64, Wanted)] {
        switch kind {
        case .es256: [(1, .number(2)), (-1, .number(1)), (-2, .bytes(32)), (-3, .bytes(32))]
        case .edDSA: [(1, .number(1)), (-1, .number(6)), (-2, .bytes(32))]
        case .rs256: [(1, .number(3)), (-1, .bytes(256)), (-2, .bytes(3))]
        }
    }

    private static func parameters(of bytes: [UInt8]) throws(CBORError) -> [Int64: Value] {
        var reader = CBORReader(bytes, in: 0..<bytes.count)
        var parameters: [Int64: Value] = [:]
        for _ in 0..<(try reader.map(countMax: 5)) {
            let label = try reader.integer()
            guard parameters[label] == nil else { throw CBORError() }
            var ahead = reader
            if let number = try? ahead.integer() {
                parameters[label] = .number(number)
                reader = ahead
            } else {
                parameters[label] = .bytes(try reader.byteString())
            }
        }
        guard reader.isAtEnd else { throw CBORError() }
        return parameters
    }
}
