// QuestionTests.swift: what FHIR requests ask, by method and path.

import Testing

@testable import Lookup

@Suite struct `A FHIR request` {
    @Test(arguments: [
        ("GET /fhir/metadata", Interaction.capabilities, 0),
        ("GET /metadata", .capabilities, 0),
        ("GET /fhir/.well-known/smart-configuration", .capabilities, 0),
        ("GET /fhir/.well-known/a/Patient", .unknown, 1),
        ("GET /fhir/metadata/Patient/1", .unknown, 1),
        ("GET /fhir/Patient/1", .read, 1),
        ("GET /Patient/1", .read, 1),
        ("GET Patient/1", .read, 1),
        ("GET /hapi/fhir/R4/Patient/1", .read, 1),
        ("GET /patients/fhir/Patient/1", .read, 1),
        ("GET /patient/fhir/Patient/1", .read, 1),
        ("HEAD /fhir/Patient/1", .read, 1),
        ("GET /fhir/%50atient/1", .read, 1),
        ("GET /fhir/Patient/a.b-C_9", .read, 1),
        ("GET /fhir/RelatedPerson/1", .read, 1),
        ("GET /fhir/Encounter/1", .read, 1),
        ("GET /fhir/Organization/1", .read, 0),
        ("GET /fhir/ValueSet/1/_history/2", .vread, 0),
        ("GET /fhir/Binary/1", .document, 1),
        ("GET /fhir/Binary/1/_history/1", .document, 1),
        ("GET /fhir/Binary", .document, 1),
        ("GET /fhir/DocumentReference/1", .read, 1),
        ("GET /fhir/Patient/1/_history/2", .vread, 1),
        ("GET /fhir/Patient/1/_history", .history, 1),
        ("GET /fhir/Patient/_history", .historyType, 1),
        ("GET /fhir/Patient/%5fhistory", .historyType, 1),
        ("GET /fhir/_history", .historySystem, 1),
        ("GET /fhir/Patient?identifier=a|1", .search, 1),
        ("GET /fhir/Patient/?identifier=a|1", .search, 1),
        ("GET /fhir?name=a", .searchSystem, 1),
        ("GET /fhir/", .searchSystem, 1),
        ("GET /fhir/Patient/_search?identifier=a|1", .unknown, 1),
        ("GET /fhir/_search", .unknown, 1),
        ("GET /fhir/Patient/1/Encounter", .search, 1),
        ("GET /fhir/Patient/1/*", .search, 1),
        ("GET /fhir/Patient/$match", .match, 1),
        ("GET /fhir/Patient/$ihe-pix?sourceIdentifier=a|1", .crossReference, 1),
        ("GET /fhir/Patient/%24ihe-pix?sourceIdentifier=a|1", .crossReference, 1),
        ("GET /fhir/Patient/1/$everything", .everything, 1),
        ("POST /fhir/Patient/1/$everything", .everything, 1),
        ("GET /fhir/Encounter/1/$everything", .everything, 1),
        ("GET /fhir/Group/1/$everything", .everythingType, 1),
        ("GET /fhir/Patient/$everything", .everythingType, 1),
        ("GET /fhir/$export", .export, 1),
        ("GET /fhir/Patient/$export", .export, 1),
        ("POST /fhir/Group/1/$export", .export, 1),
        ("GET /fhir/$export-poll-status?_jobId=1", .export, 1),
        ("GET /fhir/_operations/export/1", .export, 1),
        ("POST /fhir/$graphql", .graphql, 1),
        ("GET /fhir/Patient/1/$graphql?query=x", .graphql, 1),
        ("GET /fhir/patient/1", .unknown, 1),
        ("GET /fhir/PATIENT?name=a", .unknown, 1),
        ("GET /fhir/Metadata", .unknown, 1),
        ("GET /fhir/Patient/1/photo", .unknown, 1),
        ("GET /fhir/Patient/1/_history/2/3", .unknown, 1),
        ("GET /fhir/Patient/_meta", .unknown, 1),
        ("GET /fhir/Patient/1/Encounter/2", .unknown, 1),
        ("OPTIONS /fhir/Patient", .unknown, 1),
        ("get /fhir/Patient/1", .unknown, 1),
        ("PUT /fhir", .unknown, 1),
        ("POST /fhir/Patient/1", .unknown, 1),
        ("POST /fhir/Patient/_history", .unknown, 1),
        ("POST /fhir/Patient", .feed, 0),
        ("PUT /fhir/Patient/1", .feed, 0),
        ("PUT /fhir/Patient?identifier=a|1", .feed, 0),
        ("PATCH /fhir/Patient/1", .feed, 0),
        ("DELETE /fhir/Patient?identifier=a|1", .feed, 0),
        ("DELETE /fhir/Patient/1/_history/2", .feed, 0),
        ("POST /fhir/Subscription", .subscription, 0),
        ("PUT /fhir/Subscription/1", .subscription, 0),
        ("PATCH /fhir/SubscriptionTopic/1", .subscription, 0),
        ("DELETE /fhir/Subscription/1", .feed, 0),
        ("GET /fhir/Subscription/1", .read, 1),
    ])
    func `is known by its method and path`(
        line: String, interaction: Interaction, lookups: Int
    ) throws {
        let question = try Asking.question(line)
        #expect(question.interaction == interaction)
        #expect(question.interactions == Interactions(interaction))
        #expect(question.lookups == lookups)
        #expect(question.page == nil)
        #expect(question.operations.isEmpty)
    }

