// GateVerbs.swift: the verbs that ask the gate, and how each answer ends them.

import Foundation
import Testing

@testable import Gate
@testable import herse

@Suite struct `A verb that asks the gate` {
    private static let questions: [[String]] = [
        ["status"], ["confirm"], ["rollback"], ["neutralized"], ["sessions"],
        ["neutralize", "899700218896", "--reason", "x"],
        ["reinstate", "899700218896", "--reason", "x"],
        ["limits", "show", "899700218896"],
    ]

    @Test(arguments: questions)
    func `ends with 1 when there is no gate`(arguments: [String]) async throws {
        let folder = try temporaryFolder()
        let ended = try await run(arguments + ["--control", folder + "/control.sock"])
        #expect(ended.code == 1)
        #expect(ended.data.isEmpty)
        #expect(ended.talk.contains("\(folder)/control.sock: no gate answers here\nhint: "))
    }

    @Test func `ends with 2 when it is reload and there is no gate`() async throws {
        let ended = try await run(["reload", "--control", "/nonexistent/control.sock"])
        #expect(ended.code == 2)
        #expect(ended.talk.contains("no gate answers"))
    }

    @Test(arguments: questions + [["reload"]])
    func `ends with 1 and every problem when it is refused`(arguments: [String]) async throws {
        let gate = try FakeGate(
            .refused(["herse.yaml:4:2: error: one", "herse.yaml:9:1: error: two"]))
        let ended = try await run(arguments + ["-c", gate.configuration])
        #expect(ended.code == 1)
        #expect(ended.data.isEmpty)
        #expect(ended.talk == "herse.yaml:4:2: error: one\nherse.yaml:9:1: error: two")
    }

    @Test(arguments: questions + [["reload"]])
    func `ends with 1 when the answer does not fit`(arguments: [String]) async throws {
        let odd: ControlAnswer = arguments[0] == "limits" ? .sessions([]) : .limits([])
        let gate = try FakeGate(odd)
        let ended = try await run(arguments + ["-c", gate.configuration])
        #expect(ended.code == 1)
        #expect(ended.talk.contains("does not fit"))
    }

    @Test func `tells health by its exit code`() async throws {
        let gate = try FakeGate(
            .status(Sample.status()), .status(Sample.status(degraded: ["x"])))
        let healthy = try await run(["status", "-c", gate.configuration])
        #expect(healthy.code == 0)
        #expect(healthy.data.hasPrefix("healthy"))
        let degraded = try await run(["status", "-c", gate.configuration, "--json"])
        #expect(degraded.code == 3)
        let report = try JSONSerialization.jsonObject(with: Data(degraded.data.utf8))
        #expect((report as? [String: Any])?["degraded"] as? [String] == ["x"])
    }

    @Test func `passes on the time to confirm and shows warnings`() async throws {
        let gate = try FakeGate(
            .reloaded(Sample.reload(warnings: ["herse.yaml:3:1: warning: w"], confirm: 90)))
        let ended = try await run(
            ["reload", "--confirm-within", "90s", "-c", gate.configuration])
        #expect(ended.code == 0)
        #expect(ended.data.hasPrefix("generation 4 in force"))
        #expect(ended.talk == "herse.yaml:3:1: warning: w")
        guard case .reload(confirmWithinSeconds: 90)? = gate.requests.first else {
            Issue.record("asked \(gate.requests)")
            return
        }
    }

