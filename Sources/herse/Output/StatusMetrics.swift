// StatusMetrics.swift: everything of `herse status`, as measurements; no name of anybody in it.

import Foundation
import Gate
import Neutralization

/// A status as OpenMetrics text.
func openMetrics(of report: StatusReport) -> String {
    var out = OpenMetrics()
    out.add(
        .gauge, "herse_version", "The version of the gate, as a label; always 1.",
        [(labels: [("version", report.version)], value: 1)])
    out.add(.gauge, "herse_generation", "The generation in force.", Double(report.generation))
    out.add(
        .gauge, "herse_uptime_seconds", "Time since the gate began.", unit: .seconds,
        Double(report.uptimeSeconds))
    out.add(
        .gauge, "herse_degraded", "Things that are not as they should be.",
        Double(report.degraded.count))
    out.add(
        .gauge, "herse_degradation", "One thing that is not as it should be; always 1.",
        Set(report.degraded).sorted().map { (labels: [("what", $0)], value: 1) })
    out.add(
        .gauge, "herse_awaiting_confirmation_seconds",
        "Time until the former generation comes back by itself.", unit: .seconds,
        report.awaitingConfirmationSeconds.map(Double.init))
    listeners(report, &out)
    servers(report, &out)
    lists(report, &out)
    add(report.record, &out)
    proofs(report, &out)
    probing(report.probing, &out)
    workers(report, &out)
    neutralizations(report.neutralizations, &out)
    if let drill = report.lastDrill { add(drill, &out) }
    return out.text
}

private func listeners(_ report: StatusReport, _ out: inout OpenMetrics) {
    func each(_ value: (ListenerReport) -> Double?) -> [(
        labels: [(String, String)], value: Double?
    )] {
        report.listeners.map {
            (labels: [("listener", $0.name), ("address", $0.address)], value: value($0))
        }
    }
    out.add(
        .gauge, "herse_listener_connections", "Connections open.", each { Double($0.connections) })
    out.add(
        .gauge, "herse_listener_certificate_end_timestamp_seconds",
        "When the listener's certificate ends, in seconds since 1970.", unit: .seconds,
        each { timestamp($0.certificateEnds) })
}

private func servers(_ report: StatusReport, _ out: inout OpenMetrics) {
    func each(_ value: (ServerReport) -> Double?) -> [(labels: [(String, String)], value: Double?)]
    {
        report.servers.map {
            (labels: [("server", $0.server), ("endpoint", $0.endpoint)], value: value($0))
        }
    }
    out.add(
        .gauge, "herse_identity_server_up", "Whether the last that was seen of it was an answer.",
        each { $0.isUp ? 1 : 0 })
    out.add(
        .counter, "herse_identity_server_failures", "Times it could not be reached.",
        each { Double($0.failures) })
}

private func lists(_ report: StatusReport, _ out: inout OpenMetrics) {
    func each(_ value: (ListReport) -> Double?) -> [(labels: [(String, String)], value: Double?)] {
        report.lists.map { (labels: [("kind", $0.kind), ("name", $0.name)], value: value($0)) }
    }
    out.add(.gauge, "herse_list_entries", "Entries of a list.", each { Double($0.entries) })
    out.add(
        .gauge, "herse_list_age_seconds", "Time since a list changed.", unit: .seconds,
        each { $0.ageSeconds.map(Double.init) })
    out.add(
        .gauge, "herse_list_next_update_timestamp_seconds",
        "When a newer list is due, in seconds since 1970.", unit: .seconds,
        each { $0.nextUpdate.flatMap(timestamp) })
    out.add(
        .gauge, "herse_list_state", "The state of a list, as a label; always 1.",
        report.lists.map {
            (labels: [("kind", $0.kind), ("name", $0.name), ("state", $0.state)], value: 1)
        })
}

private func proofs(_ report: StatusReport, _ out: inout OpenMetrics) {
    func each(_ value: (IssuerStatus) -> Double?) -> [(labels: [(String, String)], value: Double?)]
    {
        report.issuers.map { (labels: [("issuer", $0.name)], value: value($0)) }
    }
    out.add(.gauge, "herse_issuer_keys", "Keys of an issuer in memory.", each { Double($0.keys) })
    out.add(
        .gauge, "herse_issuer_ok", "Whether the last question to an issuer was answered.",
        each { $0.problem == nil ? 1 : 0 })
    out.add(
        .gauge, "herse_issuer_age_seconds", "Time since an issuer's keys were fetched.",
        unit: .seconds, each { $0.ageSeconds.map(Double.init) })
    out.add(
        .gauge, "herse_issuer_remaining_seconds", "Time until its keys are believed no more.",
        unit: .seconds, each { $0.remainingSeconds.map(Double.init) })
    out.add(
        .gauge, "herse_issuer_state", "The state of an issuer, as a label; always 1.",
        report.issuers.map { (labels: [("issuer", $0.name), ("state", $0.state)], value: 1) })
    let directory = report.directory
    out.add(
        .gauge, "herse_directory_people", "Professionals in the directory.",
        directory.map { Double($0.people) })
    out.add(
        .gauge, "herse_directory_left", "Professionals whom only an older edition has.",
        directory.map { Double($0.left) })
    out.add(
        .gauge, "herse_directory_age_seconds", "Age of the directory.", unit: .seconds,
        directory.map { Double($0.ageSeconds) })
    let signIn = report.signIn
    out.add(
        .gauge, "herse_sign_in_sessions", "Sessions of people who signed in with a browser.",
        signIn.map { Double($0.sessions) })
    out.add(
        .gauge, "herse_sign_in_waiting", "Errands that wait for their turn.",
        signIn.map { Double($0.waiting) })
    out.add(
        .counter, "herse_sign_in_refused", "Errands refused for want of room.",
        signIn.map { Double($0.refused) })
}

