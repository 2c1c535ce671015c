// IdentifierTests.swift: national identifiers of professionals and structures.

import Identity
import Testing

@Suite struct `A professional's identifier` {
    @Test(arguments: [
        ("899700218896", ProfessionalID.Kind.rpps),
        ("810107592544", .rpps),
        ("00B7010446", .adeli),
        ("00b7010446", .adeli),
        ("3760021832/000000018", .employee(of: .finess)),
        ("500000001815646/CPAT00045", .employee(of: .siret)),
        ("500000001815646/cpat00045", .employee(of: .siret)),
        ("10B0152872/a.b_c-1", .employee(of: .adeliPractice)),
        ("4187512751/1", .employee(of: .siren)),
        ("699700427885006/1", .employee(of: .rppsPractice)),
        ("ANS20231122132732", .test),
    ])
    func `is read with its prefix and upper-cased`(text: String, kind: ProfessionalID.Kind) throws {
        let id = try ProfessionalID(text)
        #expect(id.kind == kind)
        #expect(id.description == text.uppercased())
        #expect(try ProfessionalID(text.lowercased()) == id)
    }

    @Test(arguments: [
        ("", ProfessionalIDError.empty),
        ("99700218896", .unknownPrefix),
        ("2", .unknownPrefix),
        ("é", .unknownPrefix),
        ("BNS20231122132732", .unknownPrefix),
        ("AXS20231122132732", .unknownPrefix),
        ("ANS2023112213273", .wrongLength(16)),
        ("8997002188960", .wrongLength(13)),
        ("89970021889", .wrongLength(11)),
        ("89970021889A", .forbiddenByte(at: 11)),
        ("89970021889\0", .forbiddenByte(at: 11)),
        ("00B701044", .wrongLength(9)),
        ("00B70104/6", .forbiddenByte(at: 8)),
        ("3760021832", .missingSlash),
        ("3760021832/", .wrongLength(11)),
        ("376002183/1", .wrongLength(9)),
        ("3760021832/é", .forbiddenByte(at: 11)),
        ("3760021832/1/2", .forbiddenByte(at: 12)),
        ("37600-1832/1", .forbiddenByte(at: 5)),
        ("50000000181564612/1", .wrongLength(17)),
        ("3760021832/" + String(repeating: "1", count: 33), .wrongLength(44)),
        (String(repeating: "8", count: 50), .tooLong(length: 50)),
    ])
    func `is refused when it is none`(text: String, error: ProfessionalIDError) {
        #expect(throws: error) { try ProfessionalID(text) }
    }

    @Test(arguments: [
        ("899700218896", true), ("899700427885", true), ("810002813839", true),
        ("899700218897", false), ("800000000001", false),
    ])
    func `checks the key of an RPPS without its prefix`(text: String, holds: Bool) throws {
        #expect(try ProfessionalID(text).luhnHolds == holds)
    }

    @Test(arguments: ["00B7010446", "3760021832/000000018", "ANS20231122132732"])
    func `has no key to check in other registers`(text: String) throws {
        #expect(try ProfessionalID(text).luhnHolds == nil)
    }

    @Test(arguments: [
        ("3760021832/000000018", "1760021832"),
        ("500000000029751/CPAT0001", "300000000029751"),
        ("4187512751/1", "2187512751"),
    ])
    func `of an employee tells the employer`(text: String, employer: String) throws {
        #expect(try ProfessionalID(text).employer == StructureID(employer))
    }
}

@Suite struct `A structure's identifier` {
    @Test(arguments: [
        ("10B0152872", StructureID.Kind.finess),
        ("10b0193488", .finess),
        ("318751275100020", .siret),
        ("300000000029751", .siret),
        ("499700427885006", .rppsPractice),
        ("2187512751", .siren),
        ("40ABC123", .national),
        ("41INTERNAL", .internal),
        ("0123456789", .adeliPractice),
    ])
    func `is read with its prefix`(text: String, kind: StructureID.Kind) throws {
        let id = try StructureID(text)
        #expect(id.kind == kind)
        #expect(id.description == text.uppercased())
    }

    @Test(arguments: [
        ("", StructureIDError.empty),
        ("R102671", .unknownPrefix),
        ("F0B0193488", .unknownPrefix),
        ("C39806996300013", .unknownPrefix),
        ("0002 187512751", .forbiddenByte(at: 4)),
        ("Masseur-Kinésithérapeute", .forbiddenByte(at: 7)),
        ("1760021", .wrongForm(length: 7)),
        ("31875127510002A", .wrongForm(length: 15)),
        ("4", .wrongForm(length: 1)),
        ("40", .wrongForm(length: 2)),
        (String(repeating: "1", count: 33), .tooLong(length: 33)),
    ])
    func `is refused when it is none`(text: String, error: StructureIDError) {
        #expect(throws: error) { try StructureID(text) }
    }
}
