// Answers.swift: what each answer of the gate looks like, for people and for machines.

import Foundation
import Testing

@testable import Gate
@testable import herse

enum Sample {
    static func order(
        _ subjects: [String] = ["account:899700218896"], cut: CutCount = cut(3, 1),
        isPreview: Bool = false, unchanged: [String] = []
    ) -> NeutralizeReport {
        NeutralizeReport(
            subjects: subjects, cut: cut, milliseconds: 1.84, durableMilliseconds: 0.61,
            isPreview: isPreview, unchanged: unchanged)
    }

    static func cut(_ connections: Int, _ exchanges: Int) -> CutCount {
        CutCount(connections: connections, exchanges: exchanges)
    }

    static func reload(
        warnings: [String] = [], cut: CutCount = CutCount(), confirm: Int? = nil
    ) -> ReloadReport {
        ReloadReport(
            generation: 4, milliseconds: 12.3, warnings: warnings, cut: cut,
            confirmWithinSeconds: confirm)
    }

    static let session: SessionReport = {
        var report = SessionReport(
            method: "certificate", peer: "192.0.2.7:50412", ageSeconds: 75)
        report.professional = "899700218896"
        report.worker = 0
        report.listener = "professionals"
        report.certificate = "sha256:9f86"
        report.tls = "TLSv1.3"
        report.resumed = true
        report.requests = 12
        report.busy = true
        return report
    }()

    static let signedIn: SessionReport = {
        var report = SessionReport(method: "session", peer: "192.0.2.8", ageSeconds: 120)
        report.kind = .session
        report.professional = "899700218896"
        report.level = "high"
        report.issuer = "psc"
        report.session = "s-0123456789abcdef"
        report.idleSeconds = 5
        report.endsInSeconds = 28_680
        return report
    }()

    static let entry = NeutralizedReport(
        subject: "account:899700218896", source: "command:root", since: "2026-11-20T08:00:00Z",
        until: nil, reason: "stolen card", ticket: "INC-42", inForce: true)

    static let limit = LimitReport(
        set: "standard", count: "requests", perSeconds: 60, limit: 20, used: 18, remaining: 2,
        resetSeconds: 61, enforce: "deny", each: "professional", extra: 0, error: 0,
        grants: [])

    static let streams = SignalStatus(
        receivers: [
            SignalReceiverStatus(
                name: "psc", state: "stale", received: 9, applied: 4, refused: 1, unresolved: 2,
                ignored: 1, repeated: 1, lastEventSeconds: 75, problem: "status 500")
        ],
        transmitter: [
            SignalTargetStatus(
                name: "idp", waiting: 2, sent: 5, failed: 0, oldestSeconds: 61,
                problem: "cannot be connected to")
        ])
    static let sink = AlertSinkStatus(
        name: "siem", kind: "syslog", state: "failing", waiting: 3, sent: 12, dropped: 1,
        problem: "siem.example:6514: cannot be connected to", secondsSinceSuccess: 75)
    static func drilled() -> StatusReport {
        var (whole, inside) = (Latencies(), Latencies())
        for (one, other) in [(1000, 100), (2050, 300), (9000, 400)] as [(UInt64, UInt64)] {
            whole.note(microseconds: one)
            inside.note(microseconds: other)
        }
        var report = status()
        report.neutralizations = NeutralizationTimes(whole: whole, inside: inside)
        report.lastDrill = DrillReport(
            at: "2026-11-24T08:00:00Z", sessions: 140, p50Milliseconds: 0.7,
            p99Milliseconds: 3.9, maxMilliseconds: 8.1, insideP99Milliseconds: 0.5,
            boundMilliseconds: 50, insideBoundMilliseconds: 5, isWithin: false, leaks: 1)
        return report
    }

