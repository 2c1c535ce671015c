// AuthenticatorData.swift: what an authenticator signs of itself, WebAuthn Level 3 §6.1.

/// Where the parts of authenticator data lie, and what its flags say.
struct AuthenticatorData {
    struct Flags: OptionSet {
        let rawValue: UInt8

        static let userPresent = Flags(rawValue: 0x01)
        static let userVerified = Flags(rawValue: 0x04)
        static let backupEligible = Flags(rawValue: 0x08)
        static let backedUp = Flags(rawValue: 0x10)
        static let attestedCredential = Flags(rawValue: 0x40)
        static let extensions = Flags(rawValue: 0x80)
    }

    /// A new key: §6.5.2.
    struct Credential {
        var model: Range<Int>
        var id: Range<Int>
        var publicKey: Range<Int>
    }

    let bytes: [UInt8]
    let flags: Flags
    let counter: UInt32
    let credential: Credential?
    /// What libfido2 must be told is in there, or it refuses it.
    let extensions: [String: Int64]

    private static let headLength = 37
    private static let extensionsMax = 16

    /// Reads all of `bytes`: a byte left over is an error, in them or in who reads them.
    init(_ bytes: [UInt8]) throws(CBORError) {
        guard bytes.count >= Self.headLength else { throw CBORError() }
        self.bytes = bytes
        flags = Flags(rawValue: bytes[32])
        counter = bytes[33..<37].reduce(0) { $0 << 8 | UInt32($1) }
        var offset = Self.headLength
        if flags.contains(.attestedCredential) {
            let (credential, end) = try Self.credential(in: bytes, at: offset)
            self.credential = credential
            offset = end
        } else {
            credential = nil
        }
        var reader = CBORReader(bytes, in: offset..<bytes.count)
        extensions = flags.contains(.extensions) ? try Self.extensions(&reader) : [:]
        guard reader.isAtEnd else { throw CBORError() }
    }

    /// SHA-256 of the relying party's id.
    var partyHash: ArraySlice<UInt8> { bytes[0..<32] }

    private static func credential(
        in bytes: [UInt8], at start: Int
    ) throws(CBORError) -> (Credential, end: Int) {
        let id = start + Model.length + 2
        guard bytes.count >= id else { throw CBORError() }
        let length = Int(bytes[id - 2]) << 8 | Int(bytes[id - 1])
        guard (1...WebAuthnLimits.idMax).contains(length), bytes.count - id >= length else {
            throw CBORError()
        }
        var reader = CBORReader(bytes, in: id + length..<bytes.count)
        let key = try reader.skip()
        return (
            Credential(model: start..<start + Model.length, id: id..<id + length, publicKey: key),
            end: key.upperBound
        )
    }

    /// What is there by name; what is no number counts as 1, and `false` as not there.
    private static func extensions(
        _ reader: inout CBORReader
    ) throws(CBORError) -> [String: Int64] {
        var seen: Set<String> = []
        var values: [String: Int64] = [:]
        for _ in 0..<(try reader.map(countMax: extensionsMax)) {
            let name = try reader.text()
            guard seen.insert(name).inserted else { throw CBORError() }
            var ahead = reader
            let value = try reader.skip()
            if !reader.isFalse(at: value) { values[name] = (try? ahead.integer()) ?? 1 }
        }
        return values
    }
}
