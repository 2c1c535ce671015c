// QuestionSearchTests.swift: which searches are too vague, and how many lookups one makes.

import Testing

@testable import Lookup

@Suite struct `A search` {
    @Test(
        arguments: [
            // By identifier.
            ("Patient?identifier=urn:oid:1.2|123", nil),
            ("Patient?identifier=123", nil),
            ("Patient?identifier=|123", nil),
            ("Patient?identifier:of-type=http://a|MR|123", nil),
            ("Patient?_id=1", nil),
            ("Patient?telecom=phone|0612345678", nil),
            ("Patient?email=a@example.org", nil),
            ("Patient?%69dentifier=a%7C1", nil),
            ("Patient?identifier=a|1&family=a", nil),
            ("Patient?identifier=a|1&_lastUpdated=ge2020-01-01", nil),
            ("Patient?identifier=a|1&identifier=a|", nil),
            ("Patient?identifier=a|", .domainOnly),
            ("Patient?identifier=a|&identifier=b|", .domainOnly),
            ("Patient?identifier=a|1,a|", .domainOnly),
            ("Patient?identifier=a|*", .domainOnly),
            ("Patient?identifier=a|%25", .domainOnly),
            ("Patient?identifier=a|%E2%80%83", .domainOnly),
            ("Patient?identifier=a|&gender=male", .domainOnly),
            ("Patient?identifier=a|&family=DURAND", .noIdentifierNorBirthDate),
            ("Patient?identifier=|", .noCriterion),
            ("Patient?identifier=,", .noCriterion),
            ("Patient?telecom=phone|", .domainOnly),
            ("Patient?identifier:not=a|1", .wideningModifier),
            ("Patient?identifier:missing=false", .wideningModifier),
            ("Patient?identifier:nonsense=a|1", .wideningModifier),
            ("Patient?identifier:EXACT=a|1", .wideningModifier),
            ("Patient?Identifier=a|1", .noIdentifierNorBirthDate),
            // By name.
            ("Patient?family=DURAND&birthdate=1980-01-31", nil),
            ("Patient?family=DURAND", .noIdentifierNorBirthDate),
            ("Patient?family=a", .shortName),
            ("Patient?family=%C3%A9%C3%A9", .shortName),
            ("Patient?family=e%CC%81e%CC%81", .shortName),
            ("Patient?family=a+b+c", .shortName),
            ("Patient?family=%25%25%25", .noCriterion),
            ("Patient?name=DURAND,du", .shortName),
            ("Patient?name=DURAND,", .shortName),
            ("Patient?family=a&family=DURAND", .shortName),
            ("Patient?family=DURAND&given=J", .shortName),
            ("Patient?family:exact=Li", .noIdentifierNorBirthDate),
            ("Patient?family:exact=Li&birthdate=1980-01-31", nil),
            ("Patient?family=a&birthdate=1980-01-31", nil),
            ("Patient?family=a&birthdate=1980", .shortName),
            ("Patient?family:contains=ran", .wideningModifier),
            ("Patient?family:contains=ran&birthdate=1980-01-31", nil),
            ("Patient?family=", .noCriterion),
            ("Patient?family=,", .noCriterion),
            ("Patient?family", .noCriterion),
            // By birth date.
            ("Patient?birthdate=1980-01-31", nil),
            ("Patient?birthdate=eq1980-01-31", nil),
            ("Patient?birthdate=1980-01-31T00:00:00Z", nil),
            ("Patient?birthdate=ge1980-01-01&birthdate=le1980-01-31", nil),
            ("Patient?birthdate=1980-01-01,1980-01-02", nil),
            ("Patient?birthdate=ge1980-01-01&birthdate=le1980-02-01", .birthDateRange),
            ("Patient?birthdate=ge1900-01-01&birthdate=le2030", .birthDateRange),
            ("Patient?birthdate=ge1900-01-01,1980-01-01", .birthDateRange),
            ("Patient?birthdate=1980", .birthDateRange),
            ("Patient?birthdate=1980-01", .birthDateRange),
            ("Patient?birthdate=ne1980-01-31", .birthDateRange),
            ("Patient?birthdate=ap1980-01-31", .birthDateRange),
            ("Patient?birthdate=gt1980-01-31", .birthDateRange),
            ("Patient?birthdate=GE1980-01-31", .birthDateRange),
            ("Patient?birthdate=1980-13-01", .birthDateRange),
            ("Patient?birthdate=1980-01-31x", .birthDateRange),
            ("Patient?birthdate=80", .birthDateRange),
            ("Patient?birthdate:missing=true", .wideningModifier),
            ("Patient?birthDate=1980-01-31", .noIdentifierNorBirthDate),
            ("Patient?birthdate=", .noCriterion),
            // By whatever else.
            ("Patient", .noCriterion),
            ("Patient?", .noCriterion),
            ("Patient?&&", .noCriterion),
            ("Patient?=a", .noCriterion),
            ("Patient?_count=10&_sort=family&_format=json&_pretty=true", .noCriterion),
            ("Patient?_summary=count", .noCriterion),
            ("Patient?_page=2", .noCriterion),
            ("Patient?_nonsense=a", .noCriterion),
            ("Patient?_include=Patient:link", .noCriterion),
            ("Patient?gender=male", .noIdentifierNorBirthDate),
            ("Patient?address-postalcode=76000", .noIdentifierNorBirthDate),
            ("Patient?_lastUpdated=ge2026-01-01", .lastUpdated),
            ("Patient?_LASTUPDATED=ge2026-01-01", .lastUpdated),
            ("Patient?_lastUpdated=ge2026-01-01&gender=male", .lastUpdated),
            ("Patient?_has:Observation:patient:code=1", .wideningModifier),
            ("Patient?_filter=family+sw+a", .wideningModifier),
            ("Patient?_query=all", .wideningModifier),
            ("Patient?_query=all&identifier=a|1", .wideningModifier),
            ("Patient?_filter=family+sw+a&identifier=a|1", nil),
            ("Patient?organization.identifier=a|1", .noIdentifierNorBirthDate),
            ("Patient?identifier=a|1&_count=100", nil),
            ("Patient?identifier=a|1&_count=101", .largeCount),
            ("Patient?identifier=a|1&_COUNT=101", .largeCount),
            ("Patient?identifier=a|1&_count=50&_count=100000", .largeCount),
            ("Patient?identifier=a|1&_count=100000&_count=50", .largeCount),
            ("Patient?identifier=a|1&_count=99999999999999999999999999", .largeCount),
            // Other types.
            ("RelatedPerson?patient=Patient/1", nil),
            ("RelatedPerson?patient:Patient=1", nil),
            ("RelatedPerson?patient.identifier=a|1", nil),
            ("RelatedPerson?patient.name=a", .noIdentifierNorBirthDate),
            ("RelatedPerson?patient:missing=false", .wideningModifier),
            ("RelatedPerson", .noCriterion),
            ("Person?name=a", .shortName),
            ("Patient?patient=1", .noIdentifierNorBirthDate),
            ("Encounter", .noCriterion),
            ("Encounter?_count=5&_include=Encounter:patient", .noCriterion),
            ("Encounter?_lastUpdated=ge2026", .lastUpdated),
            ("Encounter?status=finished", nil),
            ("Encounter?patient=1&_count=1000", .largeCount),
            ("Organization", nil),
            ("Organization?_count=1000", nil),
            ("Organization?_revinclude=Patient:organization", .noCriterion),
            // Compartments.
            ("Patient/1/Encounter", nil),
            ("Patient/1/Encounter?_count=1000", .largeCount),
            ("Patient/1/RelatedPerson", nil),
            ("Practitioner/1/Patient", .noIdentifierNorBirthDate),
            ("Practitioner/1/Patient?birthdate=1980-01-31", nil),
            ("Practitioner/1/Encounter", nil),
            // Across types, and of whole types.
            ("?name=a", .shortName),
            ("?_type=Patient", .noCriterion),
            ("Patient/_history?_count=1000", .largeCount),
            ("Patient/$match", .noCriterion),
            ("Patient/1?_count=1000", nil),
        ] as [(String, Vagueness?)])
    func `is as vague as its criteria`(url: String, vagueness: Vagueness?) throws {
        #expect(try Asking.question("GET /fhir/" + url).vagueness == vagueness)
        #expect(try Asking.question("HEAD /fhir/" + url).vagueness == vagueness)
    }

