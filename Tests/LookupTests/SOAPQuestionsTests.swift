// SOAPQuestionsTests.swift: what SOAP requests ask, and how vaguely.

import Foundation
import KeyedHash
import Testing

@testable import Lookup

private func question(
    _ text: String, _ dialect: Dialect = .hl7v3, type: String = "application/soap+xml",
    countMax: Int = 50
) throws(QuestionError) -> Question {
    try questionOfSOAP(
        Array(text.utf8).span, dialect: dialect, contentType: Array(type.utf8).span,
        Inspected.hasher, countMax: countMax)
}

private func envelope(_ body: String, header: String = "") -> String {
    """
    <s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>\(header)</s:Header>\
    <s:Body>\(body)</s:Body></s:Envelope>
    """
}

private func root(_ name: String, _ content: String = "") -> String {
    "<\(name) xmlns=\"urn:hl7-org:v3\"><controlActProcess>\(content)</controlActProcess></\(name)>"
}

private func query(_ parameters: String, more: String = "") -> String {
    envelope(
        root(
            "PRPA_IN201305UV02",
            """
            <queryByParameter><queryId root="1.2" extension="7"/><statusCode code="new"/>\(more)\
            <parameterList>\(parameters)</parameterList></queryByParameter>
            """))
}

private let id = """
    <livingSubjectId><value root="1.2" extension="A"/><semanticsText>x</semanticsText>\
    </livingSubjectId>
    """
private let domain = "<livingSubjectId><value root='1.2'/></livingSubjectId>"
private func name(_ family: String) -> String {
    """
    <livingSubjectName><value use="SRCH"><family>\(family)</family></value><semanticsText>\
    LivingSubject.name</semanticsText></livingSubjectName>
    """
}
private func birth(_ value: String) -> String {
    "<livingSubjectBirthTime>\(value)<semanticsText>x</semanticsText></livingSubjectBirthTime>"
}
private func born(_ low: String, _ high: String) -> String {
    birth("<value><low value='\(low)'/><high value='\(high)'/></value>")
}
private let gender = """
    <livingSubjectAdministrativeGender><value code="F"/></livingSubjectAdministrativeGender>
    """

private let criteria: [(String, Vagueness?)] = [
    (id, nil), (id + gender, nil), (birth("<value value='19800102'/>"), nil),
    (name("DUPONT") + birth("<value value='198001021200'/>"), nil),
    ("", Vagueness.noCriterion), ("<livingSubjectId/>", .noCriterion),
    (
        "<otherIDsScopingOrganization><value root='1.2'/></otherIDsScopingOrganization>",
        .noCriterion
    ),
    (domain, .domainOnly), (domain + name("DUPONT"), .domainOnly), (domain + id, nil),
    (
        "<livingSubjectId><value root='1' extension='A'/><value root='2'/></livingSubjectId>",
        .domainOnly
    ),
    (gender, .noIdentifierNorBirthDate), (name("DUPONT"), .noIdentifierNorBirthDate),
    (name("D"), .shortName), (name("D*") + gender, .shortName), (name("Éa"), .shortName),
    (name("D") + id, nil), (name("D") + birth("<value value='19800102'/>"), nil),
    (birth("<value value='1980'/>"), .birthDateRange),
    (birth("<value value='198001'/>"), .birthDateRange),
    (born("19800101", "19800131"), nil), (born("19991225", "20000110"), nil),
    (born("19800101", "19800301"), .birthDateRange),
    (born("19800131", "19800101"), .birthDateRange),
    (born("", "19800301"), .birthDateRange),
    (birth("<value><low value='19800101'/></value>"), .birthDateRange),
    (birth("<value value='19800102'/><value value='19'/>"), .birthDateRange),
]

private let notUnderstood: [String] = [
    "", "{}", "<a", "<!DOCTYPE a><a/>", "<s:a/>", envelope(""),
    envelope(root("PRPA_IN201305UV02") + root("QUQI_IN000003UV01_Cancel")),
    envelope(root("PRPA_IN201301UV02")).replacingOccurrences(
        of: "</s:Envelope>",
        with: "<s:Body>\(root("PRPA_IN201305UV02"))</s:Body></s:Envelope>"),
    String(repeating: "<a>", count: 65) + String(repeating: "</a>", count: 65),
    "<?xml version='1.0' encoding='UTF-7'?><a/>", "<?xml version='1.0' encoding='UTF-16'?><a/>",
]

