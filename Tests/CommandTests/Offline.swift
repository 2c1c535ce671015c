// Offline.swift: check, test and explain, which read files and decide nothing of their own.

import ArgumentParser
import Demo
import Foundation
import Gate
import Testing

@testable import herse

/// A folder with files of the given names and texts.
private func folder(_ files: [String: String]) throws -> String {
    let folder = try temporaryFolder()
    for (name, text) in files {
        try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
    }
    return folder
}

@Suite struct `herse check` {
    @Test func `finds a whole configuration valid`() async throws {
        let folder = try temporaryFolder()
        let pki = try ThrowAwayPKI.create(in: folder)
        _ = pki
        try makeAuditor(in: folder)
        try demoConfiguration(port: 8443, serverPort: 9000)
            .write(toFile: folder + "/herse.yaml", atomically: true, encoding: .utf8)
        let ended = try await run(["check", "-c", folder + "/herse.yaml"])
        #expect(ended.talk == "")
        #expect(ended.data == "\(folder)/herse.yaml: valid, 1 listener, 2 routes")
        #expect(ended.code == 0)
        let machine = try await run(["check", "--json", "-c", folder + "/herse.yaml"])
        #expect(machine.code == 0)
        let list = try JSONSerialization.jsonObject(with: Data(machine.data.utf8))
        #expect((list as? [Any])?.isEmpty == true)
    }

    @Test func `opens what is named and says where it was named`() async throws {
        let folder = try temporaryFolder()
        let pki = try ThrowAwayPKI.create(in: folder)
        try makeAuditor(in: folder)
        try FileManager.default.removeItem(atPath: pki.serverKeyPath)
        let other = try pki.issueCard(
            name: "other", .organisation(structure: "1", name: "x", service: "y"))
        try FileManager.default.copyItem(atPath: other.keyPath, toPath: pki.serverKeyPath)
        try demoConfiguration(port: 8443, serverPort: 9000)
            .write(toFile: folder + "/herse.yaml", atomically: true, encoding: .utf8)
        let ended = try await run(["check", "-c", folder + "/herse.yaml"])
        #expect(ended.code == 1)
        #expect(ended.talk.contains("\(folder)/herse.yaml:1"))
        #expect(ended.talk.contains(": error: "))
        #expect(ended.data == "\(folder)/herse.yaml: invalid, 1 error")
    }

    @Test func `says every problem with its place`() async throws {
        let folder = try folder(["herse.yaml": sampleConfiguration(more: "workres: 2")])
        let ended = try await run(["check", "-c", folder + "/herse.yaml"])
        #expect(ended.code == 1)
        #expect(ended.talk.contains("\(folder)/herse.yaml:28:1: error: "))
        #expect(ended.talk.contains("did you mean `workers`?"))
        #expect(
            ended.data.hasSuffix(
                "herse.yaml: invalid, \(ended.talk.split(separator: "\n").count) errors"))
        let machine = try await run(["check", "--json", "-c", folder + "/herse.yaml"])
        #expect(machine.code == 1)
        let list = try JSONSerialization.jsonObject(with: Data(machine.data.utf8))
        let first = try #require((list as? [[String: Any]])?.last)
        #expect(first["line"] as? Int == 28)
        #expect(first["severity"] as? String == "error")
        #expect(first["file"] as? String == folder + "/herse.yaml")
    }

    @Test func `says that there is nothing to check`() async throws {
        let ended = try await run(["check", "-c", "/nonexistent/herse.yaml"])
        #expect(ended.code == 1)
        #expect(ended.talk.contains("/nonexistent/herse.yaml"))
    }
}

@Suite struct `herse test` {
    private static let good = """
        - name: a patient is looked up
          request: GET /fhir/Patient/1
          as: account:899700218896
          expect: allow
        """
    private static let bad = """
        - name: nobody passes
          request: GET /fhir/Patient/1
          as: account:899700218896
          expect: deny
        """

