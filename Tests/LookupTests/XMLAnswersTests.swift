// XMLAnswersTests.swift: whom answers in XML disclose.

import Foundation
import KeyedHash
import Testing

@testable import Lookup

private typealias S = XMLSamples

@Suite struct `Answers in XML` {
    @Test(arguments: [
        ("hl7v3/PDQ_Response.xml", 9), ("hl7v3/03_PDQQueryEmptyResponse.xml", 0),
        ("hl7v3/PDQ_connectathon2011_namespaces_issue_Response.xml", 2),
        ("hl7v3/PDQ_Maximal_Query_Response.xml", 1), ("hl7v3/ITI-45_response_raw.xml", 1),
        ("hl7v3/ITI-47_response_raw.xml", 1), ("hl7v3/07_PIXQuery1Response.xml", 1),
    ])
    func `are counted by patient, not by what they declare`(name: String, count: Int) {
        guard let body = RealSamples.text(name) else { return }
        let found = Inspected(
            body, type: "application/soap+xml; charset=UTF-8", interaction: .query, dialect: .hl7v3)
        #expect(found.count == count)
        #expect(found.finding == (count == 0 ? .miss : .understood))
    }

    @Test(arguments: ["all", "to-blue"])
    func `of a cross-reference are of one person`(name: String) {
        guard let body = RealSamples.text("fhir/pixm-response-mohralice-red-\(name).xml") else {
            return
        }
        let found = Inspected(body, type: "application/fhir+xml", interaction: .crossReference)
        #expect(found.count == 1)
        #expect(found.fields == [.identifier])
    }

    @Test func `of HL7 v3 tell every id and every field of a patient`() throws {
        let found = S.inspected(
            S.pdq([S.pdqPatient([("1.2.3.4", "A"), ("1.2.5", "B")], more: S.traits)]), .hl7v3)
        #expect(found.finding == .understood)
        let fields: IdentityFields = [
            .name, .birthDate, .gender, .phone, .mail, .address, .ins, .identifier, .relatives,
            .birthPlace,
        ]
        #expect(found.fields == [fields])
        let hasher = Inspected.hasher
        let keys: [PersonKey?] = [
            hasher.identifier(system: Array("1.2.3.4".utf8).span, value: Array("A".utf8).span),
            hasher.ins(Array("2800176000001".utf8).span),
            hasher.identifier(system: Array("1.2.5".utf8).span, value: Array("B".utf8).span),
        ]
        #expect(found.persons == [keys.compactMap { $0?.hash }])
        #expect(found.pages.count == 1)
    }

    @Test func `count a patient with several ids once, and near-duplicates each`() {
        let one = S.pdqPatient([("1.2.5", "1"), ("1.2.6", "2")], more: S.traits)
        let same = S.pdqPatient([("1.2.6", "2")])
        let other = S.pdqPatient(
            [("1.2.6", "3")],
            more: "<v3:name><v3:family>EXEMPLE</v3:family></v3:name>")
        #expect(S.inspected(S.pdq([one, same]), .hl7v3).count == 1)
        #expect(S.inspected(S.pdq([same, other]), .hl7v3).count == 2)
        // Nothing but traits, in two ways.
        let ada = S.pdqPatient([], more: "<v3:name><v3:family>A</v3:family></v3:name>")
        let bob = S.pdqPatient([], more: "<v3:name><v3:family>B</v3:family></v3:name>")
        let empty = S.pdqPatient([("1.2.7", "")])
        #expect(S.inspected(S.pdq([ada, bob, ada, empty]), .hl7v3).count == 3)
    }

    @Test(arguments: [
        (S.pdq([]), Dialect.hl7v3), (S.pdq([], code: "NF"), .hl7v3), (S.fault, .hl7v3),
        (S.pdq([], code: "AE"), .hl7v3), (S.insi("01"), .insi), (S.insi("02"), .insi),
        (S.fault, .insi), (S.bundle([]), .fhir),
        ("<OperationOutcome xmlns='http://hl7.org/fhir'/>", .fhir),
    ])
    func `that find nobody are misses`(text: String, dialect: Dialect) {
        #expect(S.inspected(text, dialect).finding == .miss)
    }

    @Test(arguments: [
        ("<html/>", Dialect.hl7v3), (S.pdq([]), .insi), (S.insi("01"), .hl7v3),
        (S.pdq([]), .fhir), ("<Patient><id value='1'/></Patient>", .fhir),
        ("<PRPA_IN201306UV02/>", .hl7v3),
    ])
    func `of another protocol are not expected`(text: String, dialect: Dialect) {
        #expect(S.inspected(text, dialect).finding == .unparsed(.unexpected))
    }

    @Test func `of INSi are one person with all their numbers`() {
        let found = S.inspected(S.insi("00", S.individual), .insi)
        #expect(found.count == 1)
        #expect(found.fields == [[.ins, .name, .birthDate, .gender, .birthPlace]])
        let keys = ["2800176000001", "7800176000001"].compactMap {
            Inspected.hasher.ins(Array($0.utf8).span)?.hash
        }
        #expect(found.persons.first.map { Set($0) } == Set(keys))
    }