    static func status(degraded: [String] = [], awaiting: Int? = nil) -> StatusReport {
        var counters = WorkerCounters()
        counters.requests = 29
        counters.connectionsCut = 1
        counters.refusals = ["limit": 6, "neutralized": 2]
        let server = ServerReport(
            server: "mpi", endpoint: "http://127.0.0.1:9000", isUp: degraded.isEmpty, failures: 2,
            failedAt: 1, answeredAt: 2)
        return StatusReport(
            version: "0.1.0", generation: 4, uptimeSeconds: 11_520,
            listeners: [
                ListenerReport(
                    name: "professionals", address: "127.0.0.1:8443", connections: 2,
                    certificateEnds: "2026-12-01T00:00:00Z")
            ],
            servers: [server],
            lists: [
                ListReport(
                    kind: "neutralized", name: "neutralized.list", state: "fresh", entries: 3,
                    ageSeconds: 7200, nextUpdate: nil),
                ListReport(
                    kind: "revocation", name: "Persons", state: "empty", entries: 0,
                    ageSeconds: 60, nextUpdate: "2026-11-30T00:00:00Z"),
            ],
            record: RecordReport(durable: "before-delivery", problem: nil, failedCommits: 0),
            workers: [
                WorkerReport(
                    generation: 4, connections: 2, exchanges: 1,
                    waitingForRecord: 0, counters: counters, servers: [server])
            ], degraded: degraded, awaitingConfirmationSeconds: awaiting)
    }
}

