// SubjectError.swift: why a text names no subject, in words for the operator.

/// Why a text names no subject; offsets count bytes from the start of the value.
package enum SubjectError: Error, Equatable {
    case empty
    case unknownKind(String)
    case nameLength(Int)
    case nameByte(UInt8, at: Int)
    case accountLength(Int)
    case accountByte(UInt8, at: Int)
    case structureLength(Int)
    case structureByte(UInt8, at: Int)
    case notSHA256
    case fingerprintByte(UInt8, at: Int)
    case fingerprintLength(digits: Int)
    /// No `@`, or nothing after it.
    case serialWithoutIssuer
    case serialByte(UInt8, at: Int)
    /// None, too many, or half a pair where colons part pairs.
    case serialLength(digits: Int)
    case issuerLength(Int)
    case issuerByte(UInt8, at: Int)
    /// A `%` that two hexadecimal digits do not follow.
    case issuerEscape(at: Int)
    case notAnAddress
    case prefixLength(max: Int, at: Int)
    case mappedNetwork
    /// Bits are set after the prefix; the network that was probably meant.
    case hostBits(String)
    case notUTF8
    /// Not a time, for `issued-before`.
    case notAMoment

    /// Where in the value, in bytes from its start.
    package var offset: Int {
        switch self {
        case .accountByte(_, let at), .structureByte(_, let at), .fingerprintByte(_, let at),
            .serialByte(_, let at), .issuerByte(_, let at), .issuerEscape(let at),
            .prefixLength(_, let at), .nameByte(_, let at):
            at
        default: 0
        }
    }

    /// What is wrong, for a person.
    package var message: String {
        switch self {
        case .empty: "no subject given"
        case .unknownKind(let kind): "unknown kind of subject `\(kind)`"
        case .nameLength(let length):
            "name has \(length) bytes, at most \(OpaqueName.lengthMax) are allowed"
        case .nameByte(let byte, _): "\(named(byte)) is not allowed in a name"
        case .accountLength(let length):
            "account is \(length) bytes long, at most \(AccountID.lengthMax) are allowed"
        case .accountByte(let byte, _): "\(named(byte)) is not allowed in an account"
        case .structureLength(let length):
            "structure is \(length) bytes long, at most \(StructureCode.lengthMax) are allowed"
        case .structureByte(let byte, _): "\(named(byte)) is not allowed in a structure"
        case .notSHA256: "a certificate is named by its SHA-256 fingerprint"
        case .fingerprintByte(let byte, _): "\(named(byte)) is not a hexadecimal digit"
        case .fingerprintLength(let digits): "fingerprint has \(digits) digits, 64 are needed"
        case .serialWithoutIssuer: "a serial number without its issuer"
        case .serialByte(let byte, _): "\(named(byte)) is not a hexadecimal digit"
        case .serialLength(let digits):
            "serial number has \(digits) digits, 1 to \(2 * CertificateSerial.numberMax) are allowed, "
                + "whole pairs between colons"
        case .issuerLength(let length):
            "issuer is \(length) bytes long, at most \(CertificateSerial.issuerMax) are allowed"
        case .issuerByte(let byte, _): "\(named(byte)) is not allowed in an issuer's name"
        case .issuerEscape: "`%` without two hexadecimal digits after it"
        case .notAnAddress: "not an IP address"
        case .prefixLength(let max, _): "prefix length is not a number from 0 to \(max)"
        case .mappedNetwork: "network is written as IPv4-mapped IPv6"
        case .hostBits: "bits are set after the prefix"
        case .notUTF8: "not UTF-8"
        case .notAMoment: "not a time"
        }
    }

    /// What to do about it.
    package var hint: String {
        switch self {
        case .empty, .unknownKind:
            "write account:ID, structure:ID, certificate:sha256:HEX, serial:HEX@ISSUER, "
                + "session:ID, token:JTI, client:ID, issued-before:TIME or network:CIDR"
        case .nameLength, .nameByte:
            "a session, token or client is named by its identifier: printable ASCII, no blank"
        case .accountLength, .accountByte:
            "an account is a national identifier: letters, digits, `.`, `_`, `-` and `/`"
        case .notSHA256, .fingerprintByte, .fingerprintLength:
            "write sha256: and 64 hexadecimal digits, as `openssl x509 -fingerprint -sha256` does"
        case .structureLength, .structureByte:
            "a structure is a national identifier: letters and digits, as in 10B0152872"
        case .serialWithoutIssuer, .serialByte, .serialLength:
            "write HEX@ISSUER, hexadecimal as `openssl x509 -noout -serial` does, then the issuer's CN"
        case .issuerLength, .issuerByte: "give the common name (CN) of the issuer alone"
        case .issuerEscape: "in an issuer's name write a blank as %20 and `%` as %25"
        case .notAnAddress, .prefixLength: "write for instance 203.0.113.0/24 or 2001:db8::/32"
        case .mappedNetwork: "write it as IPv4"
        case .hostBits(let network): "did you mean \(network)?"
        case .notUTF8: "write it in UTF-8, or its bytes as %XX"
        case .notAMoment: "write UTC as in 2026-11-20T08:00:00Z"
        }
    }
}

/// A byte as a person can read it, whatever it is: a terminal never sees a control byte.
func named(_ byte: UInt8) -> String {
    if byte > 0x20, byte < 0x7F, byte != 0x60 {
        return "`" + String(Unicode.Scalar(byte)) + "`"
    }
    let digits = String(byte, radix: 16, uppercase: true)
    return "byte 0x" + (digits.utf8.count < 2 ? "0" : "") + digits
}
