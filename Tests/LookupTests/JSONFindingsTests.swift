// JSONFindingsTests.swift: what an answer is found to be, by its status, its type and its body.

import Testing

@testable import Lookup

@Suite struct `An answer in JSON` {
    private static let patient = JSONAnswers.patient(1)
    private static let empty = #"{"resourceType":"Bundle","type":"searchset","total":0}"#

    @Test(
        arguments: [
            (200, Interaction.search, patient, Finding.understood),
            (200, .search, empty, .miss),
            (200, .search, JSONAnswers.bundle([]), .miss),
            (200, .search, JSONAnswers.bundle([JSONAnswers.outcome]), .miss),
            (200, .search, JSONAnswers.outcome, .miss),
            (200, .crossReference, #"{"resourceType":"Parameters","parameter":[]}"#, .miss),
            (200, .search, JSONAnswers.bundle([#"{"resourceType":"Observation"}"#]), .nothing),
            (200, .read, #"{"resourceType":"Observation"}"#, .nothing),
            (200, .read, "", .miss), (200, .read, " \n", .miss), (204, .read, "", .nothing),
            (201, .feed, "", .nothing), (201, .feed, JSONAnswers.outcome, .nothing),
            (201, .feed, patient, .understood),
            (200, .capabilities, #"{"resourceType":"CapabilityStatement"}"#, .nothing),
            (200, .capabilities, #"{"issuer":"x"}"#, .nothing),
            (200, .search, #"{"patients":[]}"#, .unparsed(.unexpected)),
            (200, .search, "[]", .unparsed(.unexpected)),
            (200, .search, "42", .unparsed(.mediaType)),
            (200, .search, #"{"resourceType":"Bundle""#, .unparsed(.truncated)),
            (200, .search, #"{"resourceType":"Bundle"}}"#, .unparsed(.malformed)),
            (200, .search, String(repeating: "[", count: 100), .unparsed(.tooDeep)),
            (200, .search, "{\"a\":\"\u{1}\"}", .unparsed(.malformed)),
            (404, .read, JSONAnswers.outcome, .miss), (404, .read, "", .miss),
            (404, .read, "not JSON", .miss), (404, .read, patient, .understood),
            (404, .read, "[\(patient)", .unparsed(.truncated)),
            (410, .read, "", .miss), (400, .search, "", .miss), (403, .search, "", .miss),
            (404, .feed, "", .nothing), (401, .read, "", .nothing), (429, .search, "", .nothing),
            (415, .search, JSONAnswers.outcome, .nothing), (401, .read, patient, .understood),
            (304, .read, "", .nothing), (500, .search, "oops", .nothing),
            (500, .search, patient, .understood), (302, .search, "", .nothing),
        ] as [(Int, Interaction, String, Finding)])
    func `is what its status and body say`(
        status: Int, interaction: Interaction, body: String, finding: Finding
    ) {
        // What does not look like JSON is not taken for it, so the type is told where it must be.
        let isJSON = body != "42" && body != "not JSON" && body != "oops"
        let type = isJSON ? "application/fhir+json" : ""
        let inspected = Inspected(
            Array(body.utf8), status: status, type: type, interaction: interaction)
        #expect(inspected.finding == finding)
    }

    @Test(arguments: [
        ("application/fhir+json", Finding.understood),
        ("Application/FHIR+JSON ; charset=\"UTF-8\"; fhirVersion=4.0", .understood),
        ("application/json;charset=us-ascii", .understood), ("text/json", .understood),
        ("application/vnd.x+json", .understood), ("", .understood), ("text/plain", .understood),
        ("text/html", .understood), ("nonsense", .understood), (";;=\"", .understood),
        ("application/fhir+ndjson", .understood),
        ("application/fhir+json; charset=iso-8859-1", .unparsed(.encoding)),
        ("application/json; charset=utf-16", .unparsed(.encoding)),
    ])
    func `is read as what its type says, or as what it looks like`(type: String, finding: Finding) {
        #expect(Inspected(Array(Self.patient.utf8), type: type).finding == finding)
    }

    @Test func `may begin with a byte order mark, and hold nothing else`() {
        for (text, finding) in [
            ("\u{FEFF}", Finding.miss), ("\u{FEFF}\n", .miss), ("\u{FEFF}" + Self.empty, .miss),
            ("\u{FEFF}" + Self.patient, .understood), ("\u{FEFF}}", .unparsed(.malformed)),
        ] {
            let body = Array(text.utf8)
            for cut in 0...body.count {
                #expect(Inspected(body, cuts: [cut]).finding == finding)
            }
        }
    }

    @Test func `is of the protocol of its route, or not expected`() {
        let body = Array(Self.empty.utf8)
        for dialect in [Dialect.hl7v3, .insi] {
            let inspected = Inspected(body, dialect: dialect)
            #expect(inspected.finding == .unparsed(.unexpected))
        }
    }

    @Test(arguments: [
        ("", 0), ("\(patient)\n", 1), ("\(patient)\n\n\(JSONAnswers.patient(2))\r\n", 2),
        ("\(patient)\n\(patient)", 1), (#"{"resourceType":"Observation"}"#, 0),
    ])
    func `may be one resource a line`(body: String, count: Int) {
        let bytes = Array(body.utf8)
        let whole = Inspected(bytes, type: "application/fhir+ndjson", interaction: .export)
        #expect(whole.count == count)
        for cut in 0...bytes.count {
            let cut = Inspected(
                bytes, cuts: [cut], type: "application/fhir+ndjson", interaction: .export)
            #expect(cut == whole)
        }
    }

    @Test(arguments: [
        ("\(patient)\(JSONAnswers.patient(2))", Unparsed.malformed), ("\(patient)\n{", .truncated),
    ])
    func `is refused when a line is no resource`(body: String, error: Unparsed) {
        let inspected = Inspected(Array(body.utf8), type: "application/x-ndjson")
        #expect(inspected.finding == .unparsed(error))
    }

    @Test func `is inspected afresh after any other`() {
        let inspector = AnswerInspector()
        let bodies = [
            Self.patient, Self.empty, "{", JSONAnswers.bundle([Self.patient, "]"]), "\u{1}",
            #"{"resourceType":"Encounter","contained":[{"resourceType":"Patient","id":"p"},"#,
            JSONAnswers.bundle([JSONAnswers.patient(2)]),
        ]
        for body in bodies + bodies.reversed() {
            let bytes = Array(body.utf8)
            #expect(Inspected(bytes, by: inspector) == Inspected(bytes))
        }
    }
}