@Suite struct `Answers for people` {
    @Test func `tell what a neutralization cut`() {
        #expect(
            text(of: Sample.order(), verb: .neutralize)
                == "neutralized account:899700218896: 3 connections, 1 exchange cut in 1.8 ms "
                + "(durable in 0.61 ms)")
    }

    @Test func `tell what a neutralization would cut`() {
        #expect(
            text(of: Sample.order(isPreview: true), verb: .neutralize)
                == "would neutralize account:899700218896: 3 connections, 1 exchange would be cut; "
                + "nothing was changed")
    }

    @Test func `count subjects when there are many, and name those unchanged`() {
        let subjects = (1...6).map { "account:A\($0)" }
        #expect(
            text(of: Sample.order(subjects, unchanged: ["account:A2"]), verb: .neutralize) == """
                neutralized 6 subjects: 3 connections, 1 exchange cut in 1.8 ms (durable in 0.61 ms)
                account:A2 was neutralized already
                """)
    }

    @Test func `tell of a reinstatement`() {
        let report = Sample.order(cut: CutCount(), unchanged: ["account:899700218896"])
        #expect(
            text(of: report, verb: .reinstate) == """
                reinstated account:899700218896 in 1.8 ms (durable in 0.61 ms)
                account:899700218896 was not neutralized
                """)
    }

    @Test func `tell which generation is in force`() {
        #expect(text(of: Sample.reload()) == "generation 4 in force in 12 ms")
        #expect(
            text(of: Sample.reload(cut: Sample.cut(1, 0), confirm: 300)) == """
                generation 4 in force in 12 ms, 1 connection, 0 exchanges cut
                the former generation comes back in 5m unless `herse confirm` is said
                """)
    }

    @Test func `list entries`() {
        var later = Sample.entry
        later.subject = "network:203.0.113.0/24"
        later.source = "list:7"
        later.reason = nil
        later.ticket = nil
        later.until = "2026-12-01T00:00:00Z"
        later.inForce = false
        #expect(
            text(of: [Sample.entry, later]) == """
                SUBJECT                 STATE     SINCE                 UNTIL                 REASON       TICKET  BY
                account:899700218896    in force  2026-11-20T08:00:00Z  -                     stolen card  INC-42  command:root
                network:203.0.113.0/24  not now   2026-11-20T08:00:00Z  2026-12-01T00:00:00Z  -            -       list:7
                """)
    }

    @Test func `list sessions`() {
        #expect(
            text(of: [Sample.session, Sample.signedIn]) == """
                PROFESSIONAL  STRUCTURE  METHOD       FROM             LISTENER       TLS                 AGE  REQUESTS  STATE  CERTIFICATE
                899700218896  -          certificate  192.0.2.7:50412  professionals  TLSv1.3 resumed  1m 15s        12  busy   sha256:9f86

                SESSION             PROFESSIONAL  METHOD   LEVEL  BY   FROM       AGE  IDLE  ENDS IN
                s-0123456789abcdef  899700218896  session  high   psc  192.0.2.8   2m    5s   7h 58m
                """)
    }

    @Test func `list limits, and mark what is estimated or granted`() {
        var estimated = Sample.limit
        (estimated.count, estimated.perSeconds, estimated.each) = (
            "patients", 2_592_000, "structure"
        )
        (estimated.limit, estimated.extra, estimated.used) = (1500, 50, 1203)
        (estimated.remaining, estimated.error, estimated.enforce) = (347, 0.0163, "step-up")
        #expect(
            text(of: [Sample.limit, estimated]) == """
                SET       COUNT     PER  EACH          LIMIT  EXTRA          USED  LEFT  RESET  ENFORCED
                standard  requests   1m  professional     20      -            18     2  1m 1s  deny
                standard  patients  30d  structure      1500    +50  ~1203 ±1.6 %   347  1m 1s  step-up
                """)
    }

    @Test func `list destinations of alerts, and what they said to a test`() {
        #expect(
            text(of: [Sample.sink]) == """
                ALERTS TO  BY      STATE    WAITING  SENT  DROPPED  LAST TAKEN  PROBLEM
                siem       syslog  failing        3    12        1      1m 15s  siem.example:6514: cannot be connected to
                """)
        let tests = [
            AlertTestReport(name: "siem", kind: "syslog", isTaken: false, answer: "no"),
            AlertTestReport(name: "chat", kind: "webhook", isTaken: true, answer: "204"),
        ]
        #expect(
            text(of: tests) == """
                ALERTS TO  BY       TAKEN  ANSWER
                siem       syslog   NO     no
                chat       webhook  yes    204
                """)
    }

    @Test func `show a healthy gate`() {
        #expect(
            text(of: Sample.status()) == """
                healthy, generation 4, up 3h 12m, version 0.1.0

                LISTENER       ADDRESS         CONNECTIONS  CERTIFICATE ENDS
                professionals  127.0.0.1:8443            2  2026-12-01T00:00:00Z

                IDENTITY SERVER  ENDPOINT               STATE  FAILURES
                mpi              http://127.0.0.1:9000  up            2

                LIST         NAME              STATE  ENTRIES  AGE  NEXT UPDATE
                neutralized  neutralized.list  fresh        3   2h  -
                revocation   Persons           empty        0   1m  2026-11-30T00:00:00Z

                RECORD           SEALED TO  ENTRIES  SEGMENTS  SIZE  FREE  OLDEST  FAILED COMMITS  PROBLEM
                before-delivery  unsealed         0         0     -     -  -                    0  -

                WORKER  GENERATION  CONNECTIONS  RUNNING  REQUESTS  REFUSED  CUT
                     0           4            2        1        29        8    1
                """)
    }

    @Test func `show how long neutralizations took, and the last drill`() {
        let shown = text(of: Sample.drilled())
        #expect(
            shown.contains(
                """

                NEUTRALIZATIONS   COUNT      P50      P99      MAX
                to the last cut       3   2.1 ms   9.0 ms   9.0 ms
                without the disk      3  0.30 ms  0.40 ms  0.40 ms

                LAST DRILL            SESSIONS     P99  IN THE GATE  LEAKED  VERDICT
                2026-11-24T08:00:00Z       140  3.9 ms      0.50 ms       1  NOT WITHIN BOUND

                WORKER
                """))
    }

    @Test func `say first what is degraded, and what waits to be confirmed`() {
        let shown = text(
            of: Sample.status(degraded: ["identity server `mpi` is down"], awaiting: 252))
        #expect(
            shown.hasPrefix(
                """
                DEGRADED, generation 4, up 3h 12m, version 0.1.0
                the former generation comes back in 4m 12s unless `herse confirm` is said

                  ! identity server `mpi` is down

                LISTENER
                """))
        #expect(shown.contains("  DOWN  "))
    }

    @Test func `never let what came over the network drive the terminal`() {
        var entry = Sample.entry
        entry.reason = "\u{1B}]0;title\u{07}\u{9B}2J\r\nnext"
        let shown = text(of: [entry])
        #expect(!shown.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
        #expect(!shown.unicodeScalars.contains("\u{9B}"))
        #expect(shown.split(separator: "\n").count == 2)
    }
}

