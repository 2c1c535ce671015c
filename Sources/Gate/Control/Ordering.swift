// Ordering.swift: neutralize and reinstate: durable, then in force, then gone, then answered.

internal import CSystem
internal import Glibc
internal import Identity
internal import Neutralization
internal import Policy
internal import SignIn
internal import Wire

extension ControlPlane {
    /// Subjects of one order: about what a request of the largest size can hold.
    private static let subjectsMax = 100_000
    /// Professionals whom a preview names.
    private static let concernedMax = 1000
    /// Subjects looked up one by one; more are found by a sweep.
    private static let cutOneByOneMax = 64

    func neutralize(_ order: NeutralizeOrder, by: String) async -> ControlAnswer {
        let subjects: [Subject]
        switch parse(order.subjects, reason: order.reason) {
        case .failure(let problems): return .refused(problems.lines)
        case .success(let parsed): subjects = parsed
        }
        if let problem = problem(ofEnd: order.until) { return .refused([problem]) }
        let until = order.until.flatMap { UnixSeconds(rfc3339: $0) }
        let begun = herse_clock(CLOCK_MONOTONIC)
        let commands = subjects.map { subject in
            Command(
                .neutralize(until: until), subject, at: now, reason: order.reason,
                ticket: order.ticket, by: by)
        }
        if order.preview {
            return .neutralized(await preview(commands, subjects, begun: begun))
        }
        return await exclusively {
            let unchanged = subjects.filter { neutralization.verdict(on: $0, now: now) != nil }
            return await carryOut(commands, subjects, unchanged: unchanged, begun: begun)
        }
    }

    /// What is wrong with the end of an order, if anything.
    private func problem(ofEnd text: String?) -> String? {
        guard let text else { return nil }
        guard let time = UnixSeconds(rfc3339: text) else {
            return "--until: `\(text)` is not a time (as in 2026-12-01T08:00:00Z)"
        }
        return now < time ? nil : "--until: `\(text)` is already past"
    }

    /// What would be refused of an order, line by line, before it waits for anybody.
    func problems(of request: ControlRequest) -> [String] {
        switch request {
        case .neutralize(let order):
            return problems(of: order.subjects, order.reason)
                + (problem(ofEnd: order.until).map { [$0] } ?? [])
        case .reinstate(let subjects, let reason, _): return problems(of: subjects, reason)
        case .grant(let order): return problems(of: order)
        case .purge(let request): return problems(of: request)
        default: return []
        }
    }

    private func problems(of subjects: [String], _ reason: String) -> [String] {
        if case .failure(let problems) = parse(subjects, reason: reason) { return problems.lines }
        return []
    }

    /// Whom an order would concern, and how much of it is live.
    private func preview(
        _ commands: [Command], _ subjects: [Subject], begun: UInt64
    ) async -> NeutralizeReport {
        let orders = NeutralizationState().obeying(commands)
        var concerned = await everywhere { await $0.preview(orders) }.flatMap { $0 }
        var count = concerned.reduce(CutCount()) {
            $0 + CutCount(connections: $1.connections, exchanges: $1.exchanges)
        }
        let already = Set(neutralizedSessions(by: neutralization).map(\.publicID))
        let ended = neutralizedSessions(by: neutralization.obeying(commands))
            .filter { !already.contains($0.publicID) }
        count.sessions = ended.count
        for session in ended {
            var one = Concerned(
                professional: session.professional.description, structure: session.structure ?? "")
            one.sessions = 1
            concerned.append(one)
        }
        let unchanged = subjects.filter { neutralization.verdict(on: $0, now: now) != nil }
        var report = report(
            subjects, count, begun: begun, durable: 0, preview: true, unchanged: unchanged)
        report.concerned = Array(Concerned.merged(concerned).prefix(Self.concernedMax))
        return report
    }

    func reinstate(
        _ texts: [String], reason: String, ticket: String?, by: String
    ) async -> ControlAnswer {
        let subjects: [Subject]
        switch parse(texts, reason: reason) {
        case .failure(let problems): return .refused(problems.lines)
        case .success(let parsed): subjects = parsed
        }
        let begun = herse_clock(CLOCK_MONOTONIC)
        return await exclusively {
            let unchanged = subjects.filter { neutralization.verdict(on: $0, now: now) == nil }
            let commands = subjects.map { subject in
                neutralization.reinstatement(
                    of: subject, at: now, reason: reason, ticket: ticket, by: by)
            }
            let denied = stillDenied(subjects, by: neutralization.obeying(commands))
            if !denied.isEmpty { return .refused(denied) }
            return await carryOut(commands, [], named: subjects, unchanged: unchanged, begun: begun)
        }
    }

