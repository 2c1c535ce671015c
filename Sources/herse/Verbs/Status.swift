// Status.swift: herse status: how the gate is.

import ArgumentParser
import Gate

struct StatusCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how the gate is.",
        discussion: """
            Health, generation in force, listeners, identity servers, lists with their age, how \
            the record is kept, how long neutralizations took, the last drill, and everything that \
            is not as it should be. Exits 0 when healthy, 3 when degraded, 1 when no gate answers. \
            With --metrics the same as OpenMetrics text, which Prometheus reads.

            Examples:
              herse status
              herse status --json | jq .degraded
              herse status --metrics > herse.prom
            """)

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    @Flag(help: "Print OpenMetrics text for monitoring.")
    var metrics = false

    func validate() throws {
        if metrics, output.json { throw ValidationError("--metrics: not together with --json") }
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        guard case .status(let report) = try gate.ask(.status) else { throw .wrongAnswer }
        if metrics {
            console.print(openMetrics(of: report))
        } else {
            console.print(output.json ? json(report) : text(of: report))
        }
        return report.degraded.isEmpty ? .done : .degraded
    }
}

func text(of report: StatusReport) -> String {
    var head =
        "\(report.degraded.isEmpty ? "healthy" : "DEGRADED"), generation \(report.generation), "
        + "up \(shownSeconds(report.uptimeSeconds)), version \(report.version)"
    if let seconds = report.awaitingConfirmationSeconds {
        head +=
            "\nthe former generation comes back in \(shownSeconds(seconds))"
            + " unless `herse confirm` is said"
    }
    var parts = [head]
    if !report.degraded.isEmpty {
        parts.append(report.degraded.map { "  ! \(printable($0))" }.joined(separator: "\n"))
    }
    parts.append(listeners(report))
    parts.append(servers(report))
    if !report.lists.isEmpty { parts.append(lists(report)) }
    parts += text(of: report.record)
    if !report.issuers.isEmpty { parts.append(issuers(report.issuers)) }
    parts += proofs(report)
    parts += signals(report.signals)
    parts += probing(report.probing)
    if !report.alerts.isEmpty { parts.append(text(of: report.alerts)) }
    parts += neutralizations(report)
    parts.append(workers(report))
    return parts.joined(separator: "\n\n")
}

private func listeners(_ report: StatusReport) -> String {
    var table = Table("LISTENER", "ADDRESS", ">CONNECTIONS", "CERTIFICATE ENDS")
    for listener in report.listeners {
        table.add(
            listener.name, listener.address, String(listener.connections),
            listener.certificateEnds)
    }
    return table.text
}

private func servers(_ report: StatusReport) -> String {
    var table = Table("IDENTITY SERVER", "ENDPOINT", "STATE", ">FAILURES")
    for server in report.servers {
        table.add(
            server.server, server.endpoint, server.isUp ? "up" : "DOWN", String(server.failures))
    }
    return table.text
}

private func lists(_ report: StatusReport) -> String {
    var table = Table("LIST", "NAME", "STATE", ">ENTRIES", ">AGE", "NEXT UPDATE")
    for list in report.lists {
        table.add(
            list.kind, list.name, list.state, String(list.entries),
            list.ageSeconds.map { shownSeconds($0) }, list.nextUpdate)
    }
    return table.text
}

private func issuers(_ issuers: [IssuerStatus]) -> String {
    var table = Table("ISSUER", "STATE", ">KEYS", ">AGE", ">BELIEVED FOR", "PROBLEM")
    for issuer in issuers {
        table.add(
            issuer.name, issuer.state, String(issuer.keys),
            issuer.ageSeconds.map { shownSeconds($0) },
            issuer.remainingSeconds.map { shownSeconds($0) }, issuer.problem)
    }
    return table.text
}

