// Alerting.swift: what the control plane tells operators elsewhere, and how that fares.

internal import Alerts
internal import Glibc
internal import Neutralization
internal import Policy
internal import Wire

extension ControlPlane {
    /// Subjects of one order, or connections cut by it, that make it a mass order.
    private static let massMin = 50
    /// Seconds before a certificate's end from which on operators are told: 14 days.
    private static let endWarning: Int64 = 14 * 86_400

    /// Tells what has become worse or better since the last look.
    func watch() async {
        if isWatching || isStopping { return }
        // Whoever is named later is told of all there is then.
        if generation.alerts.isEmpty {
            watched = ShortcomingWatch()
            return
        }
        isWatching = true
        let reports = await everywhere { await $0.report() }
        let found = shortcomings(reports) + endingCertificates()
        for alert in watched.look(found) { services.alerts.raise(alert) }
        isWatching = false
    }

    /// Certificates that end soon: nothing is wrong yet, and somebody has to see to it.
    private func endingCertificates() -> [Shortcoming] {
        generation.listeners.enumerated().compactMap { index, material in
            guard let leaf = material.settings.credentials.first?.chain.first,
                leaf.notAfter >= now.value, leaf.notAfter - now.value < Self.endWarning
            else { return nil }
            let name = "listener `\(generation.configuration.listeners[index].name)`"
            return Shortcoming(
                .certificateEnds, name,
                "\(name): certificate ends on \(UnixSeconds(leaf.notAfter))")
        }
    }

    /// Tells of an order that is in force.
    ///
    /// Its reason stays here: it is the operators' own text, and may say more than should travel.
    func tell(of commands: [Command], _ cut: CutCount) {
        guard let first = commands.first else { return }
        var facts = [AlertFact(.by, first.by), AlertFact(.subjects, commands.count)]
        if let ticket = first.ticket { facts.append(AlertFact(.ticket, ticket)) }
        let whom = commands.count == 1 ? "\(first.subject)" : "\(commands.count) subjects"
        guard case .neutralize(let until) = first.verb else {
            let text = "\(first.by) reinstated \(whom)"
            services.alerts.raise(
                Alert(.reinstated, .warning, subject: whom, text, facts: facts))
            return
        }
        if let until { facts.append(AlertFact(.until, until.description)) }
        facts.append(AlertFact(.connections, cut.connections))
        facts.append(AlertFact(.sessions, cut.sessions))
        let isMass = commands.count >= Self.massMin || cut.connections >= Self.massMin
        let text = "\(first.by) neutralized \(whom): \(cut.connections) connections cut"
        services.alerts.raise(
            Alert(
                isMass ? .massOrder : .neutralized, isMass ? .critical : .warning, subject: whom,
                text, facts: facts))
    }

    /// Tells of a reload that came to nothing.
    func tell(of answer: ControlAnswer) {
        guard case .refused(let problems) = answer, !isStopping else { return }
        services.alerts.raise(
            Alert(
                .reloadRefused, .warning, subject: "configuration",
                "a reload was refused for \(problems.count) problems, generation "
                    + "\(generation.number) stays in force",
                facts: [AlertFact(.generation, generation.number)]))
    }

    // MARK: The destinations themselves

    /// How each destination is.
    func alertReports() -> [AlertSinkStatus] {
        services.alerts.reports.map { report in
            AlertSinkStatus(
                name: report.name, kind: report.kind, state: report.state.rawValue,
                waiting: report.waiting, sent: report.sent, dropped: report.dropped,
                problem: report.problem, secondsSinceSuccess: report.sinceSuccess)
        }
    }

    /// Destinations that do not take what they should.
    func alertShortcomings() -> [Shortcoming] {
        services.alerts.reports.compactMap { report in
            guard report.state == .failing else { return nil }
            return Shortcoming(
                .alertFailed, "alerts to `\(report.name)`",
                "alerts to `\(report.name)` do not get through: \(report.problem ?? "")")
        }
    }

    /// Sends a test to every destination, or to the one named, and waits for what they say.
    func testAlerts(_ name: String?, by: String) async -> ControlAnswer {
        let names = generation.alerts.map(\.name)
        guard !names.isEmpty else {
            return .refused(["no alerts: the configuration in force has no `alerts`"])
        }
        if let name, !names.contains(name) {
            return .refused([
                "no destination `\(name)` in force (there are: \(names.joined(separator: ", ")))"
            ])
        }
        let alert = Alert(
            .test, .notice, subject: "test", "a test of alerts", facts: [AlertFact(.by, by)])
        let (stream, results) = AsyncStream.makeStream(of: AlertDesk.TestResult.self)
        let count = services.alerts.test(name, alert) { results.yield($0) }
        guard let count else { return .refused(["a test of alerts is under way"]) }
        var found: [AlertTestReport] = []
        // Each ends by its own deadline.
        if count > 0 {
            for await result in stream {
                found.append(
                    AlertTestReport(
                        name: result.name, kind: result.kind, isTaken: result.isTaken,
                        answer: result.answer))
                if found.count == count { break }
            }
        }
        return .alertsTested(
            found.sorted { names.firstIndex(of: $0.name) ?? 0 < names.firstIndex(of: $1.name) ?? 0 }
        )
    }
}

/// Gives what waits a last chance when the gate has stopped; the log says what was not sent.
func flushAlerts(_ services: Services) async {
    let desk = services.alerts
    let clock = ContinuousClock()
    let end = clock.now + flushTime
    let left = await desk.flush(while: { clock.now < end }) {
        try? await clock.sleep(for: .milliseconds(20))
    }
    for one in left { services.log.say("alerts: `\(one.name)`: \(one.left) were not sent") }
}

/// How long a gate that has stopped waits for its alerts to leave.
private let flushTime = Duration.seconds(5)
