// DirectorySuites.swift: what the directory knows of people, whatever its files look like.

import Testing

@testable import Directory

/// Columns of an extract, in an order of our own.
private let header =
    "Type d'identifiant PP|Identifiant PP|Identification nationale PP|Nom d'exercice|"
    + "Code profession|Code catégorie professionnelle|Numéro SIRET site|Numéro FINESS site|"
    + "Numéro FINESS établissement juridique|Identifiant technique de la structure|"
    + "Ancien identifiant de la structure|\n"

/// A line of such an extract.
private func line(
    _ id: String, profession: String = "10", category: String = "C", siret: String = "",
    finess: String = "", legal: String = "", technical: String = "R1", former: String = ""
) -> String {
    "8|99700218896|\(id)|MARTIN|\(profession)|\(category)|\(siret)|\(finess)|\(legal)|"
        + "\(technical)|\(former)|\n"
}

private func load(_ texts: (name: String, text: String)...) -> DirectoryLoad {
    readDirectory(texts.map { ($0.name, Array($0.text.utf8)) })
}

private func directory(_ texts: (name: String, text: String)...) throws -> Directory {
    let load = readDirectory(texts.map { ($0.name, Array($0.text.utf8)) })
    #expect(load.problems == [])
    return try #require(load.directory)
}

private func standing(_ id: String, in directory: Directory) -> DirectoryStanding {
    let bytes = Array(id.utf8)
    return directory.standing(of: bytes.span)
}

@Suite struct `A directory` {
    @Test func `knows people by the national identification, in either case`() throws {
        let directory = try directory(
            ("a.txt", header + line("810107592544", former: "410005929293016") + line("00B7010446"))
        )
        let person = try #require(directory.person("810107592544"))
        // The type and the number beside it name somebody else, in real files too.
        #expect(directory.person("899700218896") == nil)
        #expect(
            person
                == DirectoryPerson(
                    id: "810107592544", structures: ["410005929293016"], professions: ["10"]))
        #expect(directory.person("00b7010446")?.id == "00B7010446")
        #expect(standing("810107592544", in: directory) == .known)
        #expect(standing("899700218896", in: directory) == .unknown)
        #expect(standing("", in: directory) == .unknown)
        #expect(directory.listedCount == 2 && directory.leftCount == 0)
    }

    @Test func `gathers the activities of one person, each structure once`() throws {
        let id = "899700218896"
        let directory = try directory(
            (
                "a.txt",
                header
                    + line(id, siret: "18751275100020", finess: "0b0152872", legal: "0B0193488")
                    + line("810107592544", former: "R102671")
                    + line(id, profession: "60", category: "E", former: "10B0152872")
            ))
        let person = try #require(directory.person(id))
        #expect(person.structures == ["10B0152872", "10B0193488", "318751275100020"])
        #expect(person.professions == ["10", "60/E"])
        // A technical identifier is nobody's national one.
        #expect(directory.person("810107592544")?.structures == [])
    }

    @Test(arguments: [
        "Code profession|IDENTIFICATION NATIONALE PP|x\n60|899700218896|\n",
        "\u{FEFF}x|Identification  Nationale PP|Code Profession\r\n|899700218896|60\r\n",
        "\"Identification nationale PP\"|\"Code profession\"|\n\"899700218896\"|\"60\"|\n",
        "Identification nationale PP|Code profession|\n 899700218896 | 60 |",
    ])
    func `reads columns by their names, in any order and spelling`(text: String) throws {
        let person = try directory(("a.txt", text)).person("899700218896")
        #expect(person?.professions == ["60"])
    }

    @Test(arguments: [[0xB0] as [UInt8], [0xC2, 0xB0]], [[] as [UInt8], [0xEF, 0xBB, 0xBF]])
    func `reads a correspondence file in either encoding`(sign: [UInt8], mark: [UInt8]) throws {
        let bytes =
            mark + Array("N".utf8) + sign + Array(" ADELI;N".utf8) + sign
            + Array(" RPPS\n299109803;10005355572\r\n".utf8)
        let load = readDirectory([("toggle.csv", bytes)])
        #expect(load.problems == [])
        #expect(load.directory?.person("0299109803")?.id == "810005355572")
    }

    @Test func `makes one person of an ADELI and an RPPS number`() throws {
        let extract =
            header + line("0299109803", profession: "60", former: "10B0152872")
            + line("810005355572", profession: "70", former: "10B0193488")
        let toggle =
            "N° RPPS;N° ADELI\n10005355572;299109803\n10005355572;069111665\n"
            + "810005355572;0299109803\n"
        for texts in [
            [("a.txt", extract), ("t.csv", toggle)], [("t.csv", toggle), ("a.txt", extract)],
        ] {
            let load = readDirectory(texts.map { ($0.0, Array($0.1.utf8)) })
            #expect(load.problems == [])
            let directory = try #require(load.directory)
            let person = try #require(directory.person("0299109803"))
            #expect(person == directory.person("810005355572"))
            #expect(person == directory.person("0069111665"))
            #expect(person.id == "810005355572")
            #expect(person.aliases == ["0299109803", "0069111665"])
            #expect(person.structures.sorted() == ["10B0152872", "10B0193488"])
            #expect(person.professions.sorted() == ["60", "70"])
            #expect(directory.listedCount == 1 && directory.aliasCount == 2)
        }
    }

    @Test func `gives no number to two people`() throws {
        let load = load(
            ("t.csv", "N° ADELI;N° RPPS\n299109803;10005355572\n299109803;10000927870\n"))
        #expect(
            load.problems == [DirectoryProblem(file: "t.csv", line: 3, fault: .otherCorrespondence)]
        )
        #expect(load.directory?.person("0299109803")?.id == "810005355572")
    }

    @Test func `of correspondence alone makes nobody unknown, nor listed`() throws {
        let directory = try directory(("t.csv", "N° ADELI;N° RPPS\n299109803;10005355572\n"))
        #expect(standing("899700218896", in: directory) == .unchecked)
        #expect(directory.person("0299109803")?.isListed == false)
        #expect(!directory.hasExtract)
    }

    @Test func `knows who has left by two editions of one extract`() throws {
        let old = header + line("899700218896") + line("0299109803") + line("810107592544")
        let new = header + line("810005355572") + line("810107592544")
        let directory = try directory(
            ("new/PS_202611200800.txt", new), ("PS_202611190800.txt", old),
            ("t.csv", "N° ADELI;N° RPPS\n299109803;10005355572\n"))
        #expect(standing("899700218896", in: directory) == .left)
        #expect(directory.person("899700218896")?.hasLeft == true)
        // Moved from ADELI to RPPS, not left.
        #expect(standing("0299109803", in: directory) == .known)
        #expect(standing("810107592544", in: directory) == .known)
        #expect(directory.leftCount == 1)
    }

    @Test func `takes other extracts together, whatever their date`() throws {
        let directory = try directory(
            ("PS_202611190800.txt", header + line("899700218896")),
            ("RASS_202611200800.txt", header + line("810107592544")),
            ("more.txt", header + line("810005355572")))
        for id in ["899700218896", "810107592544", "810005355572"] {
            #expect(standing(id, in: directory) == .known)
        }
    }
}