private func probing(_ report: ProbingReport, _ out: inout OpenMetrics) {
    out.add(
        .counter, "herse_probing_attempts", "Requests and sign-ins of who is neutralized.",
        Double(report.attempts))
    out.add(
        .gauge, "herse_probing_last_seconds", "Time since the last of them.", unit: .seconds,
        report.secondsAgo.map(Double.init))
    out.add(
        .gauge, "herse_probing_subjects",
        "Neutralized subjects tried again in the last day, to 20.",
        Double(report.subjects.count))
    out.add(
        .gauge, "herse_probing_neighbours", "Others who ask from where somebody was cut, to 20.",
        Double(report.neighbours.count))
}

private func workers(_ report: StatusReport, _ out: inout OpenMetrics) {
    func each(_ value: (WorkerReport) -> Double) -> [(labels: [(String, String)], value: Double?)] {
        report.workers.enumerated().map {
            (labels: [("worker", String($0.offset))], value: value($0.element))
        }
    }
    out.add(
        .gauge, "herse_worker_generation", "The generation a worker obeys.",
        each { Double($0.generation) })
    out.add(
        .gauge, "herse_worker_connections", "Connections of a worker.",
        each { Double($0.connections) })
    out.add(
        .gauge, "herse_worker_exchanges", "Exchanges under way.", each { Double($0.exchanges) })
    out.add(
        .gauge, "herse_worker_waiting_for_record", "Answers that wait for their record.",
        each { Double($0.waitingForRecord) })
    let counters: [(String, String, (WorkerCounters) -> UInt64)] = [
        ("connections_accepted", "Connections accepted.", { $0.connections }),
        ("connections_cut", "Connections cut by neutralization.", { $0.connectionsCut }),
        ("connections_shed", "Connections closed for want of room.", { $0.connectionsShed }),
        ("handshakes", "TLS handshakes done.", { $0.handshakes }),
        ("resumptions", "TLS handshakes that resumed a session.", { $0.resumptions }),
        ("handshakes_failed", "TLS handshakes that failed.", { $0.handshakesFailed }),
        ("requests", "Requests.", { $0.requests }),
    ]
    for (name, help, value) in counters {
        out.add(.counter, "herse_worker_" + name, help, each { Double(value($0.counters)) })
    }
    let refusals = report.workers.enumerated().flatMap { number, worker in
        worker.counters.refusals.sorted { $0.key < $1.key }.map {
            (
                labels: [("worker", String(number)), ("why", $0.key)],
                value: Double?(Double($0.value))
            )
        }
    }
    out.add(.counter, "herse_worker_refusals", "Requests refused.", refusals)
}

private func neutralizations(_ times: NeutralizationTimes, _ out: inout OpenMetrics) {
    let both = [
        (
            "herse_neutralization", times.whole,
            "From an order's arrival to its last cut in every worker, the disk included."
        ),
        (
            "herse_neutralization_inside", times.inside,
            "From an order on disk to its last cut in every worker."
        ),
    ]
    for (name, one, help) in both {
        let below = zip(LatencyReport.exponents, one.below).map { exponent, count in
            (bound: Double(1 << exponent) / 1e6, count: count)
        }
        out.add(
            histogram: name + "_seconds", help, unit: .seconds, below: below, count: one.count,
            sum: one.sumMilliseconds / 1000)
        out.add(
            .gauge, name + "_max_seconds", "The longest of them.", unit: .seconds,
            one.maxMilliseconds / 1000)
    }
}

private func add(_ drill: DrillReport, _ out: inout OpenMetrics) {
    out.add(
        .gauge, "herse_drill_timestamp_seconds",
        "When the last drill on this host ended, in seconds since 1970.", unit: .seconds,
        timestamp(drill.at))
    out.add(
        .gauge, "herse_drill_within_bound", "Whether it held its bounds, and nothing leaked.",
        drill.isWithin ? 1 : 0)
    out.add(.gauge, "herse_drill_sessions", "Sessions it cut.", Double(drill.sessions))
    out.add(
        .gauge, "herse_drill_leaks", "Sessions that were not cut, or on which something flowed.",
        Double(drill.leaks))
    let times = [
        ("p50", "Half of its sessions were gone within this.", drill.p50Milliseconds),
        ("p99", "99 in 100 of its sessions were gone within this.", drill.p99Milliseconds),
        ("max", "All of its sessions were gone within this.", drill.maxMilliseconds),
        ("bound", "The bound of the above.", drill.boundMilliseconds),
        (
            "inside_p99", "99 in 100 were gone within this in the gate, the disk left out.",
            drill.insideP99Milliseconds
        ),
        ("inside_bound", "The bound of the above.", drill.insideBoundMilliseconds),
    ]
    for (name, help, milliseconds) in times {
        out.add(
            .gauge, "herse_drill_\(name)_seconds", help, unit: .seconds, milliseconds / 1000)
    }
}

private func timestamp(_ text: String) -> Double? {
    UnixSeconds(rfc3339: text).map { Double($0.value) }
}
