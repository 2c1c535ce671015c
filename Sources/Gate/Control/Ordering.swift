// Ordering.swift: neutralize and reinstate: durable, then in force, then gone, then answered.

internal import CSystem
internal import Glibc
internal import Neutralization
internal import Policy

extension ControlPlane {
    /// Subjects of one order: about what a request of the largest size can hold.
    private static let subjectsMax = 100_000
    /// Subjects looked up one by one; more are found by a sweep.
    private static let cutOneByOneMax = 64

    func neutralize(_ order: NeutralizeOrder, by: String) async -> ControlAnswer {
        let subjects: [Subject]
        switch parse(order.subjects, reason: order.reason) {
        case .failure(let problems): return .refused(problems.lines)
        case .success(let parsed): subjects = parsed
        }
        var until: UnixSeconds?
        if let text = order.until {
            guard let time = UnixSeconds(rfc3339: text) else {
                return .refused(["--until: `\(text)` is not a time (as in 2026-12-01T08:00:00Z)"])
            }
            guard now < time else { return .refused(["--until: `\(text)` is already past"]) }
            until = time
        }
        let begun = herse_clock(CLOCK_MONOTONIC)
        let commands = subjects.map { subject in
            Command(
                .neutralize(until: until), subject, at: now, reason: order.reason,
                ticket: order.ticket, by: by)
        }
        if order.preview {
            var count = await everywhere { await $0.preview(subjects) }.reduce(CutCount(), +)
            count.sessions = neutralizedSessions(by: neutralization.obeying(commands)).count
            return .neutralized(report(subjects, count, begun: begun, durable: 0, preview: true))
        }
        return await exclusively {
            return await carryOut(commands, subjects, begun: begun)
        }
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
            return await carryOut(commands, [], named: subjects, unchanged: unchanged, begun: begun)
        }
    }

    /// Journal, state, workers, in that order.
    ///
    /// When the disk fails the order is obeyed in memory all the same, and the operator is told so
    /// loudly.
    private func carryOut(
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
        let state = neutralization.obeying(commands)
        neutralization = state
        services.neutralization.current = state
        var counts = await everywhere { worker in
            await worker.neutralize(
                state, cutting: cutting.count > Self.cutOneByOneMax ? [] : cutting)
        }
        // A long order is a walk over all connections, in slices, rather than one long stop.
        if cutting.count > Self.cutOneByOneMax { counts += await everywhere { await $0.sweep() } }
        var cut = counts.reduce(CutCount(), +)
        if !isReinstatement { cut.sessions = endNeutralizedSessions() }
        nextListChange = await nextChange(of: state, after: now)
        tell(of: commands, cut)
        let report = report(
            named ?? cutting, cut, begun: begun,
            durable: durable - begun, preview: false, unchanged: unchanged)
        if let problem {
            log.say("order not durable: \(problem)")
            return .notDurable(problem, report)
        }
        return .neutralized(report)
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
                subjects.append(try Subject(text))
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
        list?.entries.forEach { entry in
            let verdict = neutralization.verdict(on: entry.subject, now: moment)
            found.append(
                NeutralizedReport(
                    subject: entry.subject.description, source: "list:\(entry.line)",
                    since: entry.since?.description, until: entry.until?.description,
                    reason: entry.reason, ticket: entry.ticket, inForce: verdict != nil))
            return found.count < 1_000_000
        }
        return .entries(found)
    }

    private func describe(_ found: Neutralized) -> NeutralizedReport {
        let source =
            switch found.source {
            case .list(let line): "list:\(line)"
            case .command(_, let by): "command:\(by)"
            }
        return NeutralizedReport(
            subject: found.subject.description, source: source, since: found.since?.description,
            until: found.until?.description, reason: found.reason, ticket: found.ticket,
            inForce: true)
    }
}
