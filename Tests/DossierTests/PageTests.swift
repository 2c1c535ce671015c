// PageTests.swift: what a dossier looks like: well-formed, escaped, in good French.

import Foundation
import FoundationXML
import RecordReading
import Testing

@testable import Dossier

/// What an attacker can get into a record, in every text of an entry.
private let nasty = "<script>alert(1)</script>\"'&]]>=1+1\u{0}\u{202E}"

private func nastyEntry() -> RecordedEntry {
    var one = entry(monday, 1, nasty)
    one.structure = "../../" + nasty
    one.peer = nasty + ":1"
    one.forwarded = "=HYPERLINK(\"http://x\")"
    one.certificate = nasty
    one.session = "@SUM(1)"
    one.token = nasty
    one.client = "-2+3"
    one.issuer = nasty
    one.breakGlass = "+cmd|' /C calc'!A0"
    one.interaction = nasty
    one.route = nasty
    one.clock = nasty
    one.persons = shown([1], [nasty])
    one.persons[0].identifiers = ["=1|" + nasty]
    return one
}

@Suite struct `A page` {
    private func files(_ order: DossierOrder, _ entries: [RecordedEntry]) -> [String: String] {
        let (reckoning, sink) = reckoned(entries)
        reckoning.write(order, to: sink)
        return sink.files
    }

    private var nastyOrder: DossierOrder {
        var order = order()
        order.operatorName = nasty
        order.contact = nasty
        order.protectionOfficer = nasty
        order.integrity = Integrity(.failed)
        order.integrity.problems = [nasty]
        order.integrity.origin = nasty
        order.integrity.checkpoint = nasty
        return order
    }

    @Test func `is well formed and holds no script, whatever the record holds`() throws {
        var refused = nastyEntry()
        refused.decision = "deny"
        refused.why = nasty
        var cut = RecordedEntry()
        cut.time = monday + 1
        cut.event = "administration"
        cut.act = "neutralize"
        cut.by = nasty
        cut.ticket = nasty
        cut.subjects = [nasty, nasty + ":x"]
        let files = files(nastyOrder, [nastyEntry(), refused, cut])
        let pages = files.filter { $0.key.hasSuffix(".html") }
        #expect(pages.count == 10)
        for (name, page) in pages {
            #expect(!page.contains("<script"), "\(name)")
            #expect(!page.contains("\u{202E}") && !page.contains("\u{0}"), "\(name)")
            #expect(page.contains("default-src 'none'") || page.contains("default-src &#39;none"))
            let parser = XMLParser(data: Data(page.utf8))
            #expect(parser.parse(), "\(name): \(String(describing: parser.parserError))")
        }
    }

    @Test func `loads nothing from elsewhere`() {
        for (name, page) in files(order(), [nastyEntry()]) where name.hasSuffix(".html") {
            for word in ["src=", "href=", "url(", "@import", "<link", "<img", "onload"] {
                #expect(!page.contains(word), "\(name): \(word)")
            }
        }
    }

    @Test func `stays in its folder`() {
        for name in files(order(), [nastyEntry()]).keys {
            #expect(!name.contains("..") && !name.hasPrefix("/") && !name.contains("<"))
        }
    }

    @Test func `of CSV never begins a cell as a formula`() {
        for (name, text) in files(order(), [nastyEntry()]) where name.hasSuffix(".csv") {
            for row in text.split(separator: "\r\n") {
                for cell in row.split(separator: ",") {
                    let first = cell.first { $0 != "\"" }
                    #expect(!"=+-@\t\r".contains(first ?? "a"), "\(name): \(cell)")
                }
            }
        }
    }

    @Test(arguments: [
        ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\""),
        ("=1", "'=1"), ("-1", "'-1"), ("@x", "'@x"), ("a\r\nb", "a\u{FFFD}\u{FFFD}b"),
        ("", ""),
    ])
    func `has cells as RFC 4180 writes them`(text: String, cell: String) {
        #expect(csvRow([text]) == cell + "\r\n")
    }

    @Test func `has a letter for each patient, of whom it names nothing but a reference`() {
        var one = entry(monday, 1)
        one.persons = shown([1, 2])
        one.persons[0].identifiers = ["urn:oid:1.2.3|IPP1"]
        let files = files(order(), [one])
        let letters = files["letters/fr/001.html"] ?? ""
        #expect(letters.components(separatedBy: "<article").count == 3)
        #expect(letters.contains("P-000001") && letters.contains("P-000002"))
        #expect(!letters.contains("IPP1") && !letters.contains("899700000001"))
        #expect(letters.contains("nom et prénoms") && letters.contains("le 04/05/2026"))
    }

    @Test func `tells the 72 hours`() {
        let page = files(order(), [])["authority.fr.html"] ?? ""
        #expect(page.contains("16/06/2026\u{A0}à\u{A0}10\u{A0}h\u{A0}00 (heure de Paris)"))
    }
}

@Suite struct `A language` {
    @Test(arguments: [
        (UInt64(1_795_899_845_000), "28/11/2026 à 22 h 04", "28 November 2026, 22:04"),
        (UInt64(1_782_853_445_000), "30/06/2026 à 23 h 04", "30 June 2026, 23:04"),
    ])
    func `writes times as Paris has them`(time: UInt64, french: String, english: String) {
        func plain(_ text: String) -> String { text.replacing("\u{A0}", with: " ") }
        #expect(plain(Language.french.minute(time)) == french)
        #expect(plain(Language.english.minute(time)) == english)
    }

    @Test func `writes numbers and nouns`() {
        #expect(Language.french.number(54_000) == "54\u{A0}000")
        #expect(Language.english.number(1_234_567) == "1,234,567")
        #expect(Language.french.counted(0, .patients) == "0\u{A0}patient")
        #expect(Language.english.counted(0, .patients) == "0\u{A0}patients")
        #expect(Language.french.of("Oui : non ?", "") == "Oui\u{A0}: non\u{A0}?")
        #expect(Language.french.span(90_061_000) == "1\u{A0}j 1\u{A0}h")
    }

    @Test func `names every field of the record`() {
        for language in Language.allCases {
            for field in FieldSet.each { #expect(!field.sentence(language).isEmpty) }
        }
        #expect(FieldSet(["name", "ins", "future"]).names == ["name", "ins", "other"])
    }
}

@Suite struct `A folder of a dossier` {
    private let place = FileManager.default.temporaryDirectory
        .appendingPathComponent("dossier-\(UUID().uuidString)").path

    @Test func `is there whole, with the sums of all files`() throws {
        let folder = try DossierFolder(place)
        folder.append("a.txt", "one")
        folder.append("b/c.txt", "two")
        #expect(!FileManager.default.fileExists(atPath: place))
        _ = try folder.finish()
        defer { try? FileManager.default.removeItem(atPath: place) }
        let sums = try String(contentsOfFile: place + "/SHA256SUMS", encoding: .utf8)
        #expect(
            sums.hasPrefix(
                "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed  a.txt\n"))
        #expect(sums.split(separator: "\n").count == 2)
        #expect(throws: DossierError.self) { _ = try DossierFolder(place) }
    }

    @Test func `is nowhere when it is not finished`() throws {
        do {
            let folder = try DossierFolder(place + "/")
            folder.append("a.txt", String(repeating: "a", count: 1 << 20))
        }
        let parent = FileManager.default.temporaryDirectory.path
        let left = try FileManager.default.contentsOfDirectory(atPath: parent)
        let name = URL(fileURLWithPath: place).lastPathComponent
        #expect(!left.contains { $0.hasPrefix(name) })
    }
}