@Suite struct `A file of the directory` {
    @Test func `has its bad lines told by number, the others read`() throws {
        let load = load(
            (
                "a.txt",
                header + line("Durand") + "\n" + line("899700218896")
                    + "8|x|810107592544|MAR|TIN|60|C|||||410005929293016|\n" + line("8010000206")
                    + String(repeating: "x", count: 70_000) + "\n" + line("810005355572")
            ))
        #expect(load.problems.map(\.line) == [2, 5, 6, 7])
        #expect(
            load.problems.map(\.fault) == [
                .notAProfessional, .columns(found: 12, of: 11), .notAProfessional, .lineTooLong,
            ])
        #expect(load.problemCount == 4)
        let directory = try #require(load.directory)
        #expect(directory.listedCount == 3)
        // With a column too many nobody knows what is which.
        #expect(directory.person("810107592544")?.structures == [])
    }

    @Test(arguments: [
        ("", DirectoryFault.empty), ("\n", .empty), ("a|b|\n", .unknownFormat),
        ("N° ADELI,N° RPPS\n", .unknownFormat), ("\u{0}\u{0}\u{0}\n", .unknownFormat),
        (header + "8|99700218896|899700218896|MAR", .cutShort),
        (String(repeating: "x", count: 70_000), .unknownFormat),
    ])
    func `is refused when it cannot be believed`(text: String, fault: DirectoryFault) {
        let load = load(("a.txt", text))
        #expect(load.directory == nil)
        #expect(load.problems.map(\.fault) == [fault])
        #expect(fault.isFatal && !fault.message.isEmpty && !fault.hint.isEmpty)
    }

    @Test func `is refused when half of the edition before is missing`() {
        let old = header + (0..<9).map { line("81010759254\($0)") }.joined()
        let new = header + line("810107592544") + line("810107592545") + line("810107592546")
        let load = load(("PS_20261119.txt", old), ("PS_20261120.txt", new))
        #expect(load.directory == nil)
        #expect(
            load.problems == [
                DirectoryProblem(
                    file: "PS_20261120.txt", line: 0, fault: .shrunk(lines: 4, before: 10))
            ])
    }

    @Test func `has a hundred bad lines told, all counted`() {
        let load = load(("a.txt", header + String(repeating: line("x"), count: 1000)))
        #expect(load.problems.count == 100 && load.problemCount == 1000)
        #expect(load.directory != nil)
    }

    @Test(arguments: ["/nowhere/extract.txt", "/dev/zero", "/"])
    func `is refused when it is none`(path: String) {
        let load = loadDirectory([path])
        #expect(load.directory == nil)
        guard case .unreadable? = load.problems.first?.fault else {
            Issue.record("not told to be unreadable")
            return
        }
    }

    @Test(arguments: 1...40)
    func `is read alike whatever the blocks it comes in`(size: Int) throws {
        let bytes = Array(
            (header + line("899700218896", former: "10B0152872") + line("x")
                + String(line("810107592544", former: "410005929293016").dropLast())).utf8)
        var builder = DirectoryBuilder()
        var reader = DirectoryReader(file: 0, isCurrent: true)
        var (kept, position, lines): ([UInt8], Int, [Int]) = ([], 0, [])
        repeat {
            let end = min(bytes.count, position + size)
            kept += bytes[position..<end]
            position = end
            let block = kept
            let done = try reader.read(block.span, isLast: false, into: &builder) { line, _ in
                lines.append(line)
            }
            kept.removeFirst(done)
        } while position < bytes.count
        let rest = kept
        _ = try reader.read(rest.span, isLast: true, into: &builder) { line, _ in
            lines.append(line)
        }
        #expect(lines == [3])
        let directory = Directory(builder)
        #expect(directory.person("899700218896")?.structures == ["10B0152872"])
        #expect(directory.person("810107592544")?.structures == ["410005929293016"])
    }
}
