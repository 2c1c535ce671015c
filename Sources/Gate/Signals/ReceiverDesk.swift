// ReceiverDesk.swift: one stream of events that is received: its keys, what it shows, how it lives.

internal import Glibc
internal import Issuers
internal import JSON
internal import Outbound
internal import Policy
internal import Signals
internal import Synchronization
internal import Tokens

/// What of a stream is kept over a reload.
final class StreamLife: Sendable {
    let health: StreamHealth
    let seen = SeenEvents()
    let polling = Mutex(Polling())

    /// Where polling stands.
    struct Polling {
        var isUnderWay = false
        /// Seconds since 1970 of the last poll.
        var at: Int64?
        /// What the next poll tells of the events that came with the last.
        var request = PollRequest()
        /// Whether there is more, or something to tell.
        var isUrgent = false
    }

    init(_ rule: ReceiverRule) {
        let silence = rule.poll.map { 3 * $0.every + 30 }
        health = StreamHealth(
            silenceMax: rule.verification == nil ? silence : nil, asks: rule.verification != nil)
    }
}

/// A receiver of one configuration.
final class ReceiverDesk: Sendable {
    let rule: ReceiverRule
    let keys: IssuerDesk
    let life: StreamLife
    private let rules: StreamRules
    private let inbox: SignalInbox
    private let log: GateLog

    init(
        _ rule: ReceiverRule, keys: IssuerDesk, after former: ReceiverDesk?, _ services: Services
    ) {
        self.rule = rule
        self.keys = keys
        rules = StreamRules(
            issuer: rule.issuer, audience: rule.audience, algorithms: rule.algorithms)
        inbox = services.signals
        log = services.log
        // Another stream under the same name has a life of its own.
        if let former, former.rules == rules, former.rule.verification == rule.verification,
            former.rule.poll == rule.poll
        {
            life = former.life
        } else {
            life = StreamLife(rule)
        }
    }

    /// Whether events are pushed to this path of this listener.
    func takes(_ path: String, on listener: Int) -> Bool {
        guard let push = rule.push, push.path == path else { return false }
        return push.listeners?.contains(listener) ?? true
    }

    /// Judges an event, and has it carried out; blocks where keys are fetched.
    ///
    /// `done` is called once.
    func take(
        _ token: [UInt8], named id: String? = nil, now: Int64,
        done: @escaping @Sendable (SignalOutcome) -> Void
    ) {
        let finish: @Sendable (SignalOutcome) -> Void = { [self] outcome in
            life.health.note(outcome, now: now)
            tell(outcome)
            done(outcome)
        }
        let event: SecurityEvent
        switch judge(token, now: now) {
        case .success(let judged): event = judged
        case .failure(let outcome): return finish(outcome.outcome)
        }
        if let id, !areSame(id, event.id) {
            return finish(
                .refused(DeliveryError(.invalidRequest, "it came under another `jti` than its own"))
            )
        }
        guard !life.seen.contains(event.id) else { return finish(.repeated) }
        switch event.content {
        case .verification(let state):
            guard life.health.answered(state, now: now) else {
                return finish(
                    .refused(DeliveryError(.invalidRequest, "`state` was not asked for")))
            }
            finish(.applied)
        case .streamUpdated(let status):
            life.health.update(status: status)
            log.say("signals \(rule.name): the stream is \(status)")
            finish(.applied)
        case .unknown, .improvement: finish(.ignored)
        case .signal(let signal, let subject):
            let order = SignalOrder(
                receiver: self, event: event, signal: signal, subject: subject
            ) { [self] outcome in
                if case .failed = outcome { return finish(outcome) }
                life.seen.insert(event.id)
                finish(outcome)
            }
            if !inbox.put(order) { finish(.failed("too many events wait")) }
        }
    }

    private func tell(_ outcome: SignalOutcome) {
        switch outcome {
        case .refused(let error):
            log.say(
                "signals \(rule.name): refused (\(error.code.rawValue)): \(error.description)",
                kind: "signals refused")
        case .failed(let problem):
            log.say("signals \(rule.name): not carried out: \(problem)", kind: "signals failed")
        case .applied, .ignored, .unresolved, .repeated: break
        }
    }

    private struct Failure: Error { let outcome: SignalOutcome }

    private func judge(_ token: [UInt8], now: Int64) -> Result<SecurityEvent, Failure> {
        var keySet = keys.keys(now: now)
        if keySet == nil, let issuer = keys.issuer {
            issuer.refresh(now: now)
            keySet = keys.keys(now: now)
        }
        guard let keySet else {
            return .failure(Failure(outcome: .failed("no keys of the issuer are known")))
        }
        do throws(DeliveryError) {
            return .success(
                try verifySecurityEvent(token.span, keys: keySet, rules: rules, now: now))
        } catch {
            guard error.code == .invalidKey, keys.mayLearn(now: now), let issuer = keys.issuer
            else { return .failure(Failure(outcome: .refused(error))) }
            issuer.refresh(now: now)
        }
        do throws(DeliveryError) {
            let fresh = keys.keys(now: now) ?? keySet
            return .success(
                try verifySecurityEvent(token.span, keys: fresh, rules: rules, now: now))
        } catch {
            return .failure(Failure(outcome: .refused(error)))
        }
    }
}

