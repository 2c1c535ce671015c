// Hearings.swift: requests and answers put to a configuration without a gate.

import Foundation
import KeyedHash
import Lookup
import Testing

@testable import Policy

private let key = SipKey(low: 1, high: 2)

/// Hears a request of a professional; `lines` are added to the route.
private func hear(
    _ request: String, answer: SampleAnswer? = nil, used: Usage = Usage(), lines: String = "",
    lookups: String = "fhir", _ change: (inout Inquiry) -> Void = { _ in }
) throws -> Hearing {
    let text = changed("    lookups: fhir\n", "    lookups: \(lookups)\n" + lines)
    let glass = "  glass:\n    - {count: patients, limit: 70, per: 1h}\n"
    let parts = request.split(separator: " ")
    var inquiry = Inquiry(
        method: String(parts[0]), target: String(parts[1]), proof: .person,
        professional: "899700218896")
    inquiry.answer = answer
    inquiry.used = used
    change(&inquiry)
    return Rulebook(try configuration(text + (lines.contains("glass") ? glass : "")))
        .hear(inquiry, key: key)
}

private func bundle(_ ids: String...) -> SampleAnswer {
    let entries = ids.map { #"{"resource":{"resourceType":"Patient","id":"\#($0)"}}"# }
    let text =
        #"{"resourceType":"Bundle","type":"searchset","total":\#(ids.count),"entry":["#
        + entries.joined(separator: ",") + "]}"
    return SampleAnswer(contentType: "application/fhir+json", body: Array(text.utf8))
}

private let search = "GET /fhir/Patient?family=DURAND&birthdate=1970-01-01"

@Suite struct `A hearing` {
    @Test func `counts what an answer shows, each person once`() throws {
        let hearing = try hear(search, answer: bundle("1", "2", "1"))
        #expect(hearing.decision == .allowed(route: 0))
        #expect(hearing.question?.interaction == .search)
        #expect(
            hearing.charge == Usage(requests: 1, lookups: 1, patients: 2, disclosures: 2))
        #expect(hearing.inspected?.finding == .understood)
    }

    @Test(arguments: [
        (Usage(patients: 58), Decision.allowed(route: 0)),
        (Usage(patients: 59), .limitReached(route: 0, set: 0, limit: 1)),
        (Usage(requests: 600), .limitReached(route: 0, set: 0, limit: 0)),
    ])
    func `withholds an answer that would pass a ceiling`(
        used: Usage, decision: Decision
    ) throws {
        #expect(try hear(search, answer: bundle("1", "2"), used: used).decision == decision)
    }

    @Test func `looks at no answer of what was refused`() throws {
        let vague = try hear("GET /fhir/Patient?family=D", answer: bundle("1"))
        guard case .tooVague = vague.decision else {
            Issue.record("decided \(vague.decision)")
            return
        }
        #expect(vague.inspected == nil)
        let late = try hear(search, answer: bundle("1"), used: Usage(requests: 600))
        #expect(late.inspected == nil)
    }

    @Test func `counts an answer that nobody was found as a miss, and stops who has many`() throws {
        let limits = changed(
            "count: requests, limit: 600, per: 1m", "count: misses, limit: 3, per: 1h")
        var inquiry = Inquiry(
            method: "GET", target: "/fhir/Patient/1", proof: .person, professional: "899700218896")
        inquiry.answer = SampleAnswer(status: 404, contentType: "text/plain", body: [])
        let rulebook = Rulebook(try configuration(limits))
        #expect(
            rulebook.hear(inquiry, key: key).charge == Usage(requests: 1, lookups: 1, misses: 1))
        inquiry.used = Usage(misses: 2)
        #expect(rulebook.hear(inquiry, key: key).decision == .allowed(route: 0))
        inquiry.used = Usage(misses: 3)
        let stopped = rulebook.hear(inquiry, key: key)
        #expect(stopped.decision == .limitReached(route: 0, set: 0, limit: 0))
        // Before it is asked: an answer withheld would tell as much as the miss.
        #expect(stopped.inspected == nil)
    }

    @Test func `withholds or charges what nobody understands, as the route says`() throws {
        let page = SampleAnswer(contentType: "text/html", body: Array("DURAND".utf8))
        let withheld = try hear(search, answer: page)
        #expect(withheld.decision == .answerWithheld(route: 0, .mediaType))
        #expect(withheld.decision.status == 502)
        let lines = "    unparsed: charge\n    unparsed_charge: 40\n"
        #expect(try hear(search, answer: page, lines: lines).charge.patients == 40)
        #expect(
            try hear(search, answer: page, used: Usage(patients: 21), lines: lines).decision
                == .limitReached(route: 0, set: 0, limit: 1))
    }

    @Test func `counts by the other limits when the glass is broken`() throws {
        let lines = "    break_glass: {header: X-Reason, limits: glass}\n"
        let used = Usage(requests: 600, patients: 69)
        func hear(_ ids: String..., breaks: Bool) throws -> Hearing {
            try PolicyTests.hear(
                search, answer: ids.count == 1 ? bundle("1") : bundle("1", "2"), used: used,
                lines: lines
            ) { $0.breaksGlass = breaks }
        }
        #expect(
            try hear("1", breaks: false).decision == .limitReached(route: 0, set: 0, limit: 0))
        #expect(try hear("1", breaks: true).decision == .allowed(route: 0))
        #expect(
            try hear("1", "2", breaks: true).decision
                == .limitReached(route: 0, set: 1, limit: 0))
    }

    @Test func `refuses what it cannot understand`() throws {
        let hearing = try hear("POST /fhir/Patient/_search") {
            $0.contentType = "image/png"
            $0.body = [1, 2, 3]
        }
        #expect(hearing.decision == .questionNotUnderstood(route: 0, .mediaTypeNotUnderstood))
        #expect(hearing.question == nil)
    }

    @Test func `reads a form beside the query`() throws {
        let hearing = try hear("POST /fhir/Patient/_search") {
            $0.contentType = "application/x-www-form-urlencoded"
            $0.body = Array("identifier=urn:oid:1.2.3|4".utf8)
        }
        #expect(hearing.decision == .allowed(route: 0))
        #expect(hearing.question?.interaction == .search)
    }
}

