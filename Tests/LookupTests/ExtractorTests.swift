// ExtractorTests.swift: whom declared extractors find.

import Foundation
import KeyedHash
import Testing

@testable import Lookup

private func findings(
    _ definition: ExtractorDefinition, _ body: String, type: String
) throws -> Findings {
    let extractor = try Extractor(definition)
    var findings = Findings()
    try extractor.inspect(
        Array(body.utf8).span, contentType: Array(type.utf8).span, Inspected.hasher,
        into: &findings)
    findings.persons.merge()
    return findings
}

private func failure(
    _ definition: ExtractorDefinition, _ body: [UInt8], type: String
) -> Unparsed? {
    guard let extractor = try? Extractor(definition) else { return .unexpected }
    var findings = Findings()
    do throws(Unparsed) {
        try extractor.inspect(
            body.span, contentType: Array(type.utf8).span, Inspected.hasher, into: &findings)
    } catch {
        return error
    }
    return nil
}

private func key(_ id: String) -> UInt64? {
    Inspected.hasher.local(type: Array("Patient".utf8).span, id: Array(id.utf8).span)?.hash
}

private let json = """
    {"total": 3, "patients": [{"id": "a", "name": {"family": "X"}, "a/b": 1, "m~n": "t"},
    {"id": "b\\u0031", "birth": null}, {"id": 17}], "none": [], "last": "z"}
    """

private let html = """
    <!DOCTYPE html><html><body><p>2 patients<br><table><tr class="p" data-id="7"><td>DUPONT
    <tr class=p data-id=8><td>MARTIN</table></body></html>
    """

private func jsonPointer(_ person: String, count: String? = nil) -> ExtractorDefinition {
    ExtractorDefinition(language: .jsonPointer, person: person, count: count)
}

private let unread: [(ExtractorDefinition, String, String, Unparsed)] = [
    (jsonPointer("/a"), "{", "application/json", Unparsed.truncated),
    (jsonPointer("/a"), "<a/>", "application/json", .malformed),
    (jsonPointer("/a"), "<a/>", "application/xml", .mediaType),
    (jsonPointer("/a"), "{}", "application/json; charset=utf-16", .encoding),
    (ExtractorDefinition(language: .xpath, person: "//a"), "<a>", "text/xml", .malformed),
    (
        ExtractorDefinition(language: .xpath, person: "//a"), "{}", "application/json",
        .mediaType
    ),
    (
        ExtractorDefinition(language: .xpath, person: "//a"),
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "text/xml", .documentType
    ),
    (
        ExtractorDefinition(language: .regex, person: "(a+)+$"),
        String(repeating: "a", count: 40) + "b", "text/plain", .tooDeep
    ),
    (
        ExtractorDefinition(language: .regex, person: "a"), "a", "text/plain; charset=utf-16",
        .encoding
    ),
]

private let wrong: [(ExtractorDefinition, ExtractorError.Place)] = [
    (
        ExtractorDefinition(language: .jsonPointer, person: "patients"),
        ExtractorError.Place.person
    ),
    (ExtractorDefinition(language: .jsonPointer, person: "/a~2"), .person),
    (ExtractorDefinition(language: .jsonPointer, person: ""), .person),
    (ExtractorDefinition(language: .xpath, person: "//a["), .person),
    (ExtractorDefinition(language: .xpath, person: "//a", count: "f(("), .count),
    (
        ExtractorDefinition(
            language: .regex, person: "a",
            fields: [
                .init(.name, "b"), .init(.name, "(c"),
            ]), .field(1)
    ),
    (ExtractorDefinition(language: .regex, person: "\\C"), .person),
    (
        ExtractorDefinition(language: .regex, person: String(repeating: "a", count: 5000)),
        .person
    ),
]

private let counting: [(ExtractorDefinition, String, String, Int)] = [
    (jsonPointer("/x/*", count: "/total"), json, "application/json", 3),
    (
        ExtractorDefinition(language: .xpath, person: "//li", count: "count(//tr)"), html,
        "text/html", 2
    ),
    (
        ExtractorDefinition(language: .regex, person: "nobody", count: "([0-9]+) patients"),
        html,
        "text/html", 2
    ),
    (
        ExtractorDefinition(language: .regex, person: "nobody", count: "[0-9 .]+"), "1 234 x",
        "text/plain", 1234
    ),
]

@Suite struct `Declared extractors` {
    @Test(arguments: [
        ("/patients/*/id", ["a", "b1", "17"]), ("/patients/1/id", ["b1"]), ("/last", ["z"]),
        ("/patients/*/a~1b", ["1"]), ("/patients/*/m~0n", ["t"]), ("/patients/*/birth", []),
        ("/none/*", []), ("/patients/9", []), ("/id", []), ("/*/*/id", ["a", "b1", "17"]),
        ("/patients/*/name/family", ["X"]), ("/patients/*/name", ["{\"family\": \"X\"}"]),
    ])
    func `find persons in JSON`(pointer: String, ids: [String]) throws {
        let found = try findings(jsonPointer(pointer), json, type: "application/json")
        #expect(Set(found.persons.allKeys) == Set(ids.compactMap(key)))
        #expect(found.isExpected == !ids.isEmpty)
    }

