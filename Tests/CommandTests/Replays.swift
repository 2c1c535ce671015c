// Replays.swift: a recorded period, decided anew by a candidate.

import Foundation
import RecordReading
import Testing

@testable import herse

/// One line of a record.
private func line(
    _ time: String, by professional: String = "899700218896", route: String = "fhir",
    decision: String = "allow", delivery: String = "begun", _ more: String = ""
) -> String {
    """
    {"time":"2026-11-20T\(time).000Z","request":"x","professional":"\(professional)",\
    "structure":"10B0152872","route":"\(route)","action":"GET","decision":"\(decision)",\
    "status":200,"delivery":"\(delivery)","generation":1,"rule":"herse.yaml:40"\(more)}
    """
}

private func person(_ number: Int) -> String {
    let digits = String(number, radix: 16)
    return "\"" + String(repeating: "0", count: 16 - digits.count) + digits + "\""
}

/// A search that showed these persons.
private func shown(_ persons: [Int], key: String = "persons") -> String {
    ",\"interaction\":\"search\",\"lookups\":1,\"finding\":\"understood\",\"\(key)\":["
        + persons.map(person).joined(separator: ",") + "]"
}

/// Runs the verb over a record of these lines; `limits` and `rules` are those of the candidate.
private func replay(
    _ lines: [String], limits: String, rules: String = "", _ more: [String] = []
) async throws -> [String: Any] {
    let folder = try temporaryFolder()
    let record = folder + "/record"
    try FileManager.default.createDirectory(atPath: record, withIntermediateDirectories: false)
    // The newest segment ends in line feeds written ahead.
    try (lines.joined(separator: "\n") + "\n\n\n").write(
        toFile: record + "/000001.jsonl", atomically: true, encoding: .utf8)
    let text = sampleConfiguration()
        .replacingOccurrences(
            of: "    - {count: requests, limit: 20, per: 1m}\n"
                + "    - {count: patients, limit: 60, per: 1h}\n", with: limits
        )
        .replacingOccurrences(of: "    lookups: fhir\n", with: "    lookups: fhir\n" + rules)
    try text.write(toFile: folder + "/c.yaml", atomically: true, encoding: .utf8)
    let ended = try await run(
        [
            "replay", "--since", "2026-11-20T00:00:00Z", "--until", "2026-11-21T00:00:00Z", "-c",
            folder + "/c.yaml", "--record", record, "--json",
        ] + more)
    #expect(ended.code == 0, "\(ended.talk)")
    let object = try JSONSerialization.jsonObject(with: Data(ended.data.utf8))
    return try #require(object as? [String: Any])
}

private func totals(_ report: [String: Any]) -> [String: Int] {
    report["totals"] as? [String: Int] ?? [:]
}

private func groups(_ report: [String: Any], _ key: String) -> [String] {
    (report[key] as? [[String: Any]] ?? []).map {
        "\($0["professional"] ?? "") \($0["requests"] ?? "") \($0["rule"] ?? "")"
    }
}