extension ReceiverDesk {
    /// Whether the time for a poll has come; it then counts as begun.
    func beginPoll(now: Int64) -> Bool {
        guard let poll = rule.poll else { return false }
        return life.polling.withLock { polling in
            guard !polling.isUnderWay else { return false }
            let isDue = polling.at.map { now < $0 || now - $0 >= poll.every } ?? true
            guard isDue || polling.isUrgent else { return false }
            polling.isUnderWay = true
            polling.isUrgent = false
            polling.at = now
            return true
        }
    }

    /// Asks for events, and has each carried out; blocks.
    func poll(now: Int64) {
        guard let poll = rule.poll else { return }
        let told = life.polling.withLock { $0.request }
        let answer: PollAnswer
        do throws(CallProblem) {
            let reply = try post(
                told.json.encoded, to: poll.url, token: poll.token.path,
                authorities: rule.authorities?.path, answerMax: PollAnswer.bytesMax)
            guard reply.status == 200, let read = PollAnswer(json: reply.body.span) else {
                throw CallProblem(
                    text: "\(poll.url): status \(reply.status), or no answer to a poll")
            }
            answer = read
        } catch {
            note(.poll, error.text, now: now)
            // Told again: what was acknowledged may not have arrived.
            life.polling.withLock { $0.isUnderWay = false }
            return
        }
        note(.poll, nil, now: now)
        let batch = PollBatch(count: answer.items.count) { [life] outcomes in
            life.polling.withLock { polling in
                polling.request = PollRequest()
                for (id, outcome) in outcomes {
                    switch outcome {
                    case .applied, .ignored, .unresolved, .repeated:
                        polling.request.acknowledged.append(id)
                    case .refused(let error): polling.request.refused.append((id, error))
                    // Comes again by itself, since it is neither acknowledged nor refused.
                    case .failed: break
                    }
                }
                let hasNews =
                    !polling.request.acknowledged.isEmpty || !polling.request.refused.isEmpty
                polling.isUrgent = hasNews
                polling.isUnderWay = false
            }
        }
        for (index, item) in answer.items.enumerated() {
            take(item.token, named: item.id, now: now) { batch.note(index, item.id, $0) }
        }
        if answer.items.isEmpty { batch.end() }
    }

    /// Asks the sender to show that the stream lives, if the time for it has come; blocks.
    func verify(now: Int64) {
        guard let rule = rule.verification,
            let state = life.health.question(every: rule.every, now: now)
        else { return }
        let body = JSONValue.object([
            "stream_id": .string(rule.stream), "state": .string(state),
        ])
        do throws(CallProblem) {
            let reply = try post(
                body.encoded, to: rule.url, token: rule.token.path,
                authorities: self.rule.authorities?.path, answerMax: 65_536)
            guard (200..<300).contains(reply.status) else {
                throw CallProblem(text: "\(rule.url): status \(reply.status)")
            }
            note(.verification, nil, now: now)
        } catch {
            note(.verification, error.text, now: now)
        }
    }

    private func note(_ kind: StreamHealth.Kind, _ problem: String?, now: Int64) {
        guard life.health.note(kind, problem: problem, now: now) else { return }
        log.say("signals \(rule.name): \(problem ?? "reached again")")
    }
}

/// The events of one poll, until the last is carried out.
private final class PollBatch: Sendable {
    private struct State {
        var outcomes: [(Int, String, SignalOutcome)] = []
        var left: Int
    }

    private let state: Mutex<State>
    private let whole: @Sendable ([(String, SignalOutcome)]) -> Void

    init(count: Int, whole: @escaping @Sendable ([(String, SignalOutcome)]) -> Void) {
        state = Mutex(State(left: count))
        self.whole = whole
    }

    func note(_ index: Int, _ id: String, _ outcome: SignalOutcome) {
        let isWhole = state.withLock { state in
            state.outcomes.append((index, id, outcome))
            state.left -= 1
            return state.left == 0
        }
        if isWhole { end() }
    }

    func end() {
        let outcomes = state.withLock { $0.outcomes }.sorted { $0.0 < $1.0 }
        whole(outcomes.map { ($0.1, $0.2) })
    }
}

/// Why somebody could not be called, for operators.
struct CallProblem: Error { let text: String }

/// Sends JSON, or an event, with a bearer token from a file, read anew each time; blocks.
func post(
    _ body: [UInt8], type: String = "application/json", to url: String, token: String,
    authorities: String?, answerMax: Int
) throws(CallProblem) -> FetchAnswer {
    guard let secret = bearerSecret(token) else {
        throw CallProblem(text: "\(token): no bearer token can be read")
    }
    var request = FetchRequest(url: url)
    request.method = .post
    request.fields = [
        ("Content-Type", type), ("Accept", "application/json"),
        ("Authorization", "Bearer " + String(decoding: secret, as: UTF8.self)),
    ]
    request.body = body
    request.tls.authorities = authorities
    request.answerMax = answerMax
    do throws(FetchError) { return try fetch(request) } catch {
        throw CallProblem(text: error.description)
    }
}

/// What a file of a bearer token holds: one line; nil when that is nothing that can be sent.
func bearerSecret(_ path: String) -> [UInt8]? {
    guard var bytes = readWhole(path, bytesMax: 8192), bytes.count <= 8192 else { return nil }
    while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
    guard !bytes.isEmpty, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
    return bytes
}
