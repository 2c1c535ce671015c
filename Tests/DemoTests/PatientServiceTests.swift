// PatientServiceTests.swift: what the sample identity server answers, without a connection.

import FlyingFox
import Foundation
import Testing

@testable import Demo

private let patients = samplePatients(count: 300, seed: 7)

/// One request answered, its JSON read.
private struct Asked {
    let status: Int
    let headers: HTTPHeaders
    let json: [String: Any]

    init(
        _ path: String, method: HTTPMethod = .GET, headers: HTTPHeaders = [:], body: String = "",
        of service: PatientService = PatientService(patients)
    ) async throws {
        let parts = path.split(separator: "?", maxSplits: 1)
        let request = HTTPRequest(
            method: method, version: .http11,
            target: .init(path: String(parts[0]), query: parts.count > 1 ? String(parts[1]) : ""),
            headers: headers, body: HTTPBodySequence(data: Data(body.utf8)))
        let response = try await service.handleRequest(request)
        status = response.statusCode.code
        self.headers = response.headers
        let data = try await response.bodyData
        let object = data.isEmpty ? [:] : try JSONSerialization.jsonObject(with: data)
        json = object as? [String: Any] ?? [:]
    }

    var type: String? { json["resourceType"] as? String }
    var total: Int? { json["total"] as? Int }

    var ids: [String] {
        (json["entry"] as? [[String: Any]] ?? []).compactMap {
            ($0["resource"] as? [String: Any])?["id"] as? String
        }
    }

    func link(_ relation: String) -> String? {
        (json["link"] as? [[String: String]])?.first { $0["relation"] == relation }?["url"]
    }
}

@Suite struct `Synthetic patients` {
    @Test func `are the same for the same seed`() {
        #expect(samplePatients(count: 50, seed: 7) == Array(patients.prefix(50)))
        #expect(samplePatients(count: 50, seed: 8) != Array(patients.prefix(50)))
    }

    @Test func `have a matricule of 15 characters that agrees with their birth and sex`() {
        for patient in patients {
            let birth = patient.birthDate
            let month = (birth.month < 10 ? "0" : "") + "\(birth.month)"
            #expect(patient.ins.count == 15)
            #expect(patient.ins.hasPrefix(patient.isWoman ? "2" : "1"))
            #expect(patient.ins.dropFirst(3).hasPrefix(month + patient.birthPlace))
        }
    }

    @Test(arguments: [
        ("1090763220834", 89), ("2090663220123", 55), ("297022A020778", 78),
    ])
    func `have the key of the national examples`(body: String, key: Int) {
        #expect(matriculeKey(body) == key)
    }
}

@Suite struct `The sample identity server` {
    @Test func `gives a patient by id`() async throws {
        let asked = try await Asked("/fhir/Patient/p000001")
        #expect(asked.status == 200)
        #expect(asked.headers[.contentType] == "application/fhir+json; charset=utf-8")
        #expect(asked.json["birthDate"] as? String == patients[0].birthDate.description)
        let identifiers = try #require(asked.json["identifier"] as? [[String: Any]])
        #expect(identifiers[0]["value"] as? String == patients[0].ins)
        #expect(identifiers[0]["system"] as? String == "urn:oid:1.2.250.1.213.1.4.10")
    }

    @Test func `answers HEAD as GET without its body`() async throws {
        let head = try await Asked("/fhir/Patient/p000001", method: .HEAD)
        let expected = PatientService(patients).resources[0].json.utf8.count
        #expect(head.status == 200)
        #expect(head.headers[.contentLength] == String(expected))
        #expect(head.json.isEmpty)
    }