    /// Why subjects would stay cut off although they are reinstated, one line each.
    private func stillDenied(_ subjects: [Subject], by state: NeutralizationState) -> [String] {
        subjects.compactMap { subject in
            guard let found = state.verdict(on: subject, now: now) else { return nil }
            switch found.source {
            case .signedList(let name, let line):
                return
                    "`\(subject)` is denied by line \(line) of list `\(name)`, whose authority is "
                    + "higher than yours: only its issuer can reinstate it"
            case .list(let line):
                return
                    "`\(subject)` is denied by line \(line) of the operator's list, whose `since` "
                    + "is still to come: take the line out and reload"
            case .command: return nil
            }
        }
    }

    /// Journal, state, workers, in that order.
    ///
    /// When the disk fails the order is obeyed in memory all the same, and the operator is told so
    /// loudly.
    func carryOut(
        _ commands: [Command], _ cutting: [Subject], named: [Subject]? = nil,
        unchanged: [Subject] = [], begun: UInt64
    ) async -> ControlAnswer {
        var problem: String?
        do throws(JournalError) {
            try journal.append(commands)
            journalProblem = nil
        } catch {
            if case .textTooLong = error {
                return .refused(["--reason, --ticket: \(error.message(file: "")); \(error.hint)"])
            }
            let file = generation.configuration.state + "/neutralization.journal"
            problem = "\(error.message(file: file)) (\(error.hint))"
            journalProblem = problem
        }
        let durable = herse_clock(CLOCK_MONOTONIC)
        let isReinstatement = cutting.isEmpty
        if problem != nil, isReinstatement {
            // Restoring somebody on a disk that fails is not worth the doubt.
            return .refused([problem ?? ""])
        }
        let state = versions.named(neutralization.obeying(commands))
        await take(state)
        var counts = await everywhere { worker in
            await worker.neutralize(
                state, cutting: cutting.count > Self.cutOneByOneMax ? [] : cutting)
        }
        // A long order is a walk over all connections, in slices, rather than one long stop.
        if cutting.count > Self.cutOneByOneMax { counts += await everywhere { await $0.sweep() } }
        var cut = counts.reduce(CutCount(), +)
        if !isReinstatement { cut.sessions = endNeutralizedSessions() }
        if let first = cutting.first {
            services.probing.cut(first.description, from: Array(cut.origins), now: now.value)
        }
        expectEnds(of: commands)
        tell(of: commands, cut)
        let report = report(
            named ?? cutting, cut, begun: begun,
            durable: durable - begun, preview: false, unchanged: unchanged)
        if !isReinstatement {
            let ended = herse_clock(CLOCK_MONOTONIC)
            latencies.whole.note(microseconds: (ended - begun) / 1000)
            latencies.inside.note(microseconds: (ended - durable) / 1000)
        }
        if let problem {
            log.say("order not durable: \(problem)")
            return .notDurable(problem, report)
        }
        return .neutralized(report)
    }

    /// Makes `state` the one in force for all but the workers, who are told next.
    func take(_ state: NeutralizationState) async {
        let before = neutralization.provenSince(now: now)
        neutralization = state
        services.neutralization.current = state
        if state.provenSince(now: now) != before { await voidTickets() }
    }

    /// Ends every TLS ticket: whoever comes back shows their certificate in a full handshake.
    func voidTickets() async {
        guard let keys = TicketKeys() else { return }
        _ = await everywhere { await $0.replaceTicketKeys(keys) }
    }

    /// Puts lists from elsewhere in force beside the operator's own, and cuts whom they name.
    ///
    /// Call within `exclusively`; when the disk fails, nothing has changed.
    func putInForce(layers: [NeutralizationLayer]) async -> Result<CutCount, Problem> {
        let (replaced, settled) = neutralization.replacing(layers: layers, at: now)
        if !settled.isEmpty {
            do throws(JournalError) {
                try journal.append(settled)
            } catch {
                let file = generation.configuration.state + "/neutralization.journal"
                return .failure(Problem(text: "\(error.message(file: file)) (\(error.hint))"))
            }
        }
        let state = versions.named(replaced)
        await take(state)
        _ = await everywhere { await $0.neutralize(state, cutting: []) }
        var cut = await everywhere { await $0.sweep() }.reduce(CutCount(), +)
        cut.sessions = endNeutralizedSessions()
        services.probing.cut("somebody on a list", from: Array(cut.origins), now: now.value)
        nextListChange = await nextChange(of: state, after: now)
        return .success(cut)
    }