    @Test(arguments: [
        ("Patient?identifier=a|1,a|2,a|3", 3),
        ("Patient?_id=1,2", 2),
        ("Patient?identifier=a|1&identifier=a|2,a|3", 2),
        ("Patient?family=DURAND,MARTIN&birthdate=1980-01-31", 2),
        ("Encounter?subject=1,2,3,4", 4),
        ("Observation?subject:Patient.identifier=a|1,a|2", 2),
        ("Observation?patient=1&code=a,b,c", 1),
        ("Patient?active=true,false&identifier=a|1", 1),
        ("Patient/$ihe-pix?sourceIdentifier=a|1,a|2", 2),
        ("Organization?name=a,b", 0),
        ("Organization?_has:Patient:organization:family=a", 1),
        ("Organization?partof.name=a", 1),
        ("Organization/1?_revinclude=Patient:organization", 1),
        ("Practitioner/1/Organization", 1),
    ])
    func `makes as many lookups as it names alternatives`(url: String, lookups: Int) throws {
        #expect(try Asking.question("GET /fhir/" + url).lookups == lookups)
    }

    @Test(arguments: [
        "_count=1e9", "_count=", "_count=-1", "_count=+5", "_count=10,1000", "family=%",
        "family=%4", "family=%C3", "family=%ED%A0%80", "family=%FF", "family=a%00", "fami%00ly=a",
        "fam%25ily=a", "%255fgetpages=a", "a;_getpages=b", "%C3%A9=a", "a b=c", "a%0Ab=c",
        "identifier%20=a",
        "_getpages=a&_getpages=b",
        String(repeating: "a", count: 129) + "=1",
        "identifier=" + String(repeating: "1,", count: 1000),
        String(repeating: "a&", count: 1001),
    ])
    func `is refused when it cannot be decoded, or is beyond its bounds`(query: String) {
        #expect(throws: QuestionError.formNotUnderstood) {
            try Asking.head("GET /fhir/Patient?" + query)
        }
        #expect(throws: QuestionError.formNotUnderstood) {
            try Asking.form("POST /fhir/Patient/_search", query)
        }
    }

    @Test(
        arguments: [
            ("", "identifier=a|1", nil, 1),
            ("identifier=a|1", "", nil, 1),
            ("_format=json", "identifier=a|1,a|2", nil, 2),
            ("_count=1000", "identifier=a|1", .largeCount, 1),
            ("identifier=a|1", "_count=1000", .largeCount, 1),
            ("", "", .noCriterion, 1),
            ("_format=json", "_pretty=true", .noCriterion, 1),
            // Should the server look at one of them only.
            ("birthdate=1980-01-31", "family=a", .shortName, 1),
            ("family=a", "birthdate=1980-01-31", .shortName, 1),
            ("identifier=a|1", "_lastUpdated=ge2020", .lastUpdated, 1),
            ("birthdate=ge1980-01-01", "birthdate=le1980-01-02", .birthDateRange, 1),
            ("identifier=a|1", "family=DURAND&birthdate=1980-01-31", nil, 1),
            ("", "family=Lef%C3%A8vre&birthdate=1980-01-31", nil, 1),
        ] as [(String, String, Vagueness?, Int)])
    func `by POST has the parameters of the URL and of the form`(
        query: String, form: String, vagueness: Vagueness?, lookups: Int
    ) throws {
        let question = try Asking.form("POST /fhir/Patient/_search?" + query, form)
        #expect(question.interaction == .search)
        #expect(question.vagueness == vagueness)
        #expect(question.lookups == lookups)
    }

    @Test func `by POST without a media type has no form`() throws {
        let line = "POST /fhir/Patient/_search?identifier=a|1"
        #expect(try Asking.question(line, body: "", contentType: "").vagueness == nil)
        #expect(throws: QuestionError.mediaTypeNotUnderstood) {
            try Asking.question(line, body: "a=b", contentType: "")
        }
    }

    @Test func `by POST across types is one of the whole server`() throws {
        let question = try Asking.form("POST /fhir/_search", "_type=Patient&identifier=a|1")
        #expect(question.interaction == .searchSystem)
        #expect(question.interaction.isUnbounded)
    }
}
