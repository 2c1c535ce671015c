// ProfessionalNameTests.swift: how an operator may name a professional, and what is looked for.

import Directory
import Foundation
import Testing

@testable import herse

@Suite struct `A professional` {
    @Test(arguments: [
        ("899700218896", ["899700218896"]), ("account:899700218896", ["899700218896"]),
        ("99700218896", ["899700218896", "99700218896"]),
        ("00b7010446", ["00B7010446"]), ("0b7010446", ["00B7010446", "0B7010446"]),
        ("759907012", ["0759907012", "759907012"]),
        ("3750150229/ab", ["3750150229/AB"]), ("ans20260101000001", ["ANS20260101000001"]),
        // A local account; nothing is guessed at, nor is its case changed.
        ("alice", ["alice"]), ("account:alice1234", ["alice1234"]), ("12", ["12"]),
    ])
    func `is known by what is written, and by the number it is part of`(
        text: String, names: [String]
    ) {
        #expect(ProfessionalNames.spellings(text) == names)
    }

    @Test func `is looked for under all numbers that the directory has`() {
        let known = DirectoryPerson(id: "899700218896", aliases: ["0759907012", "0759907013"])
        let names = ProfessionalNames(["0759907012", "899700427885"]) {
            $0 == "0759907012" ? known : nil
        }
        #expect(names.all == ["0759907012", "899700427885", "899700218896", "0759907013"])
        #expect(
            names.note == "looked for 0759907012, 899700427885, and for 899700218896, 0759907013: "
                + "other numbers of the same person in the directory")
        let alone = ProfessionalNames(["899700427885"]) { _ in nil }
        #expect(alone.all == ["899700427885"])
        #expect(alone.note == "looked for 899700427885")
    }

    @Test func `is looked for alone where no directory can be read`() throws {
        let folder = try temporaryFolder()
        let file = folder + "/herse.yaml"
        let none = ProfessionalNames(["0759907012"], configuration: file)
        #expect(none.all == ["0759907012"])
        #expect(none.note?.contains("no directory is configured") == true)
        let text = sampleConfiguration().replacing(
            "authentication:\n", with: "authentication:\n  directory: {files: [gone.txt]}\n")
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let gone = ProfessionalNames(["0759907012"], configuration: file)
        #expect(gone.all == ["0759907012"])
        #expect(gone.note?.contains("cannot be read") == true)
        let nobody = ProfessionalNames([], configuration: file)
        #expect(nobody.all.isEmpty && nobody.note == nil)
    }
}
