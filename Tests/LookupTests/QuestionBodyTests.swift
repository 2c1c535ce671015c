// QuestionBodyTests.swift: what `$match`, `$ihe-pix` and Bundles of requests ask.

import Testing

@testable import Lookup

@Suite struct `A match` {
    private static let line = "POST /fhir/Patient/$match"

    private static func patient(_ fields: String) -> String {
        #"{"resourceType":"Patient""# + (fields.isEmpty ? "" : ",") + fields + "}"
    }

    private static func parameters(_ list: String) -> String {
        #"{"parameter":["# + list + #"],"resourceType":"Parameters"}"#
    }

    private static func resource(_ fields: String) -> String {
        #"{"name":"resource","resource":"# + patient(fields) + "}"
    }

    private static let identifier = #""identifier":[{"system":"a"},{"value":"1"}]"#

    @Test(
        arguments: [
            (patient(identifier), nil),
            (patient(#""birthDate":"1980-01-31","name":[{"family":"a"}]"#), nil),
            (patient(#""name":[{"family":"DURAND"}]"#), .noIdentifierNorBirthDate),
            (patient(""), .noIdentifierNorBirthDate),
            (patient(#""identifier":[{"system":"a"}]"#), .noIdentifierNorBirthDate),
            (patient(#""identifier":[{"value":""}]"#), .noIdentifierNorBirthDate),
            (patient(#""identifier":[{"value":"*"}]"#), .noIdentifierNorBirthDate),
            (patient(#""identifier":[]"#), .noIdentifierNorBirthDate),
            (patient(#""birthDate":"1980""#), .birthDateRange),
            (patient(#""birthDate":"ge1980-01-31""#), .noIdentifierNorBirthDate),
            (patient(#""birthDate":"1980-01-31,1980-02-01""#), .noIdentifierNorBirthDate),
            (
                patient(#""contained":[{"resourceType":"Person",\#(identifier)}]"#),
                .noIdentifierNorBirthDate
            ),
            (patient(#""id\u0065ntifier":[{"valu\u0065":"1"}]"#), nil),
            (parameters(resource(identifier)), nil),
            (parameters(resource(identifier) + #",{"name":"count","valueInteger":100}"#), nil),
            (
                parameters(resource(identifier) + #",{"name":"count","valueInteger":101}"#),
                .largeCount
            ),
            (
                parameters(#"{"valueInteger":101,"name":"count"},"# + resource(identifier)),
                .largeCount
            ),
            (
                parameters(
                    resource(identifier) + #",{"name":"onlyCertainMatches","valueBoolean":true}"#),
                nil
            ),
            (parameters(""), .noCriterion),
            (
                parameters(#"{"name":"Resource","resource":{"resourceType":"Patient"}}"#),
                .noCriterion
            ),
            (#"{"resourceType":"Parameters"}"#, .noCriterion),
        ] as [(String, Vagueness?)])
    func `is as vague as the patient it describes`(body: String, vagueness: Vagueness?) throws {
        let question = try Asking.json(Self.line, body)
        #expect(question.interaction == .match)
        #expect(question.lookups == 1)
        #expect(question.vagueness == vagueness)
    }

    @Test(arguments: [
        "", "{", "[]", "null", "{}", #"{"resourceType":"Bundle"}"#, #"{"resourceType":1}"#,
        #"{"resourceType":"Patient"}{}"#,
        #"{"resourceType":"Patient","resourceType":"Patient"}"#,
        patient(#""identifier":[{"value":"1"}],"identifier":[]"#),
        patient(#""identifier":[{"value":"1","value":""}]"#),
        patient(#""identifier":{"value":"1"}"#),
        patient(#""birthDate":"1980-01-31","birth\u0044ate":"1980""#),
        patient(#""birthDate":19800131"#),
        parameters(resource(identifier) + "," + resource("")),
        parameters(#"{"name":"resource"}"#),
        parameters(#"{"name":"resource","resource":{"resourceType":"Person"}}"#),
        parameters(#"{"name":"count"}"#),
        parameters(#"{"name":"count","valueInteger":1e9}"#),
        parameters(#"{"name":"count","valueInteger":-1}"#),
        parameters(#"{"name":"count","name":"resource"}"#),
        #"{"resourceType":"Parameters","parameter":[],"parameter":[]}"#,
        String(repeating: "[", count: 100_000),
        #"{"resourceType":"Patient","a":"# + String(repeating: "[", count: 100),
    ])
    func `is refused when servers could read its body in different ways`(body: String) {
        #expect(throws: QuestionError.bodyNotUnderstood) { try Asking.json(Self.line, body) }
    }

    @Test func `of identifiers by POST makes as many lookups as it names`() throws {
        let line = "POST /fhir/Patient/$ihe-pix"
        let one = #"{"name":"sourceIdentifier","valueIdentifier":{"value":"1"}}"#
        let question = try Asking.json(line, Self.parameters(one + "," + one))
        #expect(question.interaction == .crossReference)
        #expect(question.lookups == 2)
        #expect(try Asking.json(line, Self.parameters("")).lookups == 1)
        let head = try Asking.head(line, contentType: "application/fhir+xml")
        #expect(head == .question(Question(.crossReference)))
    }
}

@Suite struct `A Bundle of requests` {
    private static func bundle(_ entries: [String], type: String = "batch") -> String {
        let list = entries.joined(separator: ",")
        return #"{"resourceType":"Bundle","entry":[\#(list)],"type":"\#(type)"}"#
    }

    private static func entry(_ method: String, _ url: String, resource: String = "") -> String {
        let resource = resource.isEmpty ? "" : #""resource":\#(resource),"#
        return #"{\#(resource)"request":{"method":"\#(method)","url":"\#(url)"}}"#
    }

    private func question(_ entries: [String], type: String = "batch") throws -> Question {
        try Asking.json("POST /fhir", Self.bundle(entries, type: type))
    }

    @Test(
        arguments: [
            ("GET", "Patient/1", Interaction.read, 1, nil),
            ("GET", "/Patient/1", .read, 1, nil),
            ("GET", "/fhir/Patient/1", .read, 1, nil),
            ("GET", "https://mpi.example/fhir/Patient/1", .read, 1, nil),
            ("GET", "HTTP://mpi.example?name=a", .searchSystem, 1, .shortName),
            ("GET", "Patient?identifier=a|1,a|2", .search, 2, nil),
            ("GET", "\\u0050atient?family=a", .search, 1, .shortName),
            ("HEAD", "Patient?family=a", .search, 1, .shortName),
            ("GET", "Patient", .search, 1, .noCriterion),
            ("GET", "metadata", .capabilities, 0, nil),
            ("GET", "ValueSet/1", .read, 0, nil),
            ("GET", "patient/1", .unknown, 1, nil),
            ("get", "Patient/1", .unknown, 1, nil),
            ("GET", "Patient/_history", .historyType, 1, nil),
            ("GET", "_history", .historySystem, 1, nil),
            ("GET", "", .searchSystem, 1, .noCriterion),
            ("GET", "?_getpages=X", .page, 1, nil),
            ("GET", "$export", .export, 1, nil),
            ("POST", "Patient/_search?identifier=a|1", .search, 1, nil),
            ("POST", "Patient/_search", .search, 1, .noCriterion),
            ("POST", "Patient/$match", .match, 1, .noCriterion),
            ("POST", "Patient/$ihe-pix", .crossReference, 1, nil),
            ("POST", "Patient", .feed, 0, nil),
            ("POST", "Subscription", .subscription, 0, nil),
            ("PUT", "Patient?identifier=a|1", .feed, 0, nil),
            ("DELETE", "Patient/1", .feed, 0, nil),
        ] as [(String, String, Interaction, Int, Vagueness?)])
    func `asks what its entry asks`(
        method: String, url: String, interaction: Interaction, lookups: Int, vagueness: Vagueness?
    ) throws {
        let question = try question([Self.entry(method, url)])
        #expect(question.interaction == .batch)
        #expect(question.interactions == [Interactions(.batch), Interactions(interaction)])
        #expect(question.lookups == lookups)
        #expect(question.vagueness == vagueness)
        #expect(question.page == (interaction == .page ? Asking.token("X") : nil))
    }

    @Test func `sums the lookups of its entries, and is as vague as the worst`() throws {
        let question = try question(
            [
                Self.entry("GET", "Patient/1"),
                Self.entry("GET", "Patient?identifier=a|1,a|2,a|3"),
                Self.entry("GET", "Patient?identifier=a|1&_count=1000"),
                Self.entry("GET", "Patient?family=a"),
                Self.entry("PUT", "Patient/1", resource: #"{"resourceType":"Patient"}"#),
                Self.entry("GET", "Patient/1/$summary"),
                Self.entry("GET", "Patient/2/$summary"),
            ], type: "transaction")
        #expect(question.interaction == .transaction)
        #expect(
            question.interactions == [
                Interactions(.transaction), Interactions(.read), Interactions(.search),
                Interactions(.feed), Interactions(.operation),
            ])
        #expect(question.lookups == 8)
        #expect(question.vagueness == .shortName)
        #expect(question.operations == ["summary"])
    }

    @Test func `judges a match by the resource of its entry, wherever that stands`() throws {
        let patient = #"{"birthDate":"1980-01-31","resourceType":"Patient"}"#
        let before = Self.entry("POST", "Patient/$match", resource: patient)
        #expect(try question([before]).vagueness == nil)
        let after =
            #"{"request":{"url":"Patient/$match","method":"POST"},"resource":\#(patient)}"#
        #expect(try question([after]).vagueness == nil)
        let vague = Self.entry("POST", "Patient/$match", resource: #"{"resourceType":"Patient"}"#)
        #expect(try question([before, vague]).vagueness == .noIdentifierNorBirthDate)
    }

    @Test func `of feeds alone looks nobody up`() throws {
        let feed = Self.entry("POST", "Patient", resource: #"{"resourceType":"Patient"}"#)
        let question = try question([feed, feed], type: "transaction")
        #expect(question.lookups == 0)
        #expect(question.interactions == [Interactions(.transaction), Interactions(.feed)])
    }

    @Test func `counts a creation that is answered with what exists`() throws {
        let entry =
            #"{"request":{"method":"POST","url":"Patient","ifNoneExist":"identifier=a|1"}}"#
        #expect(try question([entry]).lookups == 1)
    }

    @Test(arguments: ["message", "document", "collection", "Batch", ""])
    func `that is none is unknown`(type: String) throws {
        let question = try question([Self.entry("GET", "Patient/1")], type: type)
        #expect(question.interaction == .unknown)
        #expect(question.interactions.contains(.unknown))
        #expect(question.interactions.contains(.read))
        #expect(question.lookups == 1)
    }

    @Test(arguments: [
        (#"{"resourceType":"Bundle","entry":[]}"#, QuestionError.bodyNotUnderstood),
        (#"{"resourceType":"Patient","type":"batch"}"#, .bodyNotUnderstood),
        (#"{"resourceType":"Bundle","type":"batch","type":"batch"}"#, .bodyNotUnderstood),
        (#"{"resourceType":"Bundle","type":"batch","entry":{}}"#, .bodyNotUnderstood),
        (#"{"resourceType":"Bundle","type":"batch","entry":[1]}"#, .bodyNotUnderstood),
        (#"{"resourceType":"Bundle","type":"batch","entry":[{}]}"#, .bodyNotUnderstood),
        (#"{"resourceType":"Bundle","type":"batch","entry":[],"entry":[]}"#, .bodyNotUnderstood),
        (#"{"resourceType":"Bundle","type":"batch"}x"#, .bodyNotUnderstood),
        (bundle([#"{"request":{"method":"GET"}}"#]), .bodyNotUnderstood),
        (bundle([#"{"request":{"method":"GET","url":"a","url":"b"}}"#]), .bodyNotUnderstood),
        (
            bundle([#"{"request":{"method":"POST","meth\u006fd":"GET","url":"Patient"}}"#]),
            .bodyNotUnderstood
        ),
        (
            bundle([
                #"{"request":{"method":"GET","url":"Patient/1"},"request":{"method":"GET"}}"#
            ]), .bodyNotUnderstood
        ),
        (bundle([entry("POST", "")]), .bodyNotUnderstood),
        (bundle([entry("POST", "/")]), .bodyNotUnderstood),
        (bundle([entry("POST", "https://mpi.example/fhir")]), .bodyNotUnderstood),
        (bundle([entry("GET", "Patient/../Patient/1")]), .pathNotUnderstood),
        (bundle([entry("GET", "Patient/1#a")]), .pathNotUnderstood),
        (bundle([entry("GET", "Patient?family=a#&identifier=a|1")]), .pathNotUnderstood),
        (bundle([entry("GET", "Patient?family=a b")]), .pathNotUnderstood),
        (bundle([entry("GET", " Patient/1")]), .pathNotUnderstood),
        (bundle([entry("GET", "Patient?family=%")]), .formNotUnderstood),
        (bundle([entry("GET", "?_getpages=X"), entry("GET", "?_getpages=Y")]), .tooManyEntries),
        (bundle((0..<17).map { entry("GET", "$a\($0)") }), .tooManyEntries),
        (bundle(Array(repeating: entry("GET", "metadata"), count: 1001)), .tooManyEntries),
    ])
    func `is refused when it is wrong, nested or too large`(body: String, error: QuestionError) {
        #expect(throws: error) { try Asking.json("POST /fhir", body) }
    }

    @Test func `has a thousand entries at most`() throws {
        let entries = Array(repeating: Self.entry("GET", "Patient/1"), count: 1000)
        #expect(try question(entries).lookups == 1000)
    }
}