@Suite struct `SOAP requests` {
    @Test(arguments: [
        ("PRPA_IN201305UV02", Interaction.query), ("PRPA_IN201309UV02", .crossReferenceQuery),
        ("QUQI_IN000003UV01", .continuation), ("QUQI_IN000003UV01_Cancel", .cancel),
        ("PRPA_IN201301UV02", .feed), ("PRPA_IN201302UV02", .feed), ("PRPA_IN201304UV02", .feed),
        ("MCCI_IN000002UV01", .feed), ("PRPA_IN209999UV02", .unknown), ("patient", .unknown),
    ])
    func `are classified by the root of their body`(name: String, interaction: Interaction) throws {
        let lie = "<a:Action xmlns:a='http://www.w3.org/2005/08/addressing'>urn:x</a:Action>"
        #expect(try question(envelope(root(name), header: lie)).interaction == interaction)
        #expect(try question(root(name)).interaction == interaction)
        let soap11 = envelope(root(name)).replacingOccurrences(
            of: "http://www.w3.org/2003/05/soap-envelope",
            with: "http://schemas.xmlsoap.org/soap/envelope/")
        #expect(try question(soap11, type: "text/xml; charset=utf-8").interaction == interaction)
        // Of another namespace, it is nothing known.
        let other = root(name).replacingOccurrences(of: "urn:hl7-org:v3", with: "urn:x")
        #expect(try question(envelope(other)).interaction == .unknown)
    }

    @Test(arguments: [
        ("<RECSANSVITALE xmlns='http://www.cnamts.fr/INSiRecSans'/>", Interaction.insByTraits),
        ("<RECVITALE xmlns='http://www.cnamts.fr/INSiRecVit'/>", .insByCard),
        ("<o:rechercherInsAvecTraitsIdentite xmlns:o='urn:o'/>", .insByTraits),
        ("<o:rechercherInsAvecCarteVitale xmlns:o='urn:o'/>", .insByCard),
        ("<RECSANSVITALE/>", .unknown), (root("PRPA_IN201305UV02"), .unknown),
    ])
    func `of INSi are known by their element`(body: String, interaction: Interaction) throws {
        #expect(try question(envelope(body), .insi).interaction == interaction)
    }

    @Test(arguments: criteria)
    func `are as vague as their criteria`(parameters: String, vagueness: Vagueness?) throws {
        #expect(try question(query(parameters)).vagueness == vagueness)
    }

    @Test(arguments: [
        ("50", nil), ("51", Vagueness.largeCount), ("x", .largeCount),
        ("99999999999999999999999999", .largeCount), ("", nil),
    ])
    func `ask for no more than the route says`(quantity: String, vagueness: Vagueness?) throws {
        let more = "<initialQuantity value='\(quantity)'/>"
        #expect(try question(query(id, more: more)).vagueness == vagueness)
        let next = root(
            "QUQI_IN000003UV01",
            "<queryContinuation><continuationQuantity value='\(quantity)'/></queryContinuation>")
        #expect(try question(envelope(next)).vagueness == vagueness)
    }

    @Test func `continue and cancel only the query that they name`() throws {
        func next(_ id: String, _ statuses: String...) -> String {
            let codes = statuses.map { "<statusCode code='\($0)'/>" }.joined()
            return envelope(
                root(
                    "QUQI_IN000003UV01",
                    """
                    <queryContinuation><queryId root="1.2" extension="\(id)"/>\(codes)\
                    </queryContinuation>
                    """))
        }
        let opened = try question(query(id))
        #expect(opened.opens != nil && opened.page == nil)
        let continued = try question(next("7", "waitContinuedQueryResponse"))
        #expect(continued.interaction == .continuation && continued.page == opened.opens)
        #expect(try question(next("8")).page != opened.opens)
        #expect(try question(next("7", "aborted")).interaction == .cancel)
        #expect(try question(next("7", "aborted")).lookups == 0)
        #expect(try question(next("7", "aborted", "new")).interaction == .continuation)
        // The answer to the query names it in the same way.
        let answer = XMLSamples.inspected(XMLSamples.pdq([]), .hl7v3)
        let asked = query(id).replacingOccurrences(
            of: "root=\"1.2\" extension=\"7\"", with: "root=\"1.2.3.9\" extension=\"Q1\"")
        #expect(try question(asked).opens == answer.pages.first)
    }

    @Test(arguments: notUnderstood)
    func `that could be taken for two things, or for none, are refused`(body: String) {
        #expect(throws: QuestionError.bodyNotUnderstood) { try question(body) }
    }

    @Test(arguments: ["application/json", "text/plain", "text/xml; charset=utf-16"])
    func `of another type are refused`(type: String) {
        #expect(throws: QuestionError.mediaTypeNotUnderstood) {
            try question(query(id), type: type)
        }
    }

    @Test func `of several parts are known by the one of XML`() throws {
        let type = "multipart/related; type=\"application/xop+xml\"; boundary=\"b 1\""
        func part(_ type: String, _ body: String) -> String {
            "--b 1\r\nContent-Type: \(type)\r\n\r\n\(body)\r\n"
        }
        let xml = part("application/xop+xml; charset=UTF-8", query(id))
        let picture = part("image/png", "PNG")
        #expect(try question(xml + picture + "--b 1--\r\n", type: type).interaction == .query)
        #expect(throws: QuestionError.bodyNotUnderstood) {
            try question(xml + xml + "--b 1--\r\n", type: type)
        }
        #expect(throws: QuestionError.bodyNotUnderstood) { try question(xml, type: type) }
    }
}