    @Test func `keeps and undoes a reload`() async throws {
        let gate = try FakeGate(.reloaded(Sample.reload()), .reloaded(Sample.reload()))
        #expect(
            try await run(["confirm", "-c", gate.configuration]).data == "generation 4 is kept")
        #expect(
            try await run(["rollback", "-c", gate.configuration]).data
                == "generation 4 in force in 12 ms")
    }

    @Test func `orders a neutralization as it was typed`() async throws {
        let gate = try FakeGate(.neutralized(Sample.order()))
        let ended = try await run([
            "neutralize", "899700218896", "network:203.0.113.0/24", "--reason", "stolen card",
            "--until", "2027-01-01T00:00:00Z", "--ticket", "INC-42", "--preview", "-c",
            gate.configuration,
        ])
        #expect(ended.code == 0)
        guard case .neutralize(let order)? = gate.requests.first else {
            Issue.record("asked \(gate.requests)")
            return
        }
        #expect(order.subjects == ["899700218896", "network:203.0.113.0/24"])
        #expect(order.reason == "stolen card")
        #expect(order.until == "2027-01-01T00:00:00Z")
        #expect(order.ticket == "INC-42")
        #expect(order.preview)
    }

    @Test func `shouts when an order is not on disk`() async throws {
        let answer = ControlAnswer.notDurable("no space left", Sample.order())
        let gate = try FakeGate(answer, answer)
        let arguments = ["neutralize", "899700218896", "--reason", "x", "-c", gate.configuration]
        let ended = try await run(arguments)
        #expect(ended.code == 1)
        #expect(ended.data.contains("3 connections, 1 exchange cut"))
        #expect(!ended.data.contains("durable"))
        #expect(ended.talk.contains("NOT ON DISK: no space left"))
        #expect(ended.talk.contains("ENDS WHEN THE GATE STOPS"))
        let machine = try await run(arguments + ["--json"])
        #expect(machine.code == 1)
        let object = try JSONSerialization.jsonObject(with: Data(machine.data.utf8))
        let report = try #require(object as? [String: Any])
        #expect(report["is_durable"] as? Bool == false)
        #expect(report["problem"] as? String == "no space left")
        #expect(report["connections"] as? Int == 3)
    }

    @Test func `tells by its exit code whether somebody is neutralized`() async throws {
        let gate = try FakeGate(.entries([Sample.entry]), .entries([]), .entries([]))
        let found = try await run(["neutralized", "899700218896", "-c", gate.configuration])
        #expect(found.code == 0)
        #expect(found.data.contains("stolen card"))
        let none = try await run(["neutralized", "899700218896", "-c", gate.configuration])
        #expect(none.code == 1)
        #expect(none.data.isEmpty)
        #expect(none.talk == "899700218896 is not neutralized")
        let machine = try await run(["neutralized", "--json", "-c", gate.configuration])
        #expect(machine.code == 1)
        let list = try JSONSerialization.jsonObject(with: Data(machine.data.utf8))
        #expect((list as? [Any])?.isEmpty == true)
    }

    @Test func `names a professional as the gate knows them`() async throws {
        let gate = try FakeGate(.sessions([Sample.session]), .limits([Sample.limit]))
        let sessions = try await run([
            "sessions", "--professional", "account:3b/x", "-c", gate.configuration,
        ])
        #expect(sessions.code == 0)
        _ = try await run(["limits", "show", "account:3b/x", "-c", gate.configuration])
        guard case .sessions(professional: "3B/X") = gate.requests[0],
            case .limits(professional: "3B/X") = gate.requests[1]
        else {
            Issue.record("asked \(gate.requests)")
            return
        }
    }

    @Test func `orders a grant as it was typed, and says what was granted`() async throws {
        let grant = GrantReport(
            professional: "899700218896", count: "patients", extra: 50,
            until: "2026-11-20T10:00:00Z", reason: "mass casualty", by: "uid:0")
        let gate = try FakeGate(.granted(grant), .granted(grant))
        let arguments = [
            "limits", "grant", "account:899700218896", "--count", "patients", "--extra", "50",
            "--for", "2h", "--reason", "mass casualty", "-c", gate.configuration,
        ]
        let ended = try await run(arguments)
        #expect(ended.code == 0)
        #expect(
            ended.data
                == "granted 899700218896 50 more patients until 2026-11-20T10:00:00Z, by uid:0: "
                + "mass casualty")
        guard case .grant(let order)? = gate.requests.first else {
            Issue.record("asked \(gate.requests)")
            return
        }
        #expect(order.professional == "899700218896")
        #expect(order.count == "patients")
        #expect(order.extra == 50)
        #expect(order.seconds == 7200)
        #expect(order.reason == "mass casualty")
        let machine = try await run(arguments + ["--json"])
        let object = try JSONSerialization.jsonObject(with: Data(machine.data.utf8))
        #expect((object as? [String: Any])?["extra"] as? Int == 50)
    }
}