@Suite struct `herse replay` {
    @Test func `counts distinct patients, at the record's times`() async throws {
        let report = try await replay(
            [
                line("08:00:00", shown([1, 2])), line("08:10:00", shown([1, 2])),
                line("08:20:00", shown([3])), line("08:30:00", shown([1])),
                line("08:40:00", by: "899700427885", shown([4, 5])),
                line("09:40:00", shown([6])),
            ], limits: "    - {count: patients, limit: 2, per: 1h}\n")
        #expect(totals(report)["requests"] == 6)
        #expect(totals(report)["unchanged"] == 5)
        #expect(
            groups(report, "newly_stopped")
                == ["899700218896 1 limits standard: 2 patients per 1h"])
        let group = try #require((report["newly_stopped"] as? [[String: Any]])?.first)
        #expect((group["place"] as? String)?.hasSuffix("c.yaml:26") == true)
        #expect(group["first"] as? String == "2026-11-20T08:20:00Z")
    }

    @Test func `ranks by requests`() async throws {
        let report = try await replay(
            [
                line("08:00:00", by: "899700218896", shown([1, 2, 3])),
                line("08:00:01", by: "899700427885", shown([1, 2, 3])),
                line("08:00:02", by: "899700427885", shown([1, 2, 3])),
            ], limits: "    - {count: patients, limit: 2, per: 1h}\n")
        #expect(
            groups(report, "newly_stopped") == [
                "899700427885 2 limits standard: 2 patients per 1h",
                "899700218896 1 limits standard: 2 patients per 1h",
            ])
    }

    @Test func `tells whom it would let through, and of whom it cannot know`() async throws {
        let refused = ",\"why\":\"limit\"" + shown([9], key: "withheld")
        let vague = ",\"why\":\"vague\",\"interaction\":\"search\",\"vague\":\"no-criterion\""
        let lines = [
            line("08:00:00", decision: "deny", refused), line("08:00:01", decision: "deny", vague),
        ]
        let limits = "    - {count: patients, limit: 60, per: 1h}\n"
        let report = try await replay(lines, limits: limits, rules: "    vague: allow\n")
        #expect(groups(report, "let_through") == ["899700218896 1 limit", "899700218896 1 vague"])
        #expect(totals(report)["let_through"] == 2)
        #expect(totals(report)["let_through_unseen"] == 1)
        let strict = try await replay(lines, limits: limits)
        #expect(groups(strict, "let_through") == ["899700218896 1 limit"])
        #expect(totals(strict)["unchanged"] == 1)
    }

    @Test func `judges what is asked by the candidate's rules`() async throws {
        let vague = ",\"interaction\":\"search\",\"lookups\":1,\"vague\":\"short-name\""
        let export = ",\"interaction\":\"export\",\"lookups\":1"
        let report = try await replay(
            [line("08:00:00", vague), line("08:00:01", export), line("08:00:02", shown([1]))],
            limits: "    - {count: patients, limit: 60, per: 1h}\n")
        #expect(
            groups(report, "newly_stopped") == [
                "899700218896 1 route fhir: interactions", "899700218896 1 route fhir: vague",
            ])
    }

    @Test func `fills its windows from before the period, and reports none of it`() async throws {
        let before = line("08:00:00", shown([1, 2])).replacing("11-20T", with: "11-19T")
        let report = try await replay(
            [before, line("07:00:00", shown([3]))],
            limits: "    - {count: patients, limit: 2, per: 1d}\n")
        #expect(totals(report)["requests"] == 1)
        #expect(totals(report)["newly_stopped"] == 1)
    }

    @Test func `says what shadow limits would do, and who would show the card again`() async throws
    {
        let report = try await replay(
            [line("08:00:00", shown([1])), line("08:00:01", shown([2]))],
            limits: "    - {count: patients, limit: 1, per: 1h, enforce: shadow}\n"
                + "    - {count: patients, limit: 1, per: 1d, enforce: step-up}\n")
        #expect(totals(report)["newly_stopped"] == 0)
        #expect(
            groups(report, "shadowed") == ["899700218896 1 limits standard: 1 patients per 1h"])
        #expect(
            groups(report, "stepped_up") == ["899700218896 1 limits standard: 1 patients per 1d"])
    }

    @Test func `says how many lines it could not decide, and why`() async throws {
        let report = try await replay(
            [
                line("08:00:00", route: "gone"), line("08:00:01", route: "gone"),
                line("08:00:02", decision: "deny", ",\"why\":\"neutralized\""),
                "not json", "{\"time\":\"never\"}", "{\"time\":\"2026-11-20T08:00:00Z\"",
                line("08:00:03", delivery: "whole"),
                "{\"time\":\"2026-11-20T08:00:04Z\",\"decision\":\"allow\",\"delivery\":\"begun\"}",
            ], limits: "    - {count: patients, limit: 60, per: 1h}\n")
        #expect(totals(report)["requests"] == 4)
        #expect(totals(report)["not_replayed"] == 4)
        let reasons = (report["not_replayed"] as? [[String: Any]] ?? []).map {
            "\($0["requests"] ?? "") \($0["why"] ?? "")"
        }
        #expect(
            reasons == [
                "2 the candidate has no route `gone`", "1 no route was reached",
                "1 refused for what is decided without a policy: neutralized",
            ])
        #expect((report["notes"] as? [String])?.contains("3 lines could not be read") == true)
    }

    @Test func `refuses a record that is not there, and a candidate that is wrong`() async throws {
        let folder = try temporaryFolder()
        try sampleConfiguration().write(
            toFile: folder + "/c.yaml", atomically: true, encoding: .utf8)
        let none = try await run(["replay", "-c", folder + "/c.yaml"])
        #expect(none.code == 1)
        #expect(none.talk.contains("state/record: cannot be read"))
        try "routes: 7".write(toFile: folder + "/c.yaml", atomically: true, encoding: .utf8)
        let wrong = try await run(["replay", "-c", folder + "/c.yaml"])
        #expect(wrong.code == 1)
        #expect(wrong.talk.contains("c.yaml:1:"))
    }

    @Test func `is told in a few lines`() async throws {
        var result = ReplayResult()
        var exchange = RecordedEntry()
        exchange.professional = "899700218896"
        exchange.time = 1_763_625_600_000
        result.requests = 3
        for _ in 0..<2 {
            result.newlyStopped.add(exchange, ReplayRule(name: "limits a: b", place: "c.yaml:4"))
        }
        result.unchanged = 1
        let report = ReplayReport(
            result, candidate: "c.yaml", since: 1_763_596_800_000, until: 1_763_683_200_000,
            notes: ["n"])
        #expect(
            report.text(top: 20) == """
                3 requests from 2025-11-20T00:00:00Z to 2025-11-21T00:00:00Z, decided by c.yaml

                newly stopped: 2 requests of 1 professional
                PROFESSIONAL  STRUCTURE  REQUESTS  BY           AT        FIRST                 LAST
                899700218896  -                 2  limits a: b  c.yaml:4  2025-11-20T08:00:00Z  2025-11-20T08:00:00Z

                let through: 0 requests of 0 professionals

                decided as before: 1
                note: n
                """)
    }
}

@Suite struct `A line of the record` {
    @Test func `is read with its moment, its persons and nothing of inner objects`() throws {
        let text = Array(
            """
            {"time":"2026-11-20T08:00:00.250Z","professional":"899700218896","decision":"allow",\
            "delivery":"begun","lookups":4,"inner":{"lookups":9,"route":"no"},"route":"f\\u0068ir",\
            "persons":["00000000000000ff","ffffffffffffffff"],"fields":["name"],"break_glass":"x"}
            """.utf8)
        let read = RecordedEntry(line: text.span)
        let exchange = try #require(read)
        #expect(exchange.time == 1_795_161_600_250)
        #expect(exchange.persons.map(\.key) == [255, .max])
        #expect(exchange.lookups == 4)
        #expect(exchange.route == "fhir")
        #expect(exchange.breakGlass == "x")
    }

    @Test(arguments: [
        "", "{}", "[]", "{\"time\":1}", "{\"time\":\"2026-11-20\"}", "x",
        "{\"time\":\"2026-11-20T08:00:00Z\"",
    ])
    func `is none without a moment, or its end`(text: String) {
        let bytes = Array(text.utf8)
        let read = RecordedEntry(line: bytes.span)
        #expect(read == nil)
    }
}
