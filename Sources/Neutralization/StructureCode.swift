// StructureCode.swift: a structure as it is named to cut off everybody who acts for it.

/// A structure's national identifier (Struct_IdNat), upper-cased, as in `10B0152872`.
///
/// It is 1 and a FINESS number, 2 and a SIREN, 3 and a SIRET, and so on. Its grammar is not judged
/// here; only letters and digits are let in, since an identifier with any other byte would match
/// no certificate and cut nobody.
package struct StructureCode: Hashable, Sendable {
    package let id: String

    /// Bytes a code may take, as many as whoever reads certificates accepts.
    package static let lengthMax = 32

    package init(_ text: Span<UInt8>) throws(SubjectError) {
        _ = try SubjectKey(structure: text)
        var upper = ""
        for index in 0..<text.count {
            upper.unicodeScalars.append(Unicode.Scalar(upperCased(text[index])))
        }
        self.id = upper
    }

    package init(_ text: String) throws(SubjectError) {
        try self.init(Array(text.utf8).span)
    }

    /// What was checked and upper-cased when the list was read.
    init(read id: String) { self.id = id }
}

extension SubjectKey {
    /// The key of a structure, or why the text is none: 1…32 letters and digits, in either case.
    package init(structure text: Span<UInt8>) throws(SubjectError) {
        guard text.count > 0 else { throw .empty }
        guard text.count <= StructureCode.lengthMax else { throw .structureLength(text.count) }
        var hash = FNV128()
        for index in 0..<text.count {
            let byte = upperCased(text[index])
            switch byte {
            case 0x30...0x39, 0x41...0x5A: hash.add(byte)
            default: throw .structureByte(text[index], at: index)
            }
        }
        self.init(high: hash.high, low: hash.low)
    }

    package init(structure: StructureCode) {
        var hash = FNV128()
        for byte in structure.id.utf8 { hash.add(byte) }
        self.init(high: hash.high, low: hash.low)
    }
}
