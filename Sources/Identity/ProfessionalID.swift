// ProfessionalID.swift: the national identifier of a professional, idNat_PS.
//
// One digit says what follows (terminology TRE_G08): `8` an RPPS number, `0` an ADELI number,
// `1 3 4 5 6` a structure, "/", and that structure's own register number for one employee.

/// A professional's national identifier, in upper case: the key of limits, neutralization, record.
package struct ProfessionalID: Hashable, Sendable, CustomStringConvertible {
    /// Who keeps the register this identifier comes from.
    package enum Kind: Hashable, Sendable {
        case rpps
        case adeli
        case employee(of: Register)
        /// `ANS` and 14 digits, made by the national agency's test tool: no one in real life.
        case test
    }

    /// What kind of structure an employee's identifier begins with.
    package enum Register: Hashable, Sendable {
        case adeliPractice
        case finess
        case siren
        case siret
        case rppsPractice
    }

    package let kind: Kind
    package let description: String

    /// Bytes an identifier may take: prefix, structure of 15, "/", register number of 32.
    package static let lengthMax = 49

    /// Reads an identifier with its prefix; letters may be in either case.
    package init(_ bytes: Span<UInt8>) throws(ProfessionalIDError) {
        guard let text = upperCased(bytes, lengthMax: Self.lengthMax) else {
            throw .tooLong(length: bytes.count)
        }
        kind = try Self.kind(of: text)
        description = String(decoding: text, as: UTF8.self)
    }

    package init(_ text: String) throws(ProfessionalIDError) {
        let bytes = Array(text.utf8)
        try self.init(bytes.span)
    }

    /// Whether the RPPS number's own key holds; nil for an identifier that has none.
    ///
    /// A warning at most, never a refusal: test cards and migrated registers carry others. The
    /// prefix is left out, as the key does not cover it.
    package var luhnHolds: Bool? {
        guard kind == .rpps else { return nil }
        return Identity.luhnHolds(Array(description.utf8.dropFirst()))
    }

    /// The structure that numbered this employee, where the two nomenclatures meet.
    ///
    /// The same FINESS is written `3…` in a person's identifier and `1…` in a structure's.
    package var employer: StructureID? {
        let prefix: String
        switch kind {
        case .employee(of: .finess): prefix = "1"
        case .employee(of: .siren): prefix = "2"
        case .employee(of: .siret): prefix = "3"
        case .employee(of: .adeliPractice), .employee(of: .rppsPractice), .rpps, .adeli, .test:
            return nil
        }
        return try? StructureID(prefix + String(description.dropFirst().prefix { $0 != "/" }))
    }

    private static func kind(of text: [UInt8]) throws(ProfessionalIDError) -> Kind {
        guard let prefix = text.first else { throw .empty }
        switch prefix {
        case UInt8(ascii: "0"):
            try expect(text, length: 10)
            try expect(text[1...], isDigitOrLetter)
            return .adeli
        case UInt8(ascii: "8"):
            try expect(text, length: 12)
            try expect(text[1...], isDigit)
            return .rpps
        case UInt8(ascii: "A"):
            try expect(text, length: 17)
            guard text.starts(with: "ANS".utf8) else { throw .unknownPrefix }
            try expect(text[3...], isDigit)
            return .test
        default:
            guard let register = register(prefix) else { throw .unknownPrefix }
            try expectEmployee(text)
            return .employee(of: register)
        }
    }

    private static func register(_ prefix: UInt8) -> Register? {
        switch prefix {
        case UInt8(ascii: "1"): .adeliPractice
        case UInt8(ascii: "3"): .finess
        case UInt8(ascii: "4"): .siren
        case UInt8(ascii: "5"): .siret
        case UInt8(ascii: "6"): .rppsPractice
        default: nil
        }
    }

    /// A structure's number of 9 to 15, "/", and a register number of 1 to 32.
    private static func expectEmployee(_ text: [UInt8]) throws(ProfessionalIDError) {
        guard let slash = text.firstIndex(of: UInt8(ascii: "/")) else { throw .missingSlash }
        guard (10...16).contains(slash) else { throw .wrongLength(slash) }
        let number = text.count - slash - 1
        guard (1...32).contains(number) else { throw .wrongLength(text.count) }
        try expect(text[1..<slash], isDigitOrLetter)
        try expect(text[(slash + 1)...], isRegisterByte)
    }

    private static func expect(_ text: [UInt8], length: Int) throws(ProfessionalIDError) {
        guard text.count == length else { throw .wrongLength(text.count) }
    }

    private static func expect(
        _ bytes: ArraySlice<UInt8>, _ allowed: (UInt8) -> Bool
    ) throws(ProfessionalIDError) {
        guard let index = bytes.firstIndex(where: { !allowed($0) }) else { return }
        throw .forbiddenByte(at: index)
    }

    private static func isDigitOrLetter(_ byte: UInt8) -> Bool {
        isDigit(byte) || isUpperLetter(byte)
    }

    private static func isRegisterByte(_ byte: UInt8) -> Bool {
        isDigitOrLetter(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: "-")
    }
}

/// Why some bytes are not a professional's national identifier; holds none of them.
package enum ProfessionalIDError: Error, Equatable {
    case empty
    case tooLong(length: Int)
    case wrongLength(Int)
    case unknownPrefix
    case missingSlash
    case forbiddenByte(at: Int)
}
