// Reporting.swift: status, sessions and limits, as the command line shows them.

internal import Alerts
internal import CSystem
internal import Glibc
internal import Limits
internal import Neutralization
internal import Policy
internal import Record
internal import Wire

/// The version of the gate, as `herse --version` has it.
package let herseVersion = "0.2.0-dev"

extension ControlPlane {
    func status() async -> StatusReport {
        let reports = await everywhere { await $0.report() }
        let generation = self.generation
        var awaiting: Int?
        if let until = former?.until {
            awaiting = Int((until - min(until, milliseconds)) / 1000)
        }
        return StatusReport(
            version: herseVersion, generation: generation.number,
            uptimeSeconds: (milliseconds - startedAt) / 1000,
            listeners: listenerReports(generation, reports), servers: serverReports(reports),
            lists: listReports(generation), record: recordReport(generation),
            issuers: issuerStatus(generation), directory: directoryStatus(generation),
            signIn: signInStatus(generation), alerts: alertReports(),
            probing: services.probing.report(now: now.value), signals: signalStatus(generation),
            neutralizations: NeutralizationTimes(
                whole: latencies.whole, inside: latencies.inside), lastDrill: lastDrill,
            workers: reports,
            degraded: shortcomings(reports).map(\.text),
            awaitingConfirmationSeconds: awaiting)
    }

    private func listenerReports(
        _ generation: Generation, _ reports: [WorkerReport]
    ) -> [ListenerReport] {
        generation.configuration.listeners.enumerated().map { index, listener in
            let port = ports[portKey(listener)] ?? listener.address.port
            let leaf = generation.listeners[index].settings.credentials.first?.chain.first
            return ListenerReport(
                name: listener.name, address: addressText(listener.address, port: port),
                connections: generation.listeners[index].connections.count,
                certificateEnds: leaf.map { UnixSeconds($0.notAfter).description } ?? "")
        }
    }

    /// One line for each endpoint: up when the last that any worker saw of it was an answer.
    private func serverReports(_ reports: [WorkerReport]) -> [ServerReport] {
        guard let first = reports.first else { return [] }
        return first.servers.indices.map { index in
            let all = reports.compactMap { index < $0.servers.count ? $0.servers[index] : nil }
            let failedAt = all.map(\.failedAt).max() ?? 0
            let answeredAt = all.map(\.answeredAt).max() ?? 0
            return ServerReport(
                server: first.servers[index].server, endpoint: first.servers[index].endpoint,
                isUp: answeredAt >= failedAt, failures: all.reduce(0) { $0 + $1.failures },
                failedAt: failedAt, answeredAt: answeredAt)
        }
    }

    private func listReports(_ generation: Generation) -> [ListReport] {
        var reports: [ListReport] = []
        let moment = now
        if let file = generation.configuration.neutralized {
            reports.append(
                ListReport(
                    kind: "neutralized", name: file.path,
                    state: list.map { word($0.standing(now: moment, staleAfter: nil)) }
                        ?? "unknown",
                    entries: list?.entries.count ?? 0,
                    ageSeconds: list.map { moment.value - $0.changed.value }, nextUpdate: nil))
        }
        let commands = neutralization.commandsInForce.count
        reports.append(
            ListReport(
                kind: "commands", name: "neutralization.journal",
                state: journalProblem != nil ? "unknown" : commands == 0 ? "empty" : "fresh",
                entries: commands, ageSeconds: nil, nextUpdate: nil))
        for list in listReports() {
            reports.append(
                ListReport(
                    kind: "signed", name: list.name, state: list.state, entries: list.entries,
                    ageSeconds: list.ageSeconds, nextUpdate: list.nextUpdate))
        }
        for material in generation.listeners {
            for list in material.fileSettings.anchors.lists {
                let isStale = list.nextUpdate.map { $0 <= moment.value } ?? false
                let state = isStale ? "stale" : list.entryCount == 0 ? "empty" : "fresh"
                reports.append(
                    ListReport(
                        kind: "revocation", name: list.issuer, state: state,
                        entries: list.entryCount, ageSeconds: moment.value - list.thisUpdate,
                        nextUpdate: list.nextUpdate.map { UnixSeconds($0).description }))
            }
        }
        reports += fetchedListReports(generation)
        return reports
    }

    private func word(_ standing: ListStanding) -> String {
        switch standing {
        case .fresh: "fresh"
        case .stale: "stale"
        case .empty: "empty"
        case .unknown: "unknown"
        }
    }