@Suite struct `A policy test with an answer` {
    private func got(_ text: String) throws -> [CaseResult] {
        let run = runPolicyTests(try configuration(), text: Array(text.utf8), name: "t")
        #expect(run.diagnostics == [])
        return run.results
    }

    private static let answer =
        #"{body: '{"resourceType": "Patient", "id": "1", "birthDate": "1970-01-01"}'}"#

    @Test func `says what was asked and found where that was expected`() throws {
        let results = try got(
            """
            - name: a
              request: GET /fhir/Patient/1
              as: 899700218896
              answer: \(Self.answer)
              expect: allow
              interaction: read
              vague: none
              lookups: 1
              patients: 1
              fields: [birth-date]
            - name: b
              request: GET /fhir/Patient/1
              as: 899700218896
              answer: \(Self.answer)
              expect: allow
              interaction: vread
              vague: short-name
              lookups: 2
              patients: 2
              fields: [name]
            """)
        #expect(results.map(\.passed) == [true, false])
        #expect(
            results[1].expected
                == "allow, vread, vague: short-name, lookups: 2, patients: 2, fields: name")
        #expect(
            results[1].got
                == "allow on route fhir by `route fhir` at h:12, read, not vague, lookups: 1, "
                + "patients: 1, fields: birth-date")
    }

    @Test func `fails when what it expects was never reached`() throws {
        let results = try got(
            """
            - name: a
              request: GET /none
              as: 899700218896
              answer: \(Self.answer)
              expect: deny
              patients: 0
            """)
        #expect(results.map(\.passed) == [false])
    }

    @Test func `may name files beside it`() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("herse-cases-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(bundle("1", "2").body).write(to: folder.appendingPathComponent("two.json"))
        try Data("birthdate=1970-01-01".utf8).write(to: folder.appendingPathComponent("form"))
        let cases = folder.appendingPathComponent("a.test.yaml")
        try Data(
            """
            - name: a
              request: POST /fhir/Patient/_search
              content_type: application/x-www-form-urlencoded
              body_file: form
              as: 899700218896
              answer: {file: two.json}
              expect: allow
              patients: 2
            - {name: b, request: GET /, as: none, body_file: gone, expect: deny}
            """.utf8
        ).write(to: cases)
        let run = runPolicyTests(try configuration(), files: [cases.path])
        #expect(run.results.map(\.passed) == [true])
        #expect(
            run.diagnostics.map(\.description) == [
                "\(cases.path):9:50: error: `body_file`: cannot be read: no such file"
            ])
    }

    @Test(arguments: cases(refused))
    func `that cannot be read is refused with its place`(sample: Case) throws {
        let text = "- {name: a, request: GET /fhir/, as: 899700218896, expect: deny, \(sample.new)}"
        let run = runPolicyTests(try configuration(), text: Array(text.utf8), name: "t")
        #expect(run.diagnostics.map(\.description) == [sample.line])
    }
}