    /// Looks again when an order ends by itself.
    ///
    /// Lists stay as they are, and a look too many finds nothing: a million lines need not be read
    /// for one order.
    private func expectEnds(of commands: [Command]) {
        for command in commands {
            guard case .neutralize(let end?) = command.verb, now < end else { continue }
            if let next = nextListChange, !(end < next) { continue }
            nextListChange = end
        }
    }

    private func report(
        _ subjects: [Subject], _ count: CutCount, begun: UInt64, durable: UInt64, preview: Bool,
        unchanged: [Subject] = []
    ) -> NeutralizeReport {
        let elapsed = herse_clock(CLOCK_MONOTONIC) - begun
        return NeutralizeReport(
            subjects: subjects.map(\.description), cut: count,
            milliseconds: Double(elapsed / 1000) / 1000,
            durableMilliseconds: Double(durable / 1000) / 1000, isPreview: preview,
            unchanged: unchanged.map(\.description))
    }

    private struct Problems: Error { let lines: [String] }

    private func parse(_ texts: [String], reason: String) -> Result<[Subject], Problems> {
        var problems: [String] = []
        var subjects: [Subject] = []
        if texts.isEmpty { problems.append("no subject given") }
        if texts.count > Self.subjectsMax {
            return .failure(
                Problems(lines: ["\(texts.count) subjects, at most \(Self.subjectsMax) at once"]))
        }
        if !reason.utf8.contains(where: { $0 > 0x20 }) {
            problems.append("--reason: say why; it is kept in the journal")
        }
        for text in texts {
            do throws(SubjectError) {
                let subject = try Subject(text)
                switch subject {
                case .hashedAccount:
                    problems.append("`\(text)`: a hash names an account in a list only (name it)")
                case .issuedBefore(let moment) where now < moment:
                    problems.append(
                        "`\(text)`: is still to come (nobody could prove who they are until then)")
                default: break
                }
                subjects.append(subject)
            } catch {
                problems.append("`\(text)`: \(error.message) (\(error.hint))")
            }
        }
        return problems.isEmpty ? .success(subjects) : .failure(Problems(lines: problems))
    }

    /// What is in force, or what concerns one subject.
    func entries(_ text: String?) -> ControlAnswer {
        let moment = now
        if let text {
            do throws(SubjectError) {
                let subject = try Subject(text)
                guard let found = neutralization.verdict(on: subject, now: moment) else {
                    return .entries([])
                }
                return .entries([describe(found)])
            } catch {
                return .refused(["`\(text)`: \(error.message) (\(error.hint))"])
            }
        }
        var found: [NeutralizedReport] = []
        for command in neutralization.commandsInForce {
            guard case .neutralize(let until) = command.verb else { continue }
            found.append(
                NeutralizedReport(
                    subject: command.subject.description, source: "command:\(command.by)",
                    since: command.at.description, until: until?.description,
                    reason: command.reason, ticket: command.ticket,
                    inForce: until.map { moment < $0 } ?? true))
        }
        let lists =
            [("list", neutralization.list)] + neutralization.layers.map { ($0.name, $0.entries) }
        for (name, entries) in lists {
            entries.forEach { entry in
                guard !entry.isReinstatement else { return true }
                let verdict = neutralization.verdict(on: entry.subject, now: moment)
                found.append(
                    NeutralizedReport(
                        subject: entry.subject.description, source: "\(name):\(entry.line)",
                        since: entry.since?.description, until: entry.until?.description,
                        reason: entry.reason, ticket: entry.ticket, inForce: verdict != nil))
                return found.count < 1_000_000
            }
        }
        return .entries(found)
    }

    private func describe(_ found: Neutralized) -> NeutralizedReport {
        NeutralizedReport(
            subject: found.subject.description, source: sourceName(found.source),
            since: found.since?.description,
            until: found.until?.description, reason: found.reason, ticket: found.ticket,
            inForce: true)
    }
}