    @Test func `of FHIR have the keys that JSON has`() {
        let xml = S.inspected(S.bundle([S.fhirPatient(1), S.fhirPatient(2)]), .fhir)
        let json = Inspected(
            JSONAnswers.bundle([JSONAnswers.patient(1), JSONAnswers.patient(2)]))
        #expect(xml.count == 2)
        let kept = json.persons.map { Set($0) }
        for person in xml.persons { #expect(kept.contains { $0.isSuperset(of: person) }) }
        #expect(xml.fields == Array(repeating: [.ins, .name, .birthDate], count: 2))
    }

    @Test func `of FHIR find persons wherever they stand`() {
        let found = { (text: String) in S.inspected(text, .fhir) }
        let contained = """
            <Encounter><contained><Patient><id value="p"/><name><family value="A"/></name>\
            </Patient></contained><subject><reference value="#p"/><display value="A"/></subject>\
            </Encounter>
            """
        #expect(found(S.bundle([contained])).count == 1)
        let other = contained.replacingOccurrences(of: "\"A\"", with: "\"B\"")
        #expect(found(S.bundle([contained, other])).count == 2)
        let reference = """
            <Encounter><subject><reference value="http://x/Patient/1/_history/2"/>\
            <display value="A B"/></subject></Encounter>
            """
        #expect(found(S.bundle([reference])).fields == [.name])
        #expect(found(S.bundle([reference, "<Patient><id value='1'/></Patient>"])).count == 1)
        let silent = "<Encounter><subject><reference value='Patient/1'/></subject></Encounter>"
        #expect(found(S.bundle([silent])).count == 0)
        let parameters = """
            <Parameters xmlns="http://hl7.org/fhir"><parameter><name value="return"/><resource>\
            \(S.fhirPatient(3))</resource></parameter></Parameters>
            """
        #expect(found(parameters).count == 1)
        let linked = """
            <Patient><id value="9"/><link><other><reference value="Patient/8"/></other>\
            <type value="seealso"/></link></Patient>
            """
        #expect(found(S.bundle([linked, "<Patient><id value='8'/></Patient>"])).count == 1)
        #expect(
            found(S.bundle(["<Practitioner><name><family value='D'/></name></Practitioner>"]))
                .count == 0)
    }

    @Test func `of FHIR name every field`() {
        let all = """
            <text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p>x</p>\
            </div></text><extension \
            url="http://hl7.org/fhir/StructureDefinition/patient-birthPlace"><valueAddress>\
            <city value="Caen"/></valueAddress></extension><telecom><system value="phone"/>\
            <value value="1"/></telecom><telecom><system value="email"/><value value="a@b"/>\
            </telecom><gender value="female"/><address><city value="Rouen"/></address><photo>\
            <data value="AAAA"/></photo><contact><name><family value="M"/></name></contact>
            """
        let found = S.inspected(S.bundle([S.fhirPatient(1, more: all)]), .fhir)
        #expect(
            found.fields == [
                [
                    .narrative, .birthPlace, .phone, .mail, .gender, .address, .photo, .relatives,
                    .ins, .name, .birthDate,
                ]
            ])
    }

    @Test func `are the same whatever way they are cut`() {
        let name = "<v3:name><v3:family>EXEMPLE</v3:family></v3:name>"
        let large = S.pdq(
            (0..<400).map { S.pdqPatient([("1.2.5", "\($0 % 370)")], more: name) })
        for (text, dialect) in [
            (large, Dialect.hl7v3), (S.insi("00", S.individual), .insi),
            (S.bundle([S.fhirPatient(1), S.fhirPatient(2)]), .fhir),
        ] {
            let length = text.utf8.count
            let whole = S.inspected(text, dialect)
            let steps = length > 10_000 ? [1000, 65_536, 65_537] : [1, 7]
            for step in steps {
                let cuts = Array(stride(from: 0, to: length, by: step))
                #expect(S.inspected(text, dialect, cuts: cuts) == whole, "pieces of \(step)")
            }
        }
        #expect(S.inspected(large, .hl7v3).count == 370)
    }

    @Test func `are the same in whatever pieces the parser gets them`() throws {
        let body = Array(S.pdq([S.pdqPatient([("1.2.5", "é")], more: S.traits)]).utf8)
        func found(in length: Int) throws -> [UInt64] {
            let answer = HL7v3Answer(Inspected.hasher, .query)
            let feed = XMLFeed(answer)
            for start in stride(from: 0, to: body.count, by: length) {
                let end = min(start + length, body.count)
                try feed.feed(body.span.extracting(start..<end), isLast: end == body.count)
            }
            answer.findings.persons.merge()
            return answer.findings.persons.allKeys
        }
        let whole = try found(in: body.count)
        #expect(whole.count == 2)
        for length in 1...64 { #expect(try found(in: length) == whole) }
    }
}