    /// Everything that is not as it should be, one sentence each.
    func shortcomings(_ reports: [WorkerReport]) -> [Shortcoming] {
        let generation = self.generation
        let servers = serverReports(reports)
        var found = recordShortcomings(generation)
        if let problem = journalProblem {
            let name = "neutralization journal"
            found.append(Shortcoming(.journalFailed, name, "\(name): \(problem)", .critical))
        }
        for list in listReports(generation) where list.state == "stale" || list.state == "unknown" {
            let name = "\(list.kind) list `\(list.name)`"
            found.append(Shortcoming(.listStale, name, "\(name) is \(list.state)", .error))
        }
        for list in listReports() {
            let name = "signed list `\(list.name)`"
            if list.outsideScope > 0 {
                found.append(
                    Shortcoming(
                        .listRefused, name,
                        "\(name): \(list.outsideScope) lines are outside its scope, and not in "
                            + "force"))
            }
            if let problem = list.problem {
                found.append(Shortcoming(.listRefused, name, "\(name): \(problem)"))
            }
        }
        for listener in generation.configuration.listeners
        where listener.tls.expiredRevocation == .unsafeAccept {
            found.append("listener `\(listener.name)`: expired revocation lists are accepted")
        }
        for listener in generation.configuration.listeners
        where listener.tls.ocsp?.acceptsUnavailable == true {
            found.append(
                "listener `\(listener.name)`: certificates pass that no responder answers about")
        }
        for material in generation.listeners {
            for authority in material.settings.anchors.authoritiesWithoutList {
                found.append("no revocation list of `\(authority.title)`")
            }
        }
        let names = Set(servers.map(\.server))
        for name in names.sorted() {
            let endpoints = servers.filter { $0.server == name }
            for endpoint in endpoints where !endpoint.isUp {
                let place = "identity server `\(name)`: \(endpoint.endpoint)"
                found.append(
                    Shortcoming(.serverUnreachable, place, "\(place) cannot be reached", .error))
            }
        }
        for (index, material) in generation.listeners.enumerated() {
            guard let leaf = material.settings.credentials.first?.chain.first,
                leaf.notAfter < now.value
            else { continue }
            let name = "listener `\(generation.configuration.listeners[index].name)`"
            found.append(
                Shortcoming(.certificateEnds, name, "\(name): certificate has expired", .error))
        }
        return found + issuerShortcomings(issuerStatus(generation)) + alertShortcomings()
            + signalShortcomings()
    }

    func sessions(_ professional: String?) async -> ControlAnswer {
        let id = professional?.uppercased()
        let connections = await everywhere { await $0.sessions(of: id) }.flatMap { $0 }
        return .sessions(connections + signedIn(id))
    }

    /// What a professional has used of every window of every set, and the grants that add to it.
    func limitsOf(_ professional: String) async -> ControlAnswer {
        let id = professional.uppercased()
        let who = await subjects(of: id)
        let time = limits.time
        let extras = grants.extras(of: who.professional, at: time)
        let granted = grantReports(of: id)
        var reports: [LimitReport] = []
        for prepared in generation.limits {
            for usage in limits.usage(who, prepared.set, extras: extras, now: time) {
                let window = prepared.set.windows[usage.window]
                let (word, each) = words(of: window)
                reports.append(
                    LimitReport(
                        set: prepared.set.name, count: window.count.word,
                        perSeconds: Int(window.spanSeconds), limit: usage.limit, used: usage.used,
                        remaining: usage.remaining, resetSeconds: usage.resetSeconds,
                        enforce: word, each: each, extra: UInt64(extras[window.count]),
                        error: usage.error,
                        grants: granted.filter { $0.count == window.count.word }))
            }
        }
        return .limits(reports)
    }

    /// The professional, and the structure their live connections name, if there are any.
    private func subjects(of id: String) async -> LimitSubjects {
        let found = await everywhere { await $0.limitSubjects(of: id) }
        let bytes = Array(id.utf8)
        return found.compactMap { $0 }.first
            ?? LimitSubjects(professional: limits.professional(bytes.span))
    }

    private func words(of window: LimitWindow) -> (enforce: String, each: String) {
        let enforce =
            switch window.enforcement {
            case .deny: "deny"
            case .shadow: "shadow"
            case .stepUp: "step-up"
            }
        return (enforce, window.each == .structure ? "structure" : "professional")
    }
}

/// Under what a listener's bound port is kept: two listeners may both ask for any free port.
func portKey(_ listener: Listener) -> String { "\(listener.name) \(listener.address)" }

func addressText(_ address: Address, port: UInt16) -> String {
    if case .ipv6 = address.host { return "[\(address.hostText)]:\(port)" }
    return "\(address.hostText):\(port)"
}
