// TransmitterDesk.swift: telling others what was decided here, until each of them has it.

internal import Glibc
internal import Outbound
internal import Policy
internal import Signals
internal import Synchronization
internal import Tokens

/// The transmitter of one configuration.
final class TransmitterDesk: Sendable {
    let rule: TransmitterRule
    let keys: AssertionKeys
    let outbox: Outbox
    /// Whether the keys sign nothing but events.
    let hasOwnKeys: Bool
    private let log: GateLog
    private let deliveries: Mutex<[String: Delivery]>

    /// How telling one receiver goes.
    struct Delivery {
        var isUnderWay = false
        /// In a row.
        var failures = 0
        /// Seconds since 1970 before which nothing is tried.
        var notBefore = Int64.min
        var problem: String?
    }

    /// Events sent in one errand, so that others have their turn.
    private static let batchMax = 64
    /// Seconds between two tries at most.
    static let pauseMax: Int64 = 300
    /// Seconds after which another key signs, where assertions have none.
    static let rotate: Int64 = 90 * 86_400

    init(
        _ rule: TransmitterRule, keys: AssertionKeys, hasOwnKeys: Bool, outbox: Outbox,
        after former: TransmitterDesk?, log: GateLog
    ) {
        self.rule = rule
        self.keys = keys
        self.hasOwnKeys = hasOwnKeys
        self.outbox = outbox
        self.log = log
        // Others may have moved, and are tried at once.
        var kept = former?.deliveries.withLock { $0 } ?? [:]
        for name in kept.keys {
            kept[name]?.notBefore = .min
            kept[name]?.isUnderWay = false
        }
        deliveries = Mutex(kept)
    }

    /// Keeps what every receiver is to be told of a decision; blocks on the disk.
    func tell(_ decision: AccountDecision, of professionals: [String], now: Int64) {
        var events: [OutgoingEvent] = []
        for professional in professionals {
            for target in rule.receivers {
                for event in decision.events {
                    let id = eventID()
                    let claims = claims(
                        of: event, professional: professional, issuer: rule.issuer,
                        audience: target.audience, id: id, now: now)
                    events.append(
                        OutgoingEvent(receiver: target.name, id: id, at: now, claims: claims))
                }
            }
        }
        do throws(LineJournalError) {
            try outbox.add(events)
        } catch {
            log.say(
                "signals: \(error.path): \(error.problem) (\(error.hint)); what waits is told "
                    + "unless the gate stops before", kind: "signals outbox")
        }
    }

    /// Whether a receiver is to be told something now; it then counts as begun.
    func beginDelivery(to target: SignalTargetRule, now: Int64) -> Bool {
        guard outbox.next(for: target.name) != nil else { return false }
        return deliveries.withLock { deliveries in
            var delivery = deliveries[target.name] ?? Delivery()
            guard !delivery.isUnderWay, delivery.notBefore <= now else { return false }
            delivery.isUnderWay = true
            deliveries[target.name] = delivery
            return true
        }
    }

    /// Tells a receiver what waits for it, the oldest first; blocks.
    func deliver(to target: SignalTargetRule) {
        var problem: String?
        for _ in 0..<Self.batchMax {
            guard let event = outbox.next(for: target.name) else { break }
            let now = Int64(time(nil))
            do throws(CallProblem) {
                guard now - event.at <= rule.keep else {
                    try forget(event, wasSent: false)
                    log.say("signals \(target.name): an event was not taken in time, and given up")
                    continue
                }
                try send(event, to: target, now: now)
            } catch {
                problem = error.text
                break
            }
        }
        let isNews = deliveries.withLock { deliveries in
            var delivery = deliveries[target.name] ?? Delivery()
            let isNews = delivery.problem != problem
            delivery.isUnderWay = false
            delivery.problem = problem
            delivery.failures = problem == nil ? 0 : min(delivery.failures + 1, 16)
            let pause = problem == nil ? 0 : min(Self.pauseMax, 1 << Int64(delivery.failures))
            delivery.notBefore = Int64(time(nil)) + pause
            deliveries[target.name] = delivery
            return isNews
        }
        if isNews { log.say("signals \(target.name): \(problem ?? "told again")") }
    }

    /// Takes a beginning back for which there was no thread.
    func giveWay(to target: SignalTargetRule) {
        deliveries.withLock { $0[target.name]?.isUnderWay = false }
    }

    private func send(
        _ event: OutgoingEvent, to target: SignalTargetRule, now: Int64
    ) throws(CallProblem) {
        // Signed when it is sent: its key may have been replaced while it waited.
        guard let token = keys.sign(claims: event.claims, type: "secevent+jwt", now: now) else {
            throw CallProblem(text: "an event cannot be signed")
        }
        let reply = try post(
            token, type: "application/secevent+jwt", to: target.url, token: target.token.path,
            authorities: target.authorities?.path, answerMax: 65_536)
        switch reply.status {
        case 200..<300: try forget(event, wasSent: true)
        default:
            guard isRefusedForGood(status: reply.status, body: reply.body.span) else {
                throw CallProblem(text: "\(target.url): status \(reply.status)")
            }
            try forget(event, wasSent: false)
            log.say("signals \(target.name): an event was refused for good")
        }
    }

    private func forget(_ event: OutgoingEvent, wasSent: Bool) throws(CallProblem) {
        do throws(LineJournalError) {
            try outbox.remove(event, wasSent: wasSent)
        } catch {
            throw CallProblem(text: "\(error.path): \(error.problem)")
        }
    }

    /// Forgets what waits for those who are told nothing any more.
    func forgetOthers() {
        do throws(LineJournalError) {
            try outbox.keep(only: Set(rule.receivers.map(\.name)))
        } catch {
            log.say("signals: \(error.path): \(error.problem)", kind: "signals outbox")
        }
    }

    func delivery(to name: String) -> Delivery {
        deliveries.withLock { $0[name] ?? Delivery() }
    }
}