    @Test func `finds a family name without accents or case, by its beginning`() async throws {
        let accented = patients.filter { $0.family.hasPrefix("LEFÈVRE") }.map(\.id)
        #expect(!accented.isEmpty)
        for form in ["lefevre", "LEFE", "lef%C3%A8vre", "LeFe%CC%80vre"] {
            let asked = try await Asked("/fhir/Patient?family=\(form)&_count=100")
            #expect(asked.ids == accented, "form \(form)")
            #expect(asked.total == accented.count)
        }
        #expect(try await Asked("/fhir/Patient?family=efevre").total == 0)
        #expect(
            try await Asked("/fhir/Patient?family:contains=efevre").total == accented.count)
        #expect(try await Asked("/fhir/Patient?family:exact=lefevr").total == 0)
    }

    @Test func `finds by identifier, with or without its system`() async throws {
        let patient = patients[41]
        for query in [
            "identifier=\(patient.ins)",
            "identifier=urn:oid:1.2.250.1.213.1.4.10%7C\(patient.ins)",
            "identifier=https://mpi.example/identifiers/ipp%7C\(patient.localIdentifier)",
            "_id=\(patient.id)", "_id=nobody,\(patient.id)",
        ] {
            #expect(try await Asked("/fhir/Patient?\(query)").ids == [patient.id])
        }
        let wrong = "identifier=urn:oid:1.2.3%7C\(patient.ins)"
        #expect(try await Asked("/fhir/Patient?\(wrong)").ids == [])
    }

    @Test(arguments: [
        ("1955", 1955_00_00...1955_99_99), ("eq1955", 1955_00_00...1955_99_99),
        ("ge1990-06", 1990_06_00...9999_99_99), ("lt1990-06", 0...1990_05_99),
        ("gt1990", 1991_00_00...9999_99_99), ("le1990", 0...1990_99_99),
    ])
    func `finds by date of birth`(value: String, days: ClosedRange<Int>) async throws {
        let found = patients.filter { days.contains($0.birthDate.ordinal) }.count
        #expect(found > 0)
        #expect(try await Asked("/fhir/Patient?birthdate=\(value)").total == found)
    }

    @Test func `finds by all criteria at once, from a form too`() async throws {
        let patient = patients[10]
        let query =
            "family=\(foldedForSearch(patient.family).prefix(4))"
            + "&birthdate=\(patient.birthDate)"
        let got = try await Asked("/fhir/Patient?" + query.replacing(" ", with: "+"))
        let posted = try await Asked(
            "/fhir/Patient/_search", method: .POST,
            headers: [.contentType: "application/x-www-form-urlencoded"],
            body: query.replacing(" ", with: "%20"))
        #expect(got.ids == [patient.id])
        #expect(posted.ids == [patient.id])
        #expect(posted.link("self") == got.link("self"))
    }

    @Test func `gives a long result page by page, each patient once`() async throws {
        let service = PatientService(patients)
        let proxied: HTTPHeaders = [
            HTTPHeader("X-Forwarded-Proto"): "https",
            HTTPHeader("X-Forwarded-Host"): "gate.example:8443",
        ]
        var page = try await Asked(
            "/fhir/Patient?gender=female&_count=7", headers: proxied, of: service)
        let total = page.total
        var ids = page.ids
        #expect(
            page.link("self") == "https://gate.example:8443/fhir/Patient?gender=female&_count=7")
        while let next = page.link("next") {
            #expect(next.hasPrefix("https://gate.example:8443/fhir?_getpages="))
            let path = String(next.dropFirst("https://gate.example:8443".count))
            page = try await Asked(path, headers: proxied, of: service)
            #expect(page.status == 200 && page.total == total)
            ids += page.ids
        }
        #expect(ids == patients.filter(\.isWoman).map(\.id))
    }

    @Test func `forgets the oldest search when it holds too many`() async throws {
        let service = PatientService(patients)
        let first = try await Asked("/fhir/Patient?_count=1", of: service).link("next")
        for _ in 0..<PageStore.snapshotsMax {
            _ = try await Asked("/fhir/Patient?_count=1", of: service)
        }
        let path = try #require(first).replacing("http://localhost", with: "")
        let asked = try await Asked(path, of: service)
        #expect(asked.status == 410)
        #expect(asked.type == "OperationOutcome")
    }

    @Test(arguments: [
        ("/fhir/Patient/nobody", "GET", 404), ("/", "GET", 404), ("/fhir", "GET", 404),
        ("/fhir/Patient/p000001", "DELETE", 405), ("/fhir/Patient", "POST", 405),
        ("/fhir/Patient/_search", "GET", 405), ("/fhir/Patient/_search", "POST", 415),
        ("/fhir/Patient?nickname=x", "GET", 400), ("/fhir/Patient?birthdate=90", "GET", 400),
        ("/fhir/Patient?birthdate=zz1990", "GET", 400), ("/fhir/Patient?family=%C3", "GET", 400),
        ("/fhir/Patient?family=%4", "GET", 400), ("/fhir/Patient?_count=-1", "GET", 400),
        ("/fhir/Patient?birthdate=1990-01-01-01", "GET", 400),
        ("/fhir/Patient?birthdate=-990", "GET", 400),
        ("/fhir?_getpages=x&_getpagesoffset=9223372036854775807&_count=9", "GET", 410),
        ("/fhir?_getpages=x&_getpagesoffset=-1&_count=9", "GET", 400),
        ("/fhir/Patient?" + String(repeating: "a=b&", count: 33), "GET", 400),
        ("/fhir/Patient?family=" + String(repeating: "a", count: 20_000), "GET", 400),
    ])
    func `refuses with an OperationOutcome`(path: String, method: String, status: Int) async throws
    {
        let asked = try await Asked(path, method: HTTPMethod(method))
        #expect(asked.status == status)
        #expect(asked.type == "OperationOutcome")
    }

    @Test func `refuses a body it would not hold`() async throws {
        let asked = try await Asked(
            "/fhir/Patient/_search", method: .POST,
            headers: [.contentType: "application/x-www-form-urlencoded"],
            body: String(repeating: "a", count: PatientService.bodyMax + 1))
        #expect(asked.status == 413)
    }

    @Test(arguments: [
        ("899700218896", "899700218896"), ("3760021832/000000018", "3760021832/000000018"),
        ("a b", nil), ("", nil), (String(repeating: "8", count: 129), nil),
    ])
    func `shows who the gate said is asking`(sent: String, shown: String?) async throws {
        let asked = try await Asked(
            "/fhir/metadata", headers: [HTTPHeader("Herse-Professional"): sent])
        #expect(asked.headers[HTTPHeader("X-Sample-Professional")] == shown)
        #expect(asked.type == "CapabilityStatement")
    }

    @Test(arguments: [
        ("mpi:9000", "http://mpi:9000/fhir"), ("[::1]:9000", "http://[::1]:9000/fhir"),
        ("a\"b", "http://localhost/fhir"), ("", "http://localhost/fhir"),
    ])
    func `builds its links from the host it was asked by`(host: String, base: String) {
        #expect(PatientService.base(of: [.host: host]) == base)
    }
}
