// RecordDesk.swift: a worker's side of the record: lines written, answers that wait for them.

internal import Identity
internal import Neutralization
internal import Policy
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
    /// Lines up to this one were handed over.
    private var submitted: UInt64 = 0
    private var waiting: [Waiting] = []
    private var firstWaiting = 0
    private var outcomes: [RecordOutcome] = []
    /// Administrators' acts whose line is not safe yet.
    private var acts: [(line: UInt64, told: CheckedContinuation<Bool, Never>)] = []
    private var isStopped = false
    private var refusedHandshakes = LinePace(perSecond: 20)

    /// Lines for which the disk is worth its trouble though more may come in this turn.
    private static let linesMany: UInt64 = 8

    init(log: RecordLog, number: Int) {
        self.log = log
        self.number = number
    }

    /// Whether only auditors can read what is written: patients may then be named.
    var isSealed: Bool { log.isSealed }

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
        let isBeginning = entry.delivery == .begun
        writer.begin()
        writer.raw("\"time\":")
        writer.raw(worker.clock.stamp)
        writer.raw(",\"request\":\"")
        let id = exchange.requestID.spelled
        writer.raw(id.span)
        writer.raw("\"")
        // What ends a long delivery repeats little of what its beginning said.
        if isBeginning { exchange.notes.claims.write(to: writer) }
        if let client = exchange.client {
            writer.raw(",\"peer\":\"")
            client.peer.write(to: writer)
            writer.raw("\",")
            writer.raw(client.tlsRecord)
            if let identity = exchange.identity ?? client.identity { writer.raw(identity.record) }
        }
        if let route = exchange.route {
            writer.raw(exchange.generation.routes[route].record)
        }
        writer.raw(",\"action\":\"")
        writer.raw(exchange.methodName)
        writer.raw("\"")
        writer.append(entry)
        if isBeginning { writer.raw(exchange.notes.list) }
        writeRule(of: exchange)
        if let word = exchange.refusalWord {
            writer.raw(",\"why\":\"")
            writer.raw(word)
            writer.raw("\"")
        }
        if exchange.shadowed { writer.raw(",\"shadow\":true") }
        if entry.decision == .allow, isBeginning, let left = exchange.notes.left {
            writer.raw(",\"left\":")
            writer.number(left)
        }
        if isBeginning, let inquiry = exchange.inquiry {
            inquiry.write(to: writer, isDelivered: entry.decision == .allow)
        }
        writer.end()
    }

    /// The line of the configuration, or of a list, that decided.
    private func writeRule(of exchange: Exchange) {
        if let reached = exchange.reachedLimit {
            writer.raw(exchange.generation.limits[reached.set].rules[reached.limit])
        } else if case .neutralized? = exchange.refusal {
            writer.raw(exchange.neutralizingRule)
        } else if let route = exchange.route {
            writer.raw(exchange.generation.routes[route].rule)
        }
    }

    /// Writes a line that begins with the time and goes on with what `write` writes.
    private func line(by worker: WorkerCore, _ write: (borrowing LineWriter) -> Void) {
        lineCount += 1
        writer.begin()
        writer.raw("\"time\":")
        writer.raw(worker.clock.stamp)
        write(writer)
        writer.end()
    }

    /// Writes the line of something that happened at the gate's own pages.
    func record(_ event: SignInEvent, by worker: WorkerCore) {
        var fields = EventName(event.kind).field
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
        line(by: worker) { $0.raw(bytes) }
    }

    /// Writes the line of a handshake refused because of the client's certificate, or counts it
    /// with those left out when too many were refused in this second.
    func handshakeRefused(
        _ peer: PeerAddress, _ certificate: Fingerprint?, _ why: StaticString,
        by worker: WorkerCore
    ) {
        tellLeftOut(by: worker)
        guard refusedHandshakes.mayTell(at: worker.clock.wallSeconds) else { return }
        line(by: worker) { writer in
            writer.raw(EventName.handshakeRefused.field)
            writer.raw(",\"why\":\"")
            writer.raw(why)
            writer.raw("\",\"peer\":\"")
            peer.write(to: writer)
            writer.raw("\"")
            if let certificate {
                writer.raw(",\"certificate\":\"sha256:\(certificate.hex)\"")
            }
        }
    }

    /// Writes how many refused handshakes have no line of their own, once their second is over.
    func tellLeftOut(by worker: WorkerCore, isLast: Bool = false) {
        let count = refusedHandshakes.takeLeftOut(
            at: isLast ? .max : worker.clock.wallSeconds)
        guard count > 0 else { return }
        line(by: worker) { writer in
            writer.raw(EventName.handshakeRefused.field)
            writer.raw(",\"left_out\":")
            writer.number(count)
        }
    }

    /// Writes the lines of administrators' acts; `told` hears whether they are safe.
    func record(
        _ written: [AdministrativeAct], by worker: WorkerCore,
        _ told: CheckedContinuation<Bool, Never>
    ) {
        guard !isStopped, !written.isEmpty else { return told.resume(returning: written.isEmpty) }
        for act in written { line(by: worker) { $0.raw(act.fragment) } }
        acts.append((lineCount, told))
        submit()
    }

    /// Waits for nothing any more.
    func stop() {
        isStopped = true
        for act in acts { act.told.resume(returning: false) }
        acts = []
    }

    /// Hands over what a part of a turn produced, if the disk should not wait for the rest.
    ///
    /// Never called within an exchange: what cannot be handed over ends the answers it is of.
    func submitMany() {
        if lineCount &- submitted >= Self.linesMany { submit() }
    }

    /// Gives what was answered to the disk, and what is there already to its clients, before
    /// anybody asks for more.
    func passOn() {
        submit()
        if waitingCount > 0 { collect() }
    }

    /// Hands over what this turn produced so far.
    func submit() {
        guard !writer.isEmpty else { return }
        submitted = lineCount
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
    /// `,"rule":"…"`: the line of a list, or the order, by which whoever asks is neutralized.
    var neutralizingRule: [UInt8] {
        guard let found = client?.neutralized ?? identity?.neutralized else { return [] }
        let rule =
            switch found.source {
            case .list(let line): "\(generation.configuration.neutralized?.path ?? "list"):\(line)"
            case .signedList, .command: sourceName(found.source)
            }
        return Array(",\"rule\":".utf8) + jsonString(rule)
    }
}

/// How many lines of one kind may be written in a second, and how many were not.
struct LinePace {
    private let perSecond: Int
    private var second = Int64.min
    private var count = 0
    private var leftOut: UInt64 = 0

    init(perSecond: Int) { self.perSecond = perSecond }

    /// Whether one more may be written; otherwise it counts as left out.
    mutating func mayTell(at second: Int64) -> Bool {
        if second != self.second {
            self.second = second
            count = 0
        }
        count += 1
        if count <= perSecond { return true }
        leftOut += 1
        return false
    }

    /// How many were left out in seconds that are over.
    @inline(__always)
    mutating func takeLeftOut(at second: Int64) -> UInt64 {
        guard leftOut > 0, second != self.second else { return 0 }
        defer { leftOut = 0 }
        return leftOut
    }
}

extension EventName {
    /// The one place that spells what happens on the gate's own pages, for record and log.
    init(_ kind: SignInEvent.Kind) {
        self =
            switch kind {
            case .signedIn: .signedIn
            case .signedOut: .signedOut
            case .providerLogout: .providerLogout
            case .enrolled: .enrolled
            case .halfway: .halfway
            case .refused: .refused
            case .delayed: .delayed
            }
    }
}