    @Test func `passes when every case does`() async throws {
        let folder = try folder(["herse.yaml": sampleConfiguration(), "herse.test.yaml": Self.good])
        let ended = try await run(["test", "-c", folder])
        #expect(ended.code == 0)
        #expect(ended.data == "1 passed, 0 failed")
    }

    @Test func `shows what was expected and what came out`() async throws {
        let folder = try folder([
            "herse.yaml": sampleConfiguration(), "herse.test.yaml": Self.good + "\n" + Self.bad,
        ])
        let ended = try await run(["test", "-c", folder])
        #expect(ended.code == 1)
        #expect(
            ended.data == """
                \(folder)/herse.test.yaml:5: failed: nobody passes
                  expected  deny
                  got       allow on route fhir by `route fhir` at \(folder)/herse.yaml:17
                1 passed, 1 failed
                """)
        let machine = try await run(["test", "-c", folder, "--json"])
        #expect(machine.code == 1)
        let object = try JSONSerialization.jsonObject(with: Data(machine.data.utf8))
        let report = try #require(object as? [String: Any])
        #expect(report["failed"] as? Int == 1)
        #expect((report["cases"] as? [Any])?.count == 2)
    }

    @Test func `fails when there is no case, none that can be read, or no configuration`()
        async throws
    {
        let none = try folder(["herse.yaml": sampleConfiguration()])
        let without = try await run(["test", "-c", none])
        #expect(without.code == 1)
        #expect(without.talk.contains("hint: write cases in a file named `herse.test.yaml`"))
        let broken = try folder(["herse.yaml": sampleConfiguration(), "herse.test.yaml": "- 7"])
        let unread = try await run(["test", "-c", broken])
        #expect(unread.code == 1)
        #expect(unread.talk.contains("herse.test.yaml:1:"))
        let invalid = try folder(["herse.yaml": "routes: 7", "herse.test.yaml": Self.good])
        let refused = try await run(["test", "-c", invalid])
        #expect(refused.code == 1)
        #expect(refused.talk.contains("herse.yaml:1:"))
    }

    @Test func `passes for the configuration of the demonstration`() async throws {
        let folder = try folder([
            "herse.yaml": demoConfiguration(port: 8443, serverPort: 9000),
            "herse.test.yaml": demoTests,
        ])
        #expect(try await run(["test", "-c", folder]).data == "2 passed, 0 failed")
    }
}

@Suite struct `herse explain` {
    private func explain(
        _ arguments: [String], list: String? = nil, gate: String? = nil
    ) async throws -> (CommandRun, folder: String) {
        var files = ["herse.yaml": sampleConfiguration()]
        if let list {
            files["herse.yaml"] = sampleConfiguration(more: "neutralized: neutralized.list")
            files["neutralized.list"] = list
        }
        let folder = try folder(files)
        let control = gate.map { ["--control", $0] } ?? []
        let ended = try await run(
            ["explain"] + arguments + ["-c", folder + "/herse.yaml"] + control)
        return (ended, folder)
    }