@Suite struct `A list of subjects` {
    private func order(_ list: String) async throws -> (CommandRun, [ControlRequest], String) {
        let gate = try FakeGate(.neutralized(Sample.order()))
        let file = gate.folder + "/suspects.list"
        try list.write(toFile: file, atomically: true, encoding: .utf8)
        let ended = try await run([
            "neutralize", "899700456124", "--file", file, "--reason", "x", "-c",
            gate.configuration,
        ])
        return (ended, gate.requests, file)
    }

    @Test func `is ordered as a whole, beside the subjects named`() async throws {
        let (ended, requests, _) = try await order(
            """
            # suspects
            account 899700218896 reason=phishing ticket=INC-1

            network 203.0.113.0/24

            """)
        #expect(ended.code == 0)
        guard case .neutralize(let order)? = requests.first else {
            Issue.record("asked \(requests)")
            return
        }
        #expect(
            order.subjects == [
                "899700456124", "account:899700218896", "network:203.0.113.0/24",
            ])
    }

    @Test(arguments: [
        ("account 899700218896\nacount X\nnetwork 1.2.3\n", [":2:", ":3:"]),
        ("account 899700218896 until=2026-12-01T00:00:00Z\n", [":1:", "--until"]),
        ("# nobody\n", ["names nobody"]),
    ])
    func `is refused as a whole, and the gate is not asked`(
        list: String, words: [String]
    ) async throws {
        let (ended, requests, file) = try await order(list)
        #expect(ended.code == 1)
        #expect(requests.isEmpty)
        #expect(ended.talk.hasPrefix(file))
        for word in words { #expect(ended.talk.contains(word)) }
    }

    @Test func `that is not there is said`() async throws {
        let gate = try FakeGate(.neutralized(Sample.order()))
        let ended = try await run([
            "neutralize", "--file", gate.folder + "/none.list", "--reason", "x", "-c",
            gate.configuration,
        ])
        #expect(ended.code == 1)
        #expect(ended.talk.contains("/none.list: open: No such file"))
    }
}

@Suite struct `The admin socket` {
    @Test(arguments: [
        (sampleConfiguration(control: "run/a.sock"), "/run/a.sock"),
        (sampleConfiguration(control: "/run/herse.sock"), "/run/herse.sock"),
        // Broken in the midst of an edit: the gate that runs must still be reached.
        ("control: ./b.sock # here\nlisteners: [", "/b.sock"),
        ("control: \"quoted name.sock\"\nroutes: 7", "/quoted name.sock"),
        ("state: ./var\nunknown_key: 1\n", "/var/control.sock"),
        ("nonsense", "/state/control.sock"),
        ("", "/state/control.sock"),
    ])
    func `is found by the configuration, be it valid or not`(text: String, end: String) throws {
        let folder = try temporaryFolder()
        let file = folder + "/herse.yaml"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let expected = end.hasPrefix("/run/herse") ? end : folder + end
        #expect(controlSocket(of: file) == expected)
        #expect(controlSocket(of: folder) == expected)
    }

    @Test func `may be looked for where no configuration is`() {
        #expect(controlSocket(of: "/nonexistent/herse.yaml") == "/nonexistent/state/control.sock")
        #expect(controlSocket(of: "herse.yaml") == "state/control.sock")
    }
}
