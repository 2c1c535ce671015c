// AttestationObject.swift: the envelope of a new key, WebAuthn Level 3 §6.5.4.

/// What an authenticator says of a new key, and how it proves what itself is.
struct AttestationObject {
    let bytes: [UInt8]
    let format: String
    let authenticatorData: Range<Int>
    /// One CBOR map, whose form depends on the format.
    let statement: Range<Int>

    init(_ bytes: [UInt8]) throws(CBORError) {
        var reader = CBORReader(bytes, in: 0..<bytes.count)
        var format: String?
        var data: Range<Int>?
        var statement: Range<Int>?
        for _ in 0..<(try reader.map(countMax: 3)) {
            switch try reader.text() {
            case "fmt" where format == nil: format = try reader.text()
            case "authData" where data == nil: data = try reader.byteString()
            case "attStmt" where statement == nil: statement = try reader.skip()
            default: throw CBORError()
            }
        }
        guard let format, let data, let statement, reader.isAtEnd else { throw CBORError() }
        self.bytes = bytes
        self.format = format
        authenticatorData = data
        self.statement = statement
    }
}

/// The statement of the formats `packed` (§8.2) and `fido-u2f` (§8.6).
struct AttestationStatement {
    var algorithm: Int64?
    var signature: [UInt8] = []
    /// DER, the authenticator's own first; nil in a statement that a key makes about itself.
    var certificates: [[UInt8]]?

    init(_ object: AttestationObject) throws(CBORError) {
        var reader = CBORReader(object.bytes, in: object.statement)
        var seen: Set<String> = []
        for _ in 0..<(try reader.map(countMax: 3)) {
            let key = try reader.text()
            guard seen.insert(key).inserted else { throw CBORError() }
            switch key {
            case "alg": algorithm = try reader.integer()
            case "sig":
                signature = Array(object.bytes[try reader.byteString()])
                guard signature.count <= WebAuthnLimits.signatureMax else { throw CBORError() }
            case "x5c": certificates = try Self.certificates(&reader, object.bytes)
            default: throw CBORError()
            }
        }
        guard !signature.isEmpty else { throw CBORError() }
    }

    private static func certificates(
        _ reader: inout CBORReader, _ bytes: [UInt8]
    ) throws(CBORError) -> [[UInt8]] {
        var certificates: [[UInt8]] = []
        for _ in 0..<(try reader.array(countMax: WebAuthnLimits.certificatesMax)) {
            let range = try reader.byteString()
            guard range.count <= WebAuthnLimits.certificateMax else { throw CBORError() }
            certificates.append(Array(bytes[range]))
        }
        guard !certificates.isEmpty else { throw CBORError() }
        return certificates
    }
}