@Suite struct `Answers for monitoring` {
    @Test func `hold every number of status, and end`() {
        let lines = openMetrics(of: Sample.drilled()).split(separator: "\n")
        #expect(lines.last == "# EOF")
        for line in [
            "# TYPE herse_neutralization_seconds histogram",
            "# UNIT herse_neutralization_seconds seconds",
            "herse_neutralization_seconds_bucket{le=\"0.001024\"} 1",
            "herse_neutralization_seconds_bucket{le=\"0.004096\"} 2",
            "herse_neutralization_seconds_bucket{le=\"+Inf\"} 3",
            "herse_neutralization_seconds_count 3", "herse_neutralization_seconds_sum 0.01205",
            "herse_neutralization_max_seconds 0.009", "herse_drill_within_bound 0",
            "herse_drill_p99_seconds 0.0039", "herse_drill_timestamp_seconds 1795507200",
            "herse_list_entries{kind=\"neutralized\",name=\"neutralized.list\"} 3",
            "herse_worker_refusals_total{worker=\"0\",why=\"limit\"} 6",
            "herse_identity_server_failures_total{server=\"mpi\",endpoint=\"http://127.0.0.1:9000\"} 2",
        ] { #expect(lines.contains { $0 == line }, "\(line)") }
        // No family twice, and none without a measurement.
        let families = lines.filter { $0.hasPrefix("# TYPE ") }
        #expect(Set(families).count == families.count)
    }

    @Test func `let no name end a line`() {
        let text = openMetrics(of: Sample.status(degraded: ["a \"b\" \\ c\nd"]))
        #expect(text.contains("{what=\"a \\\"b\\\" \\\\ c\u{FFFD}d\"} 1"))
    }
}

@Suite struct `Answers for machines` {
    /// Keys are a contract: one that goes, or changes its name, breaks somebody's script.
    @Test func `keep their keys`() throws {
        func keys(_ value: some Encodable) throws -> [String] {
            let object = try JSONSerialization.jsonObject(with: Data(json(value).utf8))
            return try #require(object as? [String: Any]).keys.sorted()
        }
        #expect(
            try keys(Sample.reload(confirm: 5)) == [
                "confirm_within_seconds", "cut", "generation", "milliseconds", "warnings",
            ])
        #expect(
            try keys(Sample.session) == [
                "age_seconds", "busy", "certificate", "kind", "listener", "method", "peer",
                "professional", "requests", "resumed", "tls", "worker",
            ])
        #expect(
            try keys(Sample.entry) == [
                "in_force", "reason", "since", "source", "subject", "ticket",
            ])
        #expect(
            try keys(Sample.limit) == [
                "count", "each", "enforce", "error", "extra", "grants", "limit", "per_seconds",
                "remaining", "reset_seconds", "set", "used",
            ])
        #expect(
            try keys(Sample.sink) == [
                "dropped", "kind", "name", "problem", "seconds_since_success", "sent", "state",
                "waiting",
            ])
        #expect(
            try keys(AlertTestReport(name: "a", kind: "mail", isTaken: true, answer: "x")) == [
                "answer", "is_taken", "kind", "name",
            ])
        #expect(
            try keys(Sample.status(awaiting: 1)) == [
                "alerts", "awaiting_confirmation_seconds", "degraded", "generation", "issuers",
                "listeners", "lists", "neutralizations", "probing", "record", "servers",
                "uptime_seconds", "version",
                "workers",
            ])
        let streams = Sample.streams
        #expect(
            try keys(streams.receivers[0]) == [
                "applied", "ignored", "last_event_seconds", "name", "problem", "received",
                "refused", "repeated", "state", "unresolved",
            ])
        #expect(
            try keys(streams.transmitter[0]) == [
                "failed", "name", "oldest_seconds", "problem", "sent", "waiting",
            ])
    }
}