    @Test func `goes through the steps of what is allowed`() async throws {
        let (ended, folder) = try await explain([
            "GET", "/fhir/Patient/1?_format=json", "--as", "899700218896",
        ])
        #expect(ended.code == 0)
        let file = folder + "/herse.yaml"
        #expect(
            ended.data.split(separator: "\n").map {
                $0.split(separator: "  ").map { $0.drop { $0 == " " } }
            }
                == [
                    [
                        "GET /fhir/Patient/1?_format=json as account:899700218896 on listener professionals"
                    ],
                    ["STEP", "OUTCOME", "BY", "AT"],
                    ["neutralization", "passed", "no list", "-"],
                    ["route", "passed", "fhir: /fhir/", "\(file):17"],
                    [
                        "identity", "passed", "professional 899700218896, by certificate",
                        "\(file):22",
                    ],
                    ["question", "passed", "read (ITI-78), 1 lookup", "\(file):17"],
                    [
                        "limits", "passed", "standard: 20 requests per 1m, 60 patients per 1h",
                        "\(file):25",
                    ],
                    ["answer", "not reached", "-", "-"],
                    ["allowed: goes to identity server mpi, by route fhir at \(file):17"],
                    ["LIMIT", "USED", "ADDED", "LEFT", "ENFORCED", "AT"],
                    ["standard: 20 requests per 1m", "0", "1", "20", "deny", "\(file):26"],
                    ["standard: 60 patients per 1h", "0", "0", "60", "deny", "\(file):27"],
                    ["note: no gate could be asked: orders of `herse neutralize` do not count"],
                ])
    }

    @Test(arguments: [
        (
            ["GET", "/fhir/Patient/1", "--as", "899700218896", "--neutralized"], 403,
            "neutralization"
        ),
        (["GET", "/other", "--as", "899700218896"], 404, "route"),
        (["DELETE", "/fhir/Patient/1", "--as", "899700218896"], 403, "route"),
        (["GET", "/fhir/../x", "--as", "899700218896"], 400, "route"),
        (["GET", "/fhir/Patient/1", "--as", "none"], 401, "identity"),
        (["GET", "/fhir/Patient/1", "--as", "899700218896", "--no-certificate"], 401, "identity"),
        (["GET", "/fhir/Patient/1", "--as", "network:192.0.2.1"], 403, "identity"),
        (
            ["GET", "/fhir/Patient/1", "--as", "899700218896", "--holder", "organisation"], 403,
            "identity"
        ),
        (
            ["GET", "/fhir/Patient/1", "--as", "899700218896", "--holder", "non-nominative"], 403,
            "identity"
        ),
        (["GET", "/fhir/Patient/1", "--as", "899700218896", "--after", "20"], 429, "limits"),
    ])
    func `names the step that refuses, and ends with 0`(
        arguments: [String], status: Int, step: String
    ) async throws {
        let (ended, _) = try await explain(arguments + ["--json"])
        #expect(ended.code == 0)
        let object = try JSONSerialization.jsonObject(with: Data(ended.data.utf8))
        let report = try #require(object as? [String: Any])
        #expect(report["status"] as? Int == status)
        #expect(report["is_allowed"] as? Bool == false)
        let steps = try #require(report["steps"] as? [[String: Any]])
        let names = ["neutralization", "route", "identity", "question", "limits", "answer"]
        let place = try #require(names.firstIndex(of: step))
        #expect(steps.map { $0["name"] as? String } == names)
        #expect(
            steps.map { $0["outcome"] as? String }
                == names.indices.map {
                    $0 < place ? "passed" : $0 == place ? "refused" : "not_reached"
                })
    }

    @Test(arguments: [
        "899700218896", "certificate:sha256:" + String(repeating: "ab", count: 32),
        "network:203.0.113.9", "serial:0a1b@Persons CA", "3750150229/0042",
    ])
    func `knows the list on disk`(subject: String) async throws {
        let list = """
            # one of each
            account 899700218896 reason=phishing
            certificate sha256:\(String(repeating: "ab", count: 32))
            serial 0A1B@Persons%20CA
            structure 1750150229
            network 203.0.113.0/24

            """
        let (ended, folder) = try await explain(
            ["GET", "/fhir/Patient/1", "--as", subject], list: list)
        #expect(ended.code == 0)
        #expect(ended.data.contains("refused with 403, by neutralized"))
        #expect(ended.data.contains("\(folder)/neutralized.list:"))
        let (other, _) = try await explain(
            ["GET", "/fhir/Patient/1", "--as", "899700456124"], list: list)
        #expect(other.data.contains("not on the list"))
        #expect(other.data.contains("allowed: "))
    }

    @Test func `holds against nobody what only a certificate would tell`() async throws {
        let (ended, _) = try await explain(
            ["GET", "/fhir/Patient/1", "--as", "899700218896", "--no-certificate"],
            list: "account 899700218896\n")
        #expect(ended.data.contains("as none on listener"))
        #expect(ended.data.contains("refused with 401"))
    }

    @Test func `fails on a list that is bad, and notes one that is not there`() async throws {
        let (bad, folder) = try await explain(
            ["GET", "/fhir/Patient/1", "--as", "899700218896"], list: "acount X\n")
        #expect(bad.code == 1)
        #expect(bad.talk.hasPrefix("\(folder)/neutralized.list:1:1: error: "))
        let (none, _) = try await explain(
            ["GET", "/fhir/Patient/1", "--as", "899700218896", "--json"])
        #expect(none.code == 0)
    }

    @Test func `counts the orders of a gate that answers`() async throws {
        let gate = try FakeGate(.entries([Sample.entry]))
        let (ended, _) = try await explain(
            ["GET", "/fhir/Patient/1", "--as", "899700218896"], gate: gate.socket)
        #expect(ended.data.contains("account:899700218896, by command:root"))
        #expect(ended.data.contains("refused with 403"))
        #expect(!ended.data.contains("note:"))
    }

    @Test func `notes a line of the list that the gate does not hold`() async throws {
        let gate = try FakeGate(.entries([]))
        let (ended, _) = try await explain(
            ["GET", "/fhir/Patient/1", "--as", "899700218896"],
            list: "account 899700218896\n", gate: gate.socket)
        #expect(ended.data.contains("refused with 403"))
        #expect(ended.data.contains("note: the running gate does not hold the list's line"))
    }

    @Test func `says whom an answer shows, what each window is charged, and no patient data`()
        async throws
    {
        let folder = try temporaryFolder()
        let answer = folder + "/answer.json"
        try """
        {"resourceType": "Bundle", "type": "searchset", "entry": [
          {"resource": {"resourceType": "Patient", "id": "1", "name": [{"family": "DURAND"}]}},
          {"resource": {"resourceType": "Patient", "id": "2", "birthDate": "1970-01-01"}}]}
        """.write(toFile: answer, atomically: true, encoding: .utf8)
        let arguments = [
            "GET", "/fhir/Patient?birthdate=1970-01-01", "--as", "899700218896", "--answer", answer,
        ]
        let (ended, _) = try await explain(arguments + ["--json"])
        let object = try JSONSerialization.jsonObject(with: Data(ended.data.utf8))
        let report = try #require(object as? [String: Any])
        let asked = try #require(report["asked"] as? [String: Any])
        #expect(asked["interaction"] as? String == "search")
        #expect(asked["transaction"] as? String == "ITI-78")
        let disclosed = try #require(report["disclosed"] as? [String: Any])
        #expect(disclosed["persons"] as? Int == 2)
        #expect((disclosed["keys"] as? [String])?.allSatisfy { $0.count == 8 } == true)
        #expect(disclosed["fields"] as? [String] == ["name", "birth-date"])
        let charges = try #require(report["charges"] as? [[String: Any]])
        #expect(charges.map { $0["added"] as? Int } == [1, 2])
        #expect(!ended.data.contains("DURAND"))

        let (full, _) = try await explain(arguments + ["--after", "requests=3,patients=59"])
        #expect(full.data.contains("refused with 429, by limits standard: 60 patients per 1h"))
        #expect(full.data.contains("59 made already, 2 more"))
    }

    @Test(arguments: [
        ["--after", "many"], ["--after", "patient=3"], ["--after", "3,patients=3"],
        ["--after", "patients=-1"], ["--answer-status", "99"], ["--card-age", "soon"],
    ])
    func `refuses options that say nothing`(arguments: [String]) throws {
        #expect(throws: (any Error).self) {
            try Herse.parseAsRoot(["explain", "GET", "/", "--as", "none"] + arguments)
        }
    }

    @Test func `knows no other listener than the configured ones`() async throws {
        let (ended, _) = try await explain([
            "GET", "/fhir/Patient/1", "--as", "899700218896", "--listener", "prfessionals",
        ])
        #expect(ended.code == 1)
        #expect(ended.talk.contains("hint: known: professionals"))
    }
}