    @Test(arguments: [
        ("//tr[@class='p']/@data-id", ["7", "8"]), ("//tr/td", ["DUPONT\n", "MARTIN"]),
        ("string(//tr[2]/@data-id)", ["8"]), ("//ul/li", []),
    ])
    func `find persons in HTML`(path: String, ids: [String]) throws {
        let definition = ExtractorDefinition(language: .xpath, person: path)
        let found = try findings(definition, html, type: "text/html; charset=utf-8")
        #expect(Set(found.persons.allKeys) == Set(ids.compactMap(key)))
    }

    @Test func `find persons in XML`() throws {
        let definition = ExtractorDefinition(
            language: .xpath, person: "//*[local-name()='patient']/@id",
            fields: [.init([.name], "//*[local-name()='name']"), .init([.mail], "//mail")])
        let text = "<a xmlns='urn:x'><patient id='1'><name>N</name></patient><patient id='2'/></a>"
        let found = try findings(definition, text, type: "application/xml")
        #expect(Set(found.persons.allKeys) == Set(["1", "2"].compactMap(key)))
        #expect(found.persons.fields == [.name])
    }

    @Test(arguments: [
        ("data-id=\"?([0-9]+)", ["7", "8"]), ("\\b[A-Z]{6}\\b", ["DUPONT", "MARTIN"]),
        ("(?:DUPONT|(MARTIN))", ["DUPONT", "MARTIN"]), ("x*", []), ("é", []),
    ])
    func `find persons in text`(pattern: String, ids: [String]) throws {
        let definition = ExtractorDefinition(language: .regex, person: pattern)
        let found = try findings(definition, html, type: "text/html")
        #expect(Set(found.persons.allKeys) == Set(ids.compactMap(key)))
    }

    @Test(arguments: counting)
    func `count persons of whom they know no id`(
        definition: ExtractorDefinition, body: String, type: String, count: Int
    ) throws {
        let found = try findings(definition, body, type: type)
        #expect(found.persons.count == count)
        #expect(Set(found.persons.allKeys).count == count)
        // The same answer shows the same persons, another one others.
        let again = try findings(definition, body, type: type)
        #expect(again.persons.allKeys == found.persons.allKeys)
        let other = try findings(definition, body + " ", type: type)
        #expect(Set(other.persons.allKeys).isDisjoint(with: found.persons.allKeys))
    }

    @Test func `tell nobody from what they do not understand`() throws {
        let none = "{\"total\": 0, \"patients\": []}"
        let counted = try findings(
            jsonPointer("/patients/*/id", count: "/total"), none, type: "application/json")
        #expect(counted.isExpected && counted.saysNobody && counted.persons.count == 0)
        let other = try findings(
            jsonPointer("/patients/*/id", count: "/total"), "{}", type: "application/json")
        #expect(!other.isExpected && !other.saysNobody)
    }

    @Test(arguments: wrong)
    func `are refused with a reason`(
        definition: ExtractorDefinition, place: ExtractorError.Place
    ) {
        do throws(ExtractorError) {
            _ = try Extractor(definition)
            Issue.record("compiles")
        } catch {
            #expect(error.place == place)
            #expect(!error.message.isEmpty && !error.message.hasSuffix("."))
            #expect(!error.hint.isEmpty && !error.hint.hasSuffix("."))
        }
    }

    @Test(arguments: unread)
    func `withhold what they cannot read`(
        definition: ExtractorDefinition, body: String, type: String, why: Unparsed
    ) {
        #expect(failure(definition, Array(body.utf8), type: type) == why)
    }

    @Test func `are bounded`() {
        let pattern = ExtractorDefinition(language: .regex, person: "[a-z]")
        #expect(failure(pattern, [0x61, 0xFF], type: "text/plain") == .encoding)
        let many = Array(repeating: UInt8(ascii: "a"), count: Persons.findsMax + 1)
        // A slow machine runs out of time before.
        let why = failure(pattern, many, type: "text/plain")
        #expect(why == .tooMany || why == .tooDeep)
        let path = ExtractorDefinition(language: .xpath, person: "//*[count(//*) > 0]//*[//*]")
        let wide = "<a>" + String(repeating: "<b/>", count: 20_000) + "</a>"
        #expect(failure(path, Array(wide.utf8), type: "text/xml") == .tooDeep)
        let deep = String(repeating: "<div>", count: 100_000)
        let all = ExtractorDefinition(language: .xpath, person: "//div")
        // Whatever becomes of it, it ends.
        _ = failure(all, Array(deep.utf8), type: "text/html")
        let deepXML = ExtractorDefinition(language: .xpath, person: "//a")
        let nested = String(repeating: "<a>", count: 300) + String(repeating: "</a>", count: 300)
        #expect(failure(deepXML, Array(nested.utf8), type: "text/xml") == .malformed)
    }
}