    @Test(arguments: [
        ("GET /fhir/Patient/1/$summary", "summary"),
        ("POST /fhir/$meta", "meta"),
        ("GET /fhir/Patient/$Match", "Match"),
        ("GET /fhir/Patient/1/$match", "match"),
        ("GET /fhir/Patient/1/_history/2/$diff", "diff"),
        ("GET /fhir/ValueSet/$expand", "expand"),
    ])
    func `names the operation that has no words of its own`(line: String, name: String) throws {
        let question = try Asking.question(line)
        #expect(question.interaction == .operation)
        #expect(question.operations == [name])
        #expect(question.lookups == 1)
    }

    @Test(arguments: [
        ("POST /fhir", "application/fhir+json", FHIRBodyKind.bundle),
        ("POST /fhir/", "application/json; charset=UTF-8", .bundle),
        ("POST /fhir/Patient/$match", "application/fhir+json;fhirVersion=4.0", .match),
        ("POST /fhir/Patient/$ihe-pix", "Application/FHIR+JSON", .parameters),
        ("POST /fhir/Patient/_search", "application/x-www-form-urlencoded", .form),
        ("POST /fhir/Patient/_search", "", .form),
        ("POST /fhir/_search", "application/x-www-form-urlencoded;charset=\"utf-8\"", .form),
        ("POST /fhir/Patient/1/Encounter/_search", "application/x-www-form-urlencoded", .form),
    ])
    func `waits for the body that decides`(
        line: String, type: String, kind: FHIRBodyKind
    ) throws {
        #expect(try Asking.head(line, contentType: type) == .needsBody(kind))
    }

    @Test(arguments: [
        ("POST /fhir", "application/fhir+xml"),
        ("POST /fhir", ""),
        ("POST /fhir", "text/plain"),
        ("POST /fhir/Patient/$match", "application/x-www-form-urlencoded"),
        ("POST /fhir/Patient/$match", "application/fhir+json; charset=utf-16"),
        ("POST /fhir/Patient/_search", "application/json"),
        ("POST /fhir/Patient/_search", "multipart/form-data; boundary=a"),
        // Servlet containers decode the form by it: letters are other letters then.
        ("POST /fhir/Patient/_search", "application/x-www-form-urlencoded; charset=ibm037"),
        (
            "POST /fhir/Patient/_search",
            "application/x-www-form-urlencoded; charset=utf-8; CharSet = \"UTF-7\""
        ),
    ])
    func `is refused with a body of a language that is not read`(line: String, type: String) {
        #expect(throws: QuestionError.mediaTypeNotUnderstood) {
            try Asking.head(line, contentType: type)
        }
    }

    @Test(arguments: [
        "/fhir//Patient/1", "//", "/fhir/../Patient/1", "/fhir/%2e%2e/Patient/1",
        "/fhir/Patient%2F1", "/fhir/Patient/1%3Bx", "/fhir/Patient;a=b/1", "/fhir/Patient/1%",
        "/fhir/Patient/%zz", "/fhir/Patient/%2550", "/fhir/Patient/1%00", "/fhir/Patient\\1",
        "/fhir/Patient/a b", "/fhir/%C3%28/1", "/fhir/Patient/%C0%80", "/fhir/Patient/é",
        "/fhir/Patient/1|2", "/fhir/Patient/$", "/fhir/$a%20b",
        "/fhir/Patient/" + String(repeating: "1", count: 129),
        "/fhir/$" + String(repeating: "a", count: 65),
        "/" + String(repeating: "a", count: 8192),
    ])
    func `is refused with a path that servers read in different ways`(path: String) {
        #expect(throws: QuestionError.pathNotUnderstood) { try Asking.head("GET " + path) }
    }

    @Test func `knows every resource type of R4, and its capitals`() {
        for name in ["Account", "VisionPrescription", "Patient", "Person", "PractitionerRole"] {
            let bytes = Array(name.utf8)
            #expect(ResourceType.all.exactly(bytes.span) != nil)
            let small = Array(name.lowercased().utf8)
            #expect(ResourceType.all.find(small.span)?.isExact == false)
        }
        for name in ["", "P", "Patien", "Patients", "Zzz", "Aaa"] {
            let bytes = Array(name.utf8)
            #expect(ResourceType.all.find(bytes.span) == nil)
        }
    }
}