private func proofs(_ report: StatusReport) -> [String] {
    var parts: [String] = []
    if let directory = report.directory {
        var table = Table(">DIRECTORY", ">LEFT", ">AGE")
        table.add(
            String(directory.people), String(directory.left), shownSeconds(directory.ageSeconds))
        parts.append(table.text)
    }
    if let signIn = report.signIn {
        var table = Table(">SESSIONS", ">WAITING", ">REFUSED")
        table.add(String(signIn.sessions), String(signIn.waiting), String(signIn.refused))
        parts.append(table.text)
    }
    return parts
}

private func signals(_ report: SignalStatus?) -> [String] {
    guard let report else { return [] }
    var received = Table(
        "SIGNALS FROM", "STATE", ">RECEIVED", ">APPLIED", ">REFUSED", ">UNRESOLVED", ">LAST",
        "PROBLEM")
    for one in report.receivers {
        received.add(
            one.name, one.state, String(one.received), String(one.applied), String(one.refused),
            String(one.unresolved), one.lastEventSeconds.map { shownSeconds($0) + " ago" },
            one.problem)
    }
    var told = Table("SIGNALS TO", ">WAITING", ">SENT", ">FAILED", ">OLDEST", "PROBLEM")
    for one in report.transmitter {
        told.add(
            one.name, String(one.waiting), String(one.sent), String(one.failed),
            one.oldestSeconds.map { shownSeconds($0) }, one.problem)
    }
    return (report.receivers.isEmpty ? [] : [received.text])
        + (report.transmitter.isEmpty ? [] : [told.text])
}

private func probing(_ report: ProbingReport) -> [String] {
    guard report.attempts > 0 || !report.neighbours.isEmpty else { return [] }
    var attempts = Table("TRIED AGAIN", ">TIMES", ">LAST", "FROM")
    for one in report.subjects {
        attempts.add(
            one.subject, String(one.attempts), shownSeconds(one.secondsAgo) + " ago", one.peer)
    }
    var neighbours = Table("ASKS FROM WHERE ONE WAS CUT", "ADDRESS", "WHO WAS CUT", ">SINCE")
    for one in report.neighbours {
        neighbours.add(one.professional, one.peer, one.subject, shownSeconds(one.secondsAgo))
    }
    return (report.subjects.isEmpty ? [] : [attempts.text])
        + (report.neighbours.isEmpty ? [] : [neighbours.text])
}

private func neutralizations(_ report: StatusReport) -> [String] {
    var parts: [String] = []
    if report.neutralizations.whole.count > 0 {
        var times = Table("NEUTRALIZATIONS", ">COUNT", ">P50", ">P99", ">MAX")
        let rows = [
            ("to the last cut", report.neutralizations.whole),
            ("without the disk", report.neutralizations.inside),
        ]
        for (name, one) in rows {
            times.add(
                name, String(one.count), shownMilliseconds(one.p50Milliseconds),
                shownMilliseconds(one.p99Milliseconds), shownMilliseconds(one.maxMilliseconds))
        }
        parts.append(times.text)
    }
    if let drill = report.lastDrill {
        var table = Table("LAST DRILL", ">SESSIONS", ">P99", ">IN THE GATE", ">LEAKED", "VERDICT")
        table.add(
            drill.at, String(drill.sessions), shownMilliseconds(drill.p99Milliseconds),
            shownMilliseconds(drill.insideP99Milliseconds), String(drill.leaks),
            drill.isWithin ? "within bound" : "NOT WITHIN BOUND")
        parts.append(table.text)
    }
    return parts
}

private func workers(_ report: StatusReport) -> String {
    var table = Table(
        ">WORKER", ">GENERATION", ">CONNECTIONS", ">RUNNING", ">REQUESTS", ">REFUSED", ">CUT")
    for (number, worker) in report.workers.enumerated() {
        table.add(
            String(number), String(worker.generation), String(worker.connections),
            String(worker.exchanges), String(worker.counters.requests),
            String(worker.counters.refusals.values.reduce(0, &+)),
            String(worker.counters.connectionsCut))
    }
    return table.text
}
