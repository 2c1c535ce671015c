// QuestionPageTests.swift: page links, in whatever server's words.

import Testing

@testable import Lookup

@Suite struct `A page link` {
    @Test(arguments: [
        ("GET /fhir?_getpages=X&_getpagesoffset=20&_count=10&_pretty=true&_bundletype=searchset"),
        ("GET /fhir/?_getpages=X"),
        ("GET /?_getpages=X"),
        ("HEAD /fhir?_getpages=X"),
        ("GET /fhir?%5fgetpages=X&_format=json"),
        ("GET /fhir?_getpages=%58"),
        ("GET /fhir?_getpages=X&_getpages=X"),
        ("GET /fhir?_GetPages=X"),
        ("GET /fhir?_pageId=X"),
        ("GET /fhir?queryId=X&page=2"),
        ("GET /fhir/Patient?_getpages=X&_getpagesoffset=10"),
        ("GET /fhir/Patient?_page_token=X"),
        ("GET /fhir/Patient?identifier=a|1&_page_token=X"),
        ("GET /fhir/Patient?identifier=a|1&ct=X"),
        ("GET /fhir/Patient?_count=10&page=X"),
        ("GET /fhir/Patient/1/Encounter?_cursor=X"),
        ("GET /fhir/Patient/1/_history?ct=X"),
        ("GET /fhir/Patient/1/$everything?_page_token=X"),
        // Servers that look for it before they look at the path.
        ("GET /fhir/metadata?_getpages=X"),
        ("GET /fhir/Patient/1?_pageId=X"),
        ("GET /fhir/Organization?_getpages=X"),
    ])
    func `is known by what is opaque in it`(line: String) throws {
        let question = try Asking.question(line)
        #expect(question.interaction == .page)
        #expect(question.interactions == Interactions(.page))
        #expect(question.lookups == 1)
        #expect(question.vagueness == nil)
        #expect(question.page == Asking.token("X"))
        let query = Array(line.split(separator: "?")[1].utf8)
        #expect(pageToken(ofQuery: query.span, Asking.hasher) == question.page)
    }

    @Test(arguments: [
        ("GET /fhir?_getpages=", Interaction.searchSystem),
        ("GET /fhir?_getpages=%20", .searchSystem),
        ("GET /fhir?_getpagesoffset=10", .searchSystem),
        ("GET /fhir/Patient?identifier=a|1&_page=2", .search),
        ("GET /fhir/Patient?identifier=a|1&page=2", .search),
        ("GET /fhir/Patient?identifier=a|1&_skip=10", .search),
        ("GET /fhir/Patient/1?ct=X", .read),
        ("GET /fhir/metadata?ct=X", .capabilities),
    ])
    func `is none without anything opaque`(line: String, interaction: Interaction) throws {
        let question = try Asking.question(line)
        #expect(question.interaction == interaction)
        #expect(question.page == nil)
    }

    /// A server that does not know the parameter answers all the rest.
    @Test(
        arguments: [
            ("GET /fhir/Patient/_history?ct=X", Interaction.historyType, nil),
            ("GET /fhir/_history?_getpages=X", .historySystem, nil),
            ("GET /fhir?_getpages=X&name=a", .searchSystem, .shortName),
            ("GET /fhir/Patient/$everything?_pageId=X", .everythingType, nil),
            ("GET /fhir/Patient/$foo?ct=X", .operation, nil),
            ("GET /fhir/Patient/_search?_getpages=X", .unknown, nil),
        ] as [(String, Interaction, Vagueness?)])
    func `does not hide what else is asked`(
        line: String, interaction: Interaction, vagueness: Vagueness?
    ) throws {
        let question = try Asking.question(line)
        #expect(question.interactions.contains(interaction))
        #expect(question.vagueness == vagueness)
    }

    @Test(
        arguments: [
            ("GET /fhir/Patient?_page_token=X&family=a", .shortName),
            ("GET /fhir/Patient?_getpages=X&_lastUpdated=ge1900", .lastUpdated),
            ("GET /fhir/Patient?_getpages=X&_offset=1000", .noCriterion),
            ("GET /fhir?_getpages=X&_count=100", nil),
            ("GET /fhir?_getpages=X&_count=1000", .largeCount),
        ] as [(String, Vagueness?)])
    func `is as vague as the search it goes on with`(line: String, vagueness: Vagueness?) throws {
        #expect(try Asking.question(line).vagueness == vagueness)
    }

    @Test func `with two opaque parameters is another than with one of them`() throws {
        let both = try Asking.question("GET /fhir?_getpages=X&_pageId=Y")
        let turned = try Asking.question("GET /fhir?_pageId=Y&_getpages=X")
        #expect(both.page == turned.page)
        #expect(both.page != Asking.token("X"))
        #expect(both.page != Asking.token("Y"))
    }

    @Test func `may come in a form`() throws {
        let question = try Asking.form("POST /fhir/Patient/_search", "family=DURAND&ct=X")
        #expect(question.interaction == .page)
        #expect(question.page == Asking.token("X"))
        #expect(throws: QuestionError.formNotUnderstood) {
            try Asking.form("POST /fhir/Patient/_search?ct=Y", "ct=X")
        }
    }

    @Test func `that cannot be decoded has no token`() {
        for query in ["", "a=b", "_getpages=%", "_getpages=a&_getpages=b"] {
            let bytes = Array(query.utf8)
            #expect(pageToken(ofQuery: bytes.span, Asking.hasher) == nil)
        }
    }
}
