// RecordDesk.swift: a worker's side of the record: lines written, answers that wait for them.

internal import Identity
internal import Record
internal import SignIn
internal import Wire

/// Writes the lines of one worker's exchanges and wakes those whose line is safe.
final class RecordDesk {
    private struct Waiting {
        let line: UInt64
        let exchange: Exchange
        let use: UInt64
    }

    private let log: RecordLog
    private let number: Int
    private let writer = LineWriter()
    private var lineCount: UInt64 = 0
    private var waiting: [Waiting] = []
    private var firstWaiting = 0
    private var outcomes: [RecordOutcome] = []
    /// Administrators' acts whose line is not safe yet.
    private var acts: [(line: UInt64, told: CheckedContinuation<Bool, Never>)] = []
    private var isStopped = false

    init(log: RecordLog, number: Int) {
        self.log = log
        self.number = number
    }

    /// Writes the line of an exchange; true when its answer must wait until `recorded` is called.
    func record(_ exchange: Exchange, _ entry: ExchangeEntry) -> Bool {
        lineCount += 1
        write(exchange, entry)
        // Where nothing more can be kept, nothing more leaves, however it is kept otherwise.
        guard log.durability == .beforeDelivery || log.isRefusing else { return false }
        // Only an answer that discloses something waits; what ends one has nothing to wait for.
        guard entry.decision == .allow, entry.delivery == .begun else { return false }
        waiting.append(Waiting(line: lineCount, exchange: exchange, use: exchange.use))
        return true
    }

    private func write(_ exchange: Exchange, _ entry: ExchangeEntry) {
        let worker = exchange.worker
        writer.begin()
        writer.raw("\"time\":")
        writer.raw(worker.clock.stamp)
        writer.raw(",\"request\":\"")
        let id = exchange.requestID.spelled
        writer.raw(id.span)
        writer.raw("\"")
        if let client = exchange.client {
            writer.raw(",\"peer\":\"")
            client.peer.write(to: writer)
            writer.raw("\",\"tls\":\"")
            writer.raw(client.session.version)
            writer.raw("\"")
            if let identity = exchange.identity ?? client.identity { writer.raw(identity.record) }
        }
        if let route = exchange.route {
            writer.raw(exchange.generation.routes[route].record)
        }
        writer.raw(",\"action\":\"")
        writer.raw(exchange.methodName)
        writer.raw("\"")
        writer.append(entry)
        if let reached = exchange.reachedLimit {
            writer.raw(exchange.generation.limits[reached.set].rules[reached.limit])
        } else if let route = exchange.route {
            writer.raw(exchange.generation.routes[route].rule)
        }
        if let word = exchange.refusalWord {
            writer.raw(",\"why\":\"")
            writer.raw(word)
            writer.raw("\"")
        }
        if exchange.shadowed { writer.raw(",\"shadow\":true") }
        // What ends a long delivery repeats nothing of what its beginning said.
        if entry.delivery == .begun, let inquiry = exchange.inquiry {
            inquiry.write(to: writer, isDelivered: entry.decision == .allow)
        }
        writer.end()
    }

    /// Writes the line of something that happened at the gate's own pages.
    func record(_ event: SignInEvent, by worker: WorkerCore) {
        lineCount += 1
        writer.begin()
        writer.raw("\"time\":")
        writer.raw(worker.clock.stamp)
        var fields = ",\"event\":\"\(event.kind.rawValue)\""
        func add(_ name: String, _ value: String?) {
            guard let value, !value.isEmpty else { return }
            fields += ",\"\(name)\":" + String(decoding: jsonString(value), as: UTF8.self)
        }
        add("why", event.reason)
        add("peer", event.peer)
        add("professional", event.professional?.description)
        add("method", event.method?.rawValue)
        add("level", event.level?.rawValue)
        add("issuer", event.provider)
        add("account", event.account)
        add("session", event.session)
        if event.count > 0 { fields += ",\"count\":\(event.count)" }
        let bytes = Array(fields.utf8)
        writer.raw(bytes)
        writer.end()
    }

    /// Writes the line of an administrator's act; `told` hears whether it is safe.
    func record(
        _ act: AdministrativeAct, by worker: WorkerCore, _ told: CheckedContinuation<Bool, Never>
    ) {
        guard !isStopped else { return told.resume(returning: false) }
        lineCount += 1
        writer.begin()
        writer.raw("\"time\":")
        writer.raw(worker.clock.stamp)
        writer.raw(act.fragment)
        writer.end()
        acts.append((lineCount, told))
        submit()
    }

    /// Waits for nothing any more.
    func stop() {
        isStopped = true
        for act in acts { act.told.resume(returning: false) }
        acts = []
    }

    /// Hands over what this turn produced; called once at its end.
    func submit() {
        guard !writer.isEmpty else { return }
        if log.submit(writer, through: lineCount, worker: number) { return }
        // The writer does not keep up: these lines are lost, and so are their answers.
        writer.removeAll()
        settle(RecordOutcome(through: lineCount, isRecorded: false))
    }

    /// Lets go what the writer says is settled; called when the worker is woken.
    func collect() {
        log.takeOutcomes(worker: number, into: &outcomes)
        for outcome in outcomes { settle(outcome) }
        outcomes.removeAll(keepingCapacity: true)
    }

    private func settle(_ outcome: RecordOutcome) {
        while let act = acts.first, act.line <= outcome.through {
            acts.removeFirst()
            act.told.resume(returning: outcome.isRecorded)
        }
        while firstWaiting < waiting.count, waiting[firstWaiting].line <= outcome.through {
            let next = waiting[firstWaiting]
            firstWaiting += 1
            if next.exchange.use == next.use { next.exchange.recorded(outcome.isRecorded) }
        }
        if firstWaiting == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            firstWaiting = 0
        } else if firstWaiting > 1024 {
            waiting.removeFirst(firstWaiting)
            firstWaiting = 0
        }
    }

    var waitingCount: Int { waiting.count - firstWaiting }
}

extension Exchange {
    /// What the record says besides numbers.
    var methodName: StaticString { requestMethod.name ?? "OTHER" }
    var refusalWord: StaticString? { refusal?.word }
    var reachedLimit: Refusal.LimitReached? {
        switch refusal {
        case .limitReached(_, let reached), .stepUp(_, let reached),
            .tokenStepUp(_, let reached):
            reached
        default: nil
        }
    }
}
