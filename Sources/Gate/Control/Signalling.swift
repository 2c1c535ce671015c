// Signalling.swift: what events from elsewhere mean here: whom they concern, what is done, and that
// it lasts before anybody is told that it was taken.

internal import Alerts
internal import CSystem
internal import Directory
internal import Glibc
internal import Identity
internal import Neutralization
internal import Policy
internal import SignIn
internal import Signals
internal import Synchronization
internal import Tokens

extension ControlPlane {
    /// Seconds for which a session that ended elsewhere is refused here: no token of it is left.
    private static let sessionSeconds: Int64 = 7 * 86_400

    /// Carries out what has come, one after the other, unless that is being done.
    func obeySignals() {
        guard !isObeyingSignals, !services.signals.isEmpty else { return }
        isObeyingSignals = true
        Task {
            while let order = services.signals.next() { order.done(await obey(order)) }
            isObeyingSignals = false
        }
    }

    private func obey(_ order: SignalOrder) async -> SignalOutcome {
        let rule = order.receiver.rule
        let action = rule.action(on: order.signal)
        if action == .ignore { return .ignored }
        let name = professional(order.subject, rule)
        if action == .alert {
            let whom = name ?? "nobody known here"
            let text = "signals \(rule.name): \(order.signal.rawValue) of \(whom)"
            log.say(text, kind: "signals alert")
            services.alerts.raise(Alert(.signal, .warning, subject: whom, text))
            return name == nil ? .unresolved : .applied
        }
        if action == .endSessions, let session = providerSession(order.subject) {
            return await carryOut(order, cutting: .session(session), until: Self.sessionSeconds)
        }
        guard let name, let account = try? AccountID(name) else {
            log.say(
                "signals \(rule.name): \(order.signal.rawValue) of nobody known here",
                kind: "signals unresolved")
            return .unresolved
        }
        if action == .endSessions { return await endSessions(of: account, order) }
        let seen = order.receiver.life.seen
        guard !seen.isOvertaken(account.id, issuedAt: order.event.issuedAt) else { return .ignored }
        let outcome =
            action == .neutralize
            ? await carryOut(order, cutting: .account(account), until: nil)
            : await release(account, order)
        if outcome == .applied || outcome == .ignored {
            seen.noteLatest(account.id, issuedAt: order.event.issuedAt)
        }
        return outcome
    }

    // MARK: Whom an event concerns

    /// The national identifier of whoever a subject names; nil when nobody is known by it.
    private func professional(_ subject: SubjectIdentifier, _ rule: ReceiverRule) -> String? {
        guard let user = subject.part("user") else { return nil }
        switch user {
        case .issuerSubject(let issuer, let sub):
            let issuers = generation.configuration.authentication.issuers.map(\.issuer)
            guard areSame(issuer, rule.issuer) || issuers.contains(where: { areSame($0, issuer) })
            else { return nil }
            return professional(named: sub, by: issuer, rule)
        case .opaque(let id): return professional(named: id, by: rule.issuer, rule)
        case .account(let uri):
            guard uri.hasPrefix("acct:"), rule.professional != .known else { return nil }
            return professional(
                named: String(uri.dropFirst(5).prefix { $0 != "@" }), by: rule.issuer, rule)
        case .aliases(let names):
            return names.lazy.compactMap { self.professional($0, rule) }.first
        case .email, .phone, .did, .uri, .complex: return nil
        }
    }

    private func professional(
        named sub: String, by issuer: String, _ rule: ReceiverRule
    ) -> String? {
        let text: String
        switch rule.professional {
        case .sub: text = sub
        case .subSuffix: text = String(sub.split(separator: ":").last ?? "")
        case .known:
            return services.signals.book.professional(issuer: issuer, subject: sub)
        }
        // What is no national identifier would be cut off without anybody noticing.
        return (try? ProfessionalID(text))?.description
    }

    /// The session alone, where an event is about one of several.
    private func providerSession(_ subject: SubjectIdentifier) -> OpaqueName? {
        guard case .opaque(let id) = subject.part("session") else { return nil }
        let bytes = Array(id.utf8)
        return try? OpaqueName(bytes.span)
    }

    // MARK: What is done

    /// Neutralizes in the name of the stream, beside whoever has already.
    private func carryOut(
        _ order: SignalOrder, cutting subject: Subject, until seconds: Int64?
    ) async -> SignalOutcome {
        let stream = streamName(order.receiver.rule)
        let answer = await exclusively {
            var holders: [String] = []
            if let found = neutralization.verdict(on: subject, now: now),
                case .command(_, let by) = found.source
            {
                holders = by.split(separator: ",").map { trimmed($0) }
            }
            // One command holds for all that ask for it, and none of them alone undoes it.
            let length = holders.reduce(stream.utf8.count) { $0 + $1.utf8.count + 2 }
            if !holders.contains(stream), length <= Command.textMax { holders.append(stream) }
            let until = seconds.map { UnixSeconds(now.value + $0) }
            let command = Command(
                .neutralize(until: until), subject, at: now, reason: reason(order),
                by: holders.joined(separator: ", "))
            return await carryOut(
                [command], [subject], begun: herse_clock(CLOCK_MONOTONIC))
        }
        await note(act("neutralize", stream, subject, answer))
        return outcome(answer)
    }