/// Keys of a case (`+`), and what is said of them (`=`).
private let refused = #"""
    + after: {patient: 5}
    = t:1:74: error: unknown key `patient` in `after` (did you mean `patients`?)

    + after: many
    = t:1:73: error: `after`: `many` is not a number (a whole number of 0 to 1000000000, unquoted)

    + answer: {status: 100}
    = t:1:83: error: `status`: 100 is out of range (at least 200, at most 599)

    + answer: {body: a, file: b}
    = t:1:84: error: `file` beside `body`: one of them is enough

    + answer: {file: b}
    = t:1:81: error: `file`: files are not read here

    + patients: 1
    = t:1:66: error: `patients` needs an `answer`

    + fields: [name]
    = t:1:66: error: `fields` needs an `answer`

    + answer: {}, fields: [nam]
    = t:1:87: error: `fields`: unknown value `nam` (did you mean `name`?)

    + interaction: serach
    = t:1:79: error: `interaction`: unknown value `serach` (did you mean `search`?)

    + vague: very
    = t:1:73: error: `vague`: unknown value `very` (known: no-criterion, no-identifier-nor-birth-date, short-name, domain-only, last-updated, large-count, birth-date-range, widening-modifier)

    + card_age: 2d
    = t:1:76: error: `card_age`: 2d is out of range (at least 0s, at most 1d)
    """#

@Suite struct `A declared extractor` {
    @Test func `finds persons in answers, and says what is shown of them`() throws {
        let text =
            """
            extractors:
              - name: portal
                language: json-pointer
                person: /patients/*/id
                fields: {name: /patients/*/name}
                count: /total

            """ + changed("lookups: fhir", "lookups: portal")
        var inquiry = Inquiry(
            method: "GET", target: "/fhir/list", proof: .person, professional: "899700218896")
        inquiry.answer = SampleAnswer(
            contentType: "application/json",
            body: Array(#"{"patients":[{"id":"1","name":"A"},{"id":"2"},{"id":"1"}]}"#.utf8))
        let rulebook = Rulebook(try configuration(text))
        let hearing = rulebook.hear(inquiry, key: key)
        #expect(hearing.question?.interaction == .declared)
        #expect(hearing.inspected?.persons.count == 2)
        #expect(hearing.inspected?.fields.contains(.name) == true)
        inquiry.answer?.body = Array(#"{"total":0}"#.utf8)
        #expect(rulebook.hear(inquiry, key: key).charge.misses == 1)
        inquiry.answer?.body = Array(#"{"error":"late"}"#.utf8)
        #expect(rulebook.hear(inquiry, key: key).decision.status == 502)
    }
}
