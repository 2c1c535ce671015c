// StructureID.swift: the national identifier of a structure, Struct_IdNat.
//
// One or two digits say what follows (terminology TRE_G07). A structure is never a person: its
// type keeps it from standing where a professional is wanted.

/// A structure's national identifier, in upper case.
package struct StructureID: Hashable, Sendable, CustomStringConvertible {
    /// Who keeps the register this identifier comes from.
    package enum Kind: Hashable, Sendable {
        case adeliPractice
        case finess
        case siren
        case siret
        /// A practice known by the RPPS number of its holder and a rank of 3 digits.
        case rppsPractice
        case national
        case `internal`
    }

    package let kind: Kind
    package let description: String

    /// Bytes an identifier may take; the longest in use, with a SIRET, takes 15.
    package static let lengthMax = 32

    /// Reads an identifier with its prefix; letters may be in either case.
    package init(_ bytes: Span<UInt8>) throws(StructureIDError) {
        guard let text = upperCased(bytes, lengthMax: Self.lengthMax) else {
            throw .tooLong(length: bytes.count)
        }
        guard let prefix = text.first else { throw .empty }
        if let index = text.firstIndex(where: { !isDigit($0) && !isUpperLetter($0) }) {
            throw .forbiddenByte(at: index)
        }
        kind = try Self.kind(prefix, of: text)
        description = String(decoding: text, as: UTF8.self)
    }

    package init(_ text: String) throws(StructureIDError) {
        let bytes = Array(text.utf8)
        try self.init(bytes.span)
    }

    private static func kind(_ prefix: UInt8, of text: [UInt8]) throws(StructureIDError) -> Kind {
        let digitsOnly = text.allSatisfy(isDigit)
        switch (prefix, text.count) {
        case (UInt8(ascii: "0"), 9...16): return .adeliPractice
        case (UInt8(ascii: "1"), 10): return .finess
        case (UInt8(ascii: "2"), 10) where digitsOnly: return .siren
        case (UInt8(ascii: "3"), 15) where digitsOnly: return .siret
        case (UInt8(ascii: "4"), 15) where digitsOnly: return .rppsPractice
        case (UInt8(ascii: "4"), 3...) where text[1] == UInt8(ascii: "0"): return .national
        case (UInt8(ascii: "4"), 3...) where text[1] == UInt8(ascii: "1"): return .internal
        case (UInt8(ascii: "0")...UInt8(ascii: "4"), _): throw .wrongForm(length: text.count)
        default: throw .unknownPrefix
        }
    }
}

/// Why some bytes are not a structure's national identifier; holds none of them.
package enum StructureIDError: Error, Equatable {
    case empty
    case tooLong(length: Int)
    case unknownPrefix
    case wrongForm(length: Int)
    case forbiddenByte(at: Int)
}
