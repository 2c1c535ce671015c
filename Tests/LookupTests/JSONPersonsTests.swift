// JSONPersonsTests.swift: whom FHIR answers in JSON disclose, and what of them.

import Foundation
import KeyedHash
import Testing

@testable import Lookup

@Suite struct `The persons of a FHIR answer` {
    private static func p(_ number: Int) -> String { JSONAnswers.patient(number) }

    /// Answers, and how many persons each discloses.
    static let answers: [(what: String, body: String, count: Int)] = [
        ("a patient", p(1), 1),
        ("a search", JSONAnswers.bundle([p(1), p(2), p(3)], more: #""total":9000,"#), 3),
        ("the same one twice", JSONAnswers.bundle([p(1), p(1)]), 1),
        (
            "a batch",
            JSONAnswers.bundle(
                [
                    JSONAnswers.bundle([p(1), p(2)]), JSONAnswers.bundle([p(2), p(3)]),
                    JSONAnswers.outcome,
                ], type: "batch-response"), 3
        ),
        (
            "versions of one",
            JSONAnswers.bundle(
                [
                    #"{"resourceType":"Patient","id":"7","name":[{"family":"A"}]}"#,
                    #"{"resourceType":"Patient","id":"7","name":[{"family":"B"}]}"#,
                ], type: "history"), 1
        ),
        (
            "included ones",
            JSONAnswers.bundle([
                #"{"resourceType":"Encounter","id":"e","subject":{"reference":"Patient/p1"}}"#,
                p(1),
            ]), 1
        ),
        (
            "a placeholder among identifiers",
            JSONAnswers.bundle(
                (1...5).map {
                    #"{"resourceType":"Patient","identifier":[{"system":"urn:oid:1.2.250.1.213.1.4.8","value":"\#(1_000_000_000_000 + $0)"},{"system":"x","value":"0"}]}"#
                }), 5
        ),
        (
            "a contained patient who has nothing",
            """
            {"resourceType":"Encounter","contained":[{"resourceType":"Patient","id":"p"}],\
            "subject":{"reference":"#p"}}
            """, 1
        ),
        (
            "contained patients of the same id",
            JSONAnswers.bundle(
                (1...2).map {
                    """
                    {"resourceType":"Encounter","id":"e\($0)","contained":[{"resourceType":"Patient",\
                    "id":"p","name":[{"family":"N\($0)"}]}],"subject":{"reference":"#p"}}
                    """
                }), 2
        ),
        (
            "a contained patient, named by a reference",
            """
            {"resourceType":"Encounter","subject":{"reference":"#p","display":"A"},\
            "contained":[{"resourceType":"Patient","id":"p","name":[{"family":"N"}]}]}
            """, 1
        ),
        (
            "a reference to nobody contained",
            """
            {"resourceType":"Encounter","subject":{"reference":"#q","display":"A"},\
            "contained":[{"resourceType":"Patient","id":"p","name":[{"family":"N"}]}]}
            """, 2
        ),
        (
            "parameters",
            """
            {"resourceType":"Parameters","parameter":[{"name":"return","resource":\(p(1))},\
            {"name":"other","part":[{"name":"x","resource":\(p(2))}]}]}
            """, 2
        ),
        (
            "a cross-reference",
            """
            {"resourceType":"Parameters","parameter":[{"name":"targetIdentifier",\
            "valueIdentifier":{"system":"urn:oid:1.2.3","value":"A"}},{"valueIdentifier":\
            {"value":"1850775000001","system":"urn:oid:1.2.250.1.213.1.4.8"},\
            "name":"targetIdentifier"},{"name":"targetId","valueReference":\
            {"reference":"http://h/fhir/Patient/9","display":"A"}}]}
            """, 1
        ),
        ("a cross-reference to nobody", #"{"resourceType":"Parameters"}"#, 0),
        (
            "a reference alone",
            #"{"resourceType":"Encounter","subject":{"reference":"Patient/1"}}"#,
            0
        ),
        (
            "names in references",
            JSONAnswers.bundle([
                #"{"resourceType":"Encounter","subject":{"reference":"Patient/1","display":"A"}}"#,
                #"{"resourceType":"Encounter","subject":{"display":"A","reference":"https://h/Patient/1/_history/2"}}"#,
                #"{"resourceType":"Coverage","beneficiary":{"display":"B","type":"Patient"}}"#,
                #"{"resourceType":"Group","member":[{"entity":{"reference":"Patient/3","display":"C"}}]}"#,
                #"{"resourceType":"Encounter","participant":[{"individual":{"reference":"Practitioner/1","display":"D"}}]}"#,
            ]), 3
        ),
        (
            "an identifier in a reference",
            """
            {"resourceType":"Encounter","subject":{"type":"Patient","identifier":\
            {"system":"x","value":"1"}},"serviceProvider":{"identifier":{"system":"y",\
            "value":"2"},"type":"Organization"}}
            """, 1
        ),
        (
            "professionals and places",
            JSONAnswers.bundle([
                #"{"resourceType":"Practitioner","id":"1","name":[{"family":"A"}],"identifier":[{"system":"x","value":"1"}]}"#,
                #"{"name":[{"family":"A"}],"identifier":[{"system":"x","value":"1"}],"resourceType":"PractitionerRole"}"#,
                #"{"resourceType":"Organization","id":"1","name":"CH","contact":[{"name":{"text":"A"}}]}"#,
            ]), 0
        ),
        (
            "a related person",
            """
            {"resourceType":"RelatedPerson","id":"1","patient":{"reference":"Patient/1"},\
            "name":[{"family":"A"}]}
            """, 1
        ),
        (
            "a related person of whom nothing is said",
            #"{"resourceType":"RelatedPerson","id":"1","patient":{"reference":"Patient/1"}}"#, 0
        ),
        (
            "a person and their patient",
            JSONAnswers.bundle([
                #"{"resourceType":"Person","id":"x","name":[{"family":"A"}],"link":[{"target":{"reference":"Patient/p1"}}]}"#,
                p(1),
            ]), 1
        ),
        (
            "somebody known by traits only",
            JSONAnswers.bundle([
                #"{"resourceType":"Patient","name":[{"family":"A","given":["B"]}],"birthDate":"2001-01-01"}"#,
                #"{"resourceType":"Patient","birthDate":"2001-01-01","name":[{"given":["B"],"family":"A"}]}"#,
                #"{"resourceType":"Patient","name":[{"family":"A","given":["B"]}],"birthDate":"2001-01-02"}"#,
            ]), 2
        ),
        ("a type twice", #"{"resourceType":"Basic","id":"1","resourceType":"Patient"}"#, 1),
        ("a type in escapes", #"{"res\u006furceType":"P\u0061tient","id":"1"}"#, 1),
        ("two ids", #"{"resourceType":"Patient","id":"1","id":"2"}"#, 1),
        ("a patient where nobody looks", #"{"resourceType":"Basic","x":[[{"y":\#(p(1))}]]}"#, 1),
        ("an array of patients", "[\(p(1)),\(p(2))]", 2),
        (
            "a patient within a patient's name",
            #"{"resourceType":"Patient","id":"1","name":[{"family":"A","resourceType":"Patient","id":"2"}]}"#,
            2
        ),
        ("no FHIR at all", #"{"name":[{"family":"A"}],"id":"1","type":"Patient"}"#, 0),
    ]

    @Test(arguments: answers.indices)
    func `are counted, however it is written`(index: Int) {
        let answer = Self.answers[index]
        let plain = Inspected(answer.body)
        #expect(plain.count == answer.count, "\(answer.what)")
        #expect((plain.finding == .understood) == (answer.count > 0), "\(answer.what)")
        // Sorting keys loses one that stands twice.
        guard !answer.what.contains("twice"), !answer.what.contains("two ids") else { return }
        let turned = [JSONAnswers.indented(answer.body), JSONAnswers.typeLast(answer.body)]
        for text in turned {
            // Who has nothing to be known by is known by how they are written.
            if answer.what.contains("has nothing") || answer.what.contains("a patient's name") {
                #expect(Inspected(text).count == answer.count)
            } else {
                #expect(Inspected(text).persons == plain.persons, "\(answer.what): \(text)")
            }
        }
    }

    @Test(arguments: answers.indices)
    func `are the same wherever the body is cut`(index: Int) {
        let body = Array(Self.answers[index].body.utf8)
        let whole = Inspected(body)
        let inspector = AnswerInspector()
        for cut in 0...body.count {
            #expect(Inspected(body, cuts: [cut], by: inspector) == whole, "cut at \(cut)")
        }
    }

    @Test func `are the same in whatever pieces it comes`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed)
        let inspector = AnswerInspector()
        for _ in 0..<100 {
            let bodies = (0..<Int.random(in: 1...6, using: &random)).map { _ in
                Self.answers.randomElement(using: &random)?.body ?? ""
            }
            let body = Array(JSONAnswers.bundle(bodies).utf8)
            let whole = Inspected(body)
            let cuts = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                Int.random(in: 0...body.count, using: &random)
            }.sorted()
            #expect(Inspected(body, cuts: cuts, by: inspector) == whole, "seed \(seed)")
        }
    }

    @Test(
        arguments: [
            (#""name":[{"family":"A"}]"#, IdentityFields.name), (#""name":[{"text":"A"}]"#, .name),
            (#""name":[{"use":"usual"}]"#, []), (#""birthDate":"2001-01-01""#, .birthDate),
            (#""gender":"male""#, .gender),
            (#""telecom":[{"system":"phone","value":"1"}]"#, .phone),
            (#""telecom":[{"value":"a@b","system":"email"}]"#, .mail),
            (#""telecom":[{"value":"1"}]"#, .phone), (#""telecom":[{"system":"phone"}]"#, []),
            (#""address":[{"city":"A"}]"#, .address), (#""photo":[{"data":"AA=="}]"#, .photo),
            (#""text":{"status":"generated","div":"<div/>"}"#, .narrative),
            (#""contact":[{"name":{"family":"A"}}]"#, .relatives),
            (#""identifier":[{"system":"x","value":"1"}]"#, .identifier),
            (#""identifier":[{"system":"urn:oid:1.2.3.4","value":"1"}]"#, .identifier),
            (#""identifier":[{"system":"urn:oid:1.2.250.1.213.1.4.8","value":"1"}]"#, .ins),
            (
                #""identifier":[{"system":"urn:oid:1.2.250.1.213.1.4.\u0038","value":"\u0031"}]"#,
                .ins
            ),
            (#""identifier":[{"system":"x"}]"#, []),
            (
                #""extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace","valueAddress":{"city":"A"}}]"#,
                .birthPlace
            ),
            (
                #""extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName","valueString":"A"}]"#,
                .relatives
            ),
            (
                #""name":[{"family":"A","_family":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/humanname-mothers-family"}]}}]"#,
                [.name, .relatives]
            ),
            (#""meta":{"tag":[{"display":"A"}]},"managingOrganization":{"display":"B"}"#, []),
        ] as [(String, IdentityFields)])
    func `are shown with their fields`(what: String, fields: IdentityFields) {
        let first = #"{"resourceType":"Patient","id":"1",\#(what)}"#
        #expect(Inspected(first).fields == [fields])
        #expect(Inspected(JSONAnswers.typeLast(first)).fields == [fields])
    }

    @Test(arguments: ["urn:oid:1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.10"])
    func `are shown with their INS, also where it is the canonical identifier`(system: String) {
        let inspector = AnswerInspector()
        let hasher = PersonHasher(
            key: SipKey(low: 1, high: 2), server: "mpi", canonicalSystem: system)
        for (said, field) in [(system, IdentityFields.ins), ("1.2.250.1.213.1.4.80", .identifier)] {
            let body = Array(
                #"{"resourceType":"Patient","identifier":[{"system":"\#(said)","value":"1"}]}"#.utf8
            )
            inspector.begin(
                AnswerExpectation(
                    dialect: .fhir, status: 200, contentType: [], interaction: .read), hasher)
            inspector.inspect(body.span, isWhole: true)
            #expect(inspector.findings.persons.fields == field)
        }
    }

    @Test func `have the keys that any protocol would give them`() {
        let hasher = Inspected.hasher
        func identifier(_ system: String, _ value: String) -> UInt64? {
            let (system, value) = (Array(system.utf8), Array(value.utf8))
            return hasher.identifier(system: system.span, value: value.span)?.hash
        }
        let (type, id) = (Array("Patient".utf8), Array("p1".utf8))
        let keys = [
            identifier("1.2.250.1.213.1.4.8", "1850775000001"),
            identifier("1.2.250.1.71.9", "IPP1"), hasher.local(type: type.span, id: id.span)?.hash,
        ].compactMap { $0 }
        #expect(Inspected(Self.p(1)).persons == [keys])
    }

    @Test func `are too many beyond a bound`() {
        let many = (0...Persons.findsMax).map { #"{"resourceType":"Patient","id":"\#($0)"}"# }
        let body = Array("[\(many.joined(separator: ","))]".utf8)
        #expect(Inspected(body).finding == .unparsed(.tooMany))
        #expect(Inspected(body, status: 404).finding == .unparsed(.tooMany))
    }

    private static let samples: URL? = {
        let named = ProcessInfo.processInfo.environment["HERSE_SAMPLES"]
        let beside = URL(filePath: #filePath).appending(path: "../../../../shared/data")
        let folder = (named.map { URL(filePath: $0) } ?? beside).appending(path: "fhir")
        return FileManager.default.fileExists(atPath: folder.path()) ? folder : nil
    }()

    @Test(
        .enabled(if: samples != nil, "samples of others are not here"),
        arguments: [
            ("Patient-MohrAlice", 1), ("Patient-MohrAlice-Red", 1), ("Patient-MaidenAlice-Red", 1),
            ("Patient-MohrAlissa-Red", 1), ("Patient-MohrMaidenResolvedByMohrMalice-Red", 1),
        ])
    func `of samples are as many as there are`(name: String, count: Int) throws {
        let folder = try #require(Self.samples)
        let body = Array(try Data(contentsOf: folder.appending(path: name + ".json")))
        let whole = Inspected(body, interaction: .read)
        #expect(whole.count == count && whole.finding == .understood)
        for cut in 0...body.count {
            #expect(Inspected(body, cuts: [cut], interaction: .read) == whole)
        }
    }
}
