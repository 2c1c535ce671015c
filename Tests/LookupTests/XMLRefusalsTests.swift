// XMLRefusalsTests.swift: answers in XML that are refused, and answers of several parts.

import Foundation
import KeyedHash
import Testing

@testable import Lookup

private typealias S = XMLSamples

/// What an inspector says of bytes, given whole.
private func failure(_ bytes: [UInt8], _ dialect: Dialect = .hl7v3, type: String = "text/xml")
    -> Unparsed?
{
    var inspector = XMLAnswerInspector()
    var findings = Findings()
    inspector.begin(
        AnswerExpectation(
            dialect: dialect, status: 200, contentType: Array(type.utf8), interaction: .query),
        Inspected.hasher)
    do throws(Unparsed) {
        try inspector.inspect(bytes.span, isWhole: true, into: &findings)
    } catch {
        return error
    }
    return nil
}

private let laughs = """
    <!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>
    """

private let refused: [(String, Unparsed?)] = [
    ("<a/>", nil), ("<a>&amp;&lt;&#65;</a>", nil),
    ("<!DOCTYPE a><a/>", Unparsed.documentType), (laughs, .documentType),
    ("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", .documentType),
    ("<!DOCTYPE a [<!ENTITY x SYSTEM 'http://127.0.0.1:1/x'>]><a>&x;</a>", .documentType),
    ("<a>&x;</a>", .malformed), ("<a b='1' b='2'/>", .malformed), ("<a></b>", .malformed),
    ("<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", .malformed),
    ("<p:a/>", .malformed), ("<a/><b/>", .malformed), ("{\"a\": 1}", .malformed),
    ("<a>\u{1}</a>", .malformed),
    ("", .truncated), ("<a>", .truncated), ("<a><b></b>", .truncated),
    (String(repeating: "<a>", count: 64) + String(repeating: "</a>", count: 64), nil),
    (String(repeating: "<a>", count: 65) + String(repeating: "</a>", count: 65), .tooDeep),
    (String(repeating: "<a>", count: 100_000), .tooDeep),
    ("<?xml version='1.0' encoding='UTF-16'?><a/>", .encoding),
    ("<?xml version='1.0' encoding='UTF-7'?><a/>", .encoding),
    ("<?xml version='1.0' encoding='EBCDIC-FR'?><a/>", .malformed),
    ("<?xml version='1.0' encoding='x-nothing'?><a/>", .encoding),
    ("<?xml version='1.0' encoding='ISO-8859-1'?><a/>", nil),
]

@Suite struct `Answers in XML that are refused` {
    @Test(arguments: refused)
    func `say why`(text: String, why: Unparsed?) {
        #expect(failure(Array(text.utf8)) == why)
    }

    @Test func `are those in other encodings`() {
        let text = "<?xml version='1.0'?><a/>"
        for encoding in [String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian, .utf32] {
            guard let data = text.data(using: encoding) else { continue }
            #expect(failure(Array(data)) == .encoding)
        }
        #expect(failure(Array(text.utf8), type: "text/xml; charset=utf-16") == .encoding)
        #expect(failure(Array("<a>".utf8) + [0xFF, 0xFE] + Array("</a>".utf8)) == .encoding)
        #expect(failure(Array("<a>".utf8) + [0xC3] + Array("</a>".utf8)) == .encoding)
    }

    @Test func `have been cut short anywhere`() {
        for (text, dialect) in [
            (S.pdq([S.pdqPatient([("1.2", "A")], more: S.traits)]), Dialect.hl7v3),
            (S.insi("00", S.individual), .insi), (S.bundle([S.fhirPatient(1)]), .fhir),
        ] {
            let bytes = Array(text.utf8)
            for length in bytes.indices {
                #expect(failure(Array(bytes[..<length]), dialect) == .truncated, "at \(length)")
            }
            #expect(failure(bytes, dialect) == nil)
        }
    }

    @Test func `hold more patients than are counted`() {
        let patient = "<patient xmlns=\"urn:hl7-org:v3\"><id root=\"1\" extension=\"2\"/></patient>"
        let many = String(repeating: patient, count: Persons.findsMax + 1)
        let text = "<PRPA_IN201306UV02 xmlns=\"urn:hl7-org:v3\">\(many)</PRPA_IN201306UV02>"
        #expect(failure(Array(text.utf8)) == .tooMany)
    }
}

@Suite struct `Answers of several parts` {
    private func inspected(_ body: String, type: String? = nil) -> Finding {
        let type = type ?? "multipart/related; boundary=\"=_b:1\"; type=\"application/xop+xml\""
        return S.inspected(body, .hl7v3, type: type).finding
    }

    private func part(_ type: String, _ body: String, more: String = "") -> String {
        "--=_b:1\r\nContent-Type: \(type)\r\n\(more)\r\n\(body)\r\n"
    }

    private let end = "--=_b:1--\r\n"

    @Test func `are searched for the XML in them`() {
        let answer = S.pdq([S.pdqPatient([("1.2", "A")])])
        let xop = part("application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"", answer)
        let other = part("application/pdf", "%PDF\r\n--\r\n")
        #expect(inspected("preamble\r\n" + xop + other + end + "epilogue") == .understood)
        #expect(inspected(other + xop + end) == .understood)
        #expect(inspected(part("text/xml", S.fault) + end) == .miss)
        let bare = "--=_b:1\r\n\r\n\(answer)\r\n"
        #expect(inspected(bare + end) == .understood)
        #expect(
            inspected(
                part("text/xml", answer) + part("text/xml", "<other/>") + end) == .understood)
        // Binary data stand elsewhere.
        let include = "<x:Include xmlns:x='http://www.w3.org/2004/08/xop/include' href='cid:1'/>"
        let photo = S.pdq([S.pdqPatient([("1.2", "A")], more: include)])
        #expect(inspected(part("text/xml", photo) + end) == .understood)
    }

    @Test func `that cannot be taken apart are refused`() {
        let answer = S.pdq([])
        let xml = part("text/xml", answer)
        for (body, why) in [
            (xml, Unparsed.truncated), (end, .malformed), ("nothing", .malformed),
            (part("application/fhir+json", "{}") + end, .mediaType),
            (part("application/pdf", "x") + end, .mediaType),
            (
                part("text/xml", answer, more: "Content-Transfer-Encoding: base64\r\n") + end,
                .coding
            ),
            (
                part("text/xml", answer, more: "X: \(String(repeating: "x", count: 9000))\r\n")
                    + end,
                .malformed
            ),
            (part("text/xml", answer, more: "no colon\r\n") + end, .malformed),
            (String(repeating: part("image/png", "x"), count: 65) + end, .tooDeep),
            (part("text/xml", "<a>") + end, .truncated),
        ] {
            #expect(inspected(body) == .unparsed(why))
        }
        #expect(inspected(xml + end, type: "multipart/related") == .unparsed(.malformed))
    }
}