    /// Undoes what this stream did, and only that.
    private func release(_ account: AccountID, _ order: SignalOrder) async -> SignalOutcome {
        let stream = streamName(order.receiver.rule)
        let subject = Subject.account(account)
        let answer: ControlAnswer? = await exclusively {
            guard let found = neutralization.verdict(on: subject, now: now),
                case .command(_, let by) = found.source
            else { return nil }
            let holders = by.split(separator: ",").map { trimmed($0) }
            guard holders.contains(stream) else { return nil }
            let left = holders.filter { $0 != stream }
            let begun = herse_clock(CLOCK_MONOTONIC)
            guard left.isEmpty else {
                let command = Command(
                    .neutralize(until: found.until), subject, at: now,
                    reason: found.reason ?? reason(order), ticket: found.ticket,
                    by: left.joined(separator: ", "))
                return await carryOut([command], [subject], begun: begun)
            }
            // Over nothing: what a list says of the account is not this stream's to undo.
            let command = Command(
                .reinstate(over: 0), subject, at: now, reason: reason(order), by: stream)
            return await carryOut([command], [], named: [subject], begun: begun)
        }
        guard let answer else { return .ignored }
        await note(act("reinstate", stream, subject, answer))
        return outcome(answer)
    }

    /// Has a person prove themselves again, whatever they showed until then.
    private func endSessions(of account: AccountID, _ order: SignalOrder) async -> SignalOutcome {
        let moment = order.event.moment
        let moments = services.signals.moments
        var problem: String?
        do throws(LineJournalError) {
            try moments.set(account.id, moment, now: now.value)
        } catch {
            problem = "\(error.path): \(error.problem) (\(error.hint))"
        }
        let directory = generation.ways.directory?.directory
        _ = services.sessions.endAll(.provider) { session in
            let since = session.provenAt > 0 ? session.provenAt : session.beganAt
            guard since <= moment else { return false }
            let id = session.professional.description
            if id == account.id { return true }
            let bytes = Array(id.utf8)
            guard let person = directory?.person(bytes.span) else { return false }
            return person.id == account.id || person.aliases.contains(account.id)
        }
        let key = SubjectKey(account: account)
        _ = await everywhere { await $0.cutRevoked(key) }
        await note(
            AdministrativeAct(
                "end-sessions", by: streamName(order.receiver.rule),
                subjects: [Subject.account(account).description], before: [], after: [],
                outcome: problem == nil ? "done" : "not-durable"))
        return problem.map { .failed($0) } ?? .applied
    }

    private func streamName(_ rule: ReceiverRule) -> String { "signals:\(rule.name)" }

    /// Nothing of the event's own text: what others write may be anything.
    private func reason(_ order: SignalOrder) -> String { order.signal.rawValue }

    private func act(
        _ verb: String, _ by: String, _ subject: Subject, _ answer: ControlAnswer
    ) -> AdministrativeAct {
        AdministrativeAct(
            verb, by: by, subjects: [subject.description], before: [], after: [],
            outcome: answer.outcome)
    }

    private func outcome(_ answer: ControlAnswer) -> SignalOutcome {
        switch answer {
        case .neutralized: .applied
        case .notDurable(let problem, _): .failed(problem)
        case .refused(let problems): .failed(problems.first ?? "refused")
        default: .failed("not carried out")
        }
    }

    // MARK: Telling others

    /// Keeps what an operator decided about accounts for those who are to be told; returns once
    /// that is on the disk.
    ///
    /// What streams decided is not told: whoever said so knows.
    func tell(_ request: ControlRequest, _ answer: ControlAnswer) async {
        guard let desk = generation.ways.signals.transmitter else { return }
        let (decision, report): (AccountDecision, NeutralizeReport)
        switch (request, answer) {
        case (.neutralize, .neutralized(let done)), (.neutralize, .notDurable(_, let done)):
            (decision, report) = (.neutralized, done)
        case (.reinstate, .neutralized(let done)): (decision, report) = (.reinstated, done)
        default: return
        }
        guard !report.isPreview else { return }
        let silent = decision == .reinstated ? Set(report.unchanged) : []
        let accounts = report.subjects.filter { !silent.contains($0) }.compactMap { text in
            guard case .account(let account) = try? Subject(text) else { return String?.none }
            return account.id
        }
        guard !accounts.isEmpty else { return }
        let moment = now.value
        await withCheckedContinuation { continuation in
            // Not where others are waited for: the operator waits for the disk alone.
            let accepted = services.lanes.signals.run {
                desk.tell(decision, of: accounts, now: moment)
                continuation.resume()
            }
            guard !accepted else { return }
            desk.tell(decision, of: accounts, now: moment)
            continuation.resume()
        }
        keepUpSignals(generation.ways.signals, now: moment)
    }

    /// Starts what is due: polls, questions whether streams live, deliveries.
    func keepUpSignals(_ desks: SignalDesks, now moment: Int64) {
        let lane = services.lanes.streams
        for receiver in desks.receivers {
            if receiver.beginPoll(now: moment) {
                let accepted = lane.run { receiver.poll(now: Int64(time(nil))) }
                if !accepted { receiver.life.polling.withLock { $0.isUnderWay = false } }
            }
            if let rule = receiver.rule.verification,
                receiver.life.health.isQuestionDue(every: rule.every, now: moment)
            {
                _ = lane.run { receiver.verify(now: Int64(time(nil))) }
            }
        }
        guard let transmitter = desks.transmitter else { return }
        for target in transmitter.rule.receivers
        where transmitter.beginDelivery(to: target, now: moment) {
            if !lane.run({ transmitter.deliver(to: target) }) {
                transmitter.giveWay(to: target)
            }
        }
    }
}

private func trimmed(_ text: Substring) -> String {
    String(text.drop { $0 == " " })
}
