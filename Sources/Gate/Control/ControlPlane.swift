// ControlPlane.swift: the gate's administration: one thread beside the workers.
//
// Its turn watches the admin socket, signals and its own timers; what is asked is done in the
// files beside this one: Reloading, Neutralizing, Reporting, Stopping.

internal import Administration
internal import CSystem
internal import Foundation
internal import Glibc
internal import Limits
internal import Neutralization
internal import Policy
internal import Reactor
internal import Record
internal import Wire

/// The one that changes what is in force; workers only ever see the result.
actor ControlPlane: LoopOwner {
    private enum Watched: UInt64 {
        case wake = 0
        case signals = 1
        case socket = 2
        /// Tokens of connections begin here.
        case connection = 16
    }

    private let loop: EventLoop
    private var poller: Poller
    private let socket: ControlSocket
    private let signals: Int32
    private var connections: [UInt64: ControlConnection] = [:]
    private var nextToken = Watched.connection.rawValue

    let services: Services
    let configurationPath: String
    let workers: [Worker]
    let startedAt: UInt64

    var generation: Generation
    var neutralization: NeutralizationState
    /// What states of the list are called.
    var versions = ListVersions()
    var list: LoadedList?
    var journal: Journal<DiskJournalFile>
    /// Exceptions to limits, as they are kept.
    var grantJournal: GrantJournal
    /// Orders that wait for a second administrator.
    var pending = PendingOrders<ControlRequest>()
    /// Why commands could not be made durable, if one could not.
    var journalProblem: String?
    /// How long neutralizations took, with the disk and without.
    var latencies = (whole: Latencies(), inside: Latencies())
    /// What the last drill on this host found.
    var lastDrill: DrillReport?
    /// Bound port of each listener, by `portKey`.
    var ports: [String: UInt16]

    /// The generation to go back to, and when that happens by itself.
    var former: Former?
    /// When the list changes by itself next, in seconds since 1970.
    var nextListChange: UnixSeconds?
    private var nextTicketKeys: UInt64
    private var nextUpkeep: UInt64 = 0
    var nextSlowUpkeep: UInt64 = 0
    private var nextWatch: UInt64 = 0
    /// What operators elsewhere know to be wrong.
    var watched = ShortcomingWatch()
    var isWatching = false
    /// When a gate that stops looks again whether anything is under way.
    private var nextLookAtBusy: UInt64 = 0
    var stopAt: UInt64?
    var isStopping = false
    var isEnding = false
    var isOver = false

    /// Whether what was read while no gate ran is being recorded.
    var isTakingReads = false
    /// Whether events from elsewhere are being carried out.
    var isObeyingSignals = false
    private var changing = Turnstile()
    private var reloading = Turnstile()

    /// Administrators' connections at once.
    private static let connectionsMax = 32
    private static let requestMilliseconds: UInt64 = 30_000
    private static let upkeepMilliseconds: UInt64 = 1000
    private static let watchMilliseconds: UInt64 = 2000
    private static let busyMilliseconds: UInt64 = 50
    /// How long tickets are sealed with one key: a stolen key opens no older session than this.
    private static let ticketKeyMilliseconds: UInt64 = 3_600_000

    struct Former {
        let generation: Generation
        let list: LoadedList?
        let until: UInt64?
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe loop.asUnownedSerialExecutor()
    }

    init(_ start: consuming ControlStart, loop: EventLoop) throws(SystemError) {
        self.loop = loop
        poller = try Poller()
        socket = start.socket
        signals = start.signals
        services = start.services
        configurationPath = start.configurationPath
        workers = start.workers
        generation = start.generation
        neutralization = start.neutralization
        list = start.list
        ports = start.ports
        journal = start.journal
        grantJournal = start.grants
        let now = herse_clock(CLOCK_MONOTONIC) / 1_000_000
        startedAt = now
        nextTicketKeys = now + Self.ticketKeyMilliseconds
        nextListChange = neutralization.nextChange(after: UnixSeconds(Int64(time(nil))))
        services.signals.attach(loop)
        try poller.add(loop.wakeDescriptor, .readable, token: Watched.wake.rawValue)
        try poller.add(signals, .readable, token: Watched.signals.rawValue)
        try poller.add(socket.descriptor, .readable, token: Watched.socket.rawValue)
    }

    var log: GateLog { services.log }
    var limits: LimitTable { services.limits }
    var record: RecordLog { services.record }
    var milliseconds: UInt64 { herse_clock(CLOCK_MONOTONIC) / 1_000_000 }
    var now: UnixSeconds { UnixSeconds(Int64(time(nil))) }

    func turn() -> Bool {
        let count = poller.wait(milliseconds: 250)
        for index in 0..<count {
            let event = poller.event(index)
            switch event.token {
            case Watched.wake.rawValue: loop.drainWake()
            case Watched.signals.rawValue: readSignals()
            case Watched.socket.rawValue: accept()
            default: handle(event.token, event.readiness)
            }
        }
        keepTime()
        obeySignals()
        return !isOver
    }

    /// What happens by itself: lists change, confirmations lapse, ticket keys age, a stop ends.
    private func keepTime() {
        let moment = milliseconds
        for (token, connection) in connections
        where connection.deadline < moment && !connection.isBeingAnswered {
            drop(token)
        }
        if let change = nextListChange, change < now || change == now {
            nextListChange = nil
            Task { await self.listChangedByItself() }
        }
        if let until = former?.until, until <= moment, !changing.isHeld {
            Task { await self.confirmationLapsed() }
        }
        if nextUpkeep <= moment, !isStopping {
            nextUpkeep = moment + Self.upkeepMilliseconds
            keepUp()
        }
        if nextWatch <= moment {
            nextWatch = moment + Self.watchMilliseconds
            Task { await self.watch() }
        }
        if nextTicketKeys <= moment {
            nextTicketKeys = moment + Self.ticketKeyMilliseconds
            if let keys = TicketKeys() {
                Task { for worker in self.workers { await worker.replaceTicketKeys(keys) } }
            }
        }
        // Paced: each look wakes this thread again when its answers come.
        if isStopping, nextLookAtBusy <= moment {
            nextLookAtBusy = moment + Self.busyMilliseconds
            Task { await self.continueStopping() }
        }
    }

    private func readSignals() {
        var number: UInt8 = 0
        // Safe because one byte is read into a local.
        while unsafe read(signals, &number, 1) == 1 {
            switch Int32(number) {
            case SIGHUP:
                Task {
                    let request = ControlRequest.reload(confirmWithinSeconds: nil)
                    switch await self.obey(request, by: .signal) {
                    case .refused(let problems):
                        for problem in problems { log.say(problem) }
                        log.say("reload refused, generation \(generation.number) stays in force")
                    default: break
                    }
                }
            case SIGTERM, SIGINT:
                if isStopping { stopAt = 0 } else { beginStopping() }
            default: break
            }
        }
    }

    // MARK: The admin socket

    private func accept() {
        while true {
            let descriptor = accept4Unix(socket.descriptor)
            guard descriptor >= 0 else { return }
            var peer = herse_peer()
            // Safe because the structure is a local. Only root and the gate's own user may speak,
            // whatever became of the socket's mode.
            let known = unsafe herse_peer_credentials(descriptor, &peer) == 0
            guard known, peer.uid == 0 || peer.uid == geteuid(),
                connections.count < Self.connectionsMax
            else {
                if known {
                    log.say("admin socket: user \(peer.uid) refused", kind: "admin refused")
                }
                close(descriptor)
                continue
            }
            let token = nextToken
            nextToken += 1
            connections[token] = ControlConnection(
                descriptor: descriptor, peer: peer, token: token,
                deadline: milliseconds + Self.requestMilliseconds)
            do throws(SystemError) {
                try poller.add(descriptor, .readable, token: token)
            } catch {
                connections[token] = nil
            }
        }
    }

    private func handle(_ token: UInt64, _ readiness: Readiness) {
        guard let connection = connections[token] else { return }
        if !connection.output.isEmpty {
            if connection.writeSome() { drop(token) }
            return
        }
        if connection.isAnswering {
            // Nothing is expected before the answer: the peer has gone, and its order is obeyed.
            // Not watched at all, since a hang-up is reported whatever is watched for.
            connection.isWatched = false
            poller.remove(connection.descriptor)
            return
        }
        switch connection.readSome() {
        case .more: break
        case .ended: drop(token)
        case .line(let bytes):
            connection.isAnswering = true
            let by = Administrator(connection.peer)
            Task {
                let answer = await self.obey(bytes, by: by)
                self.reply(await encode(answer), token)
            }
        }
    }

    private func reply(_ bytes: [UInt8], _ token: UInt64) {
        guard let connection = connections[token] else { return }
        connection.answer(bytes, deadline: milliseconds + Self.requestMilliseconds)
        if connection.writeSome() {
            drop(token)
        } else if connection.isWatched {
            poller.modify(connection.descriptor, .writable, token: token)
        } else {
            do throws(SystemError) {
                try poller.add(connection.descriptor, .writable, token: token)
            } catch {
                drop(token)
            }
        }
    }

    private func drop(_ token: UInt64) {
        guard let connection = connections.removeValue(forKey: token) else { return }
        poller.remove(connection.descriptor)
    }

    private func obey(_ bytes: [UInt8], by administrator: Administrator) async -> ControlAnswer {
        guard let request = try? JSONDecoder().decode(ControlRequest.self, from: Data(bytes)) else {
            return .refused(["the request is not understood: is this herse of the gate's version?"])
        }
        return await obey(request, by: administrator)
    }

    /// Runs `body` while nothing else changes what is in force; whoever comes meanwhile waits.
    func exclusively<Result: Sendable>(_ body: () async -> Result) async -> Result {
        while changing.isHeld { await withCheckedContinuation { changing.waiting.append($0) } }
        changing.isHeld = true
        let result = await body()
        changing.leave()
        return result
    }

    /// Runs `body` while no other reload loads or applies: what was loaded first is never put in
    /// force last.
    ///
    /// Orders pass meanwhile.
    func oneReloadAtATime<Result: Sendable>(_ body: () async -> Result) async -> Result {
        while reloading.isHeld { await withCheckedContinuation { reloading.waiting.append($0) } }
        reloading.isHeld = true
        let result = await body()
        reloading.leave()
        return result
    }

    private struct Turnstile {
        var isHeld = false
        var waiting: [CheckedContinuation<Void, Never>] = []

        mutating func leave() {
            isHeld = false
            if !waiting.isEmpty { waiting.removeFirst().resume() }
        }
    }

    /// Asks all workers at once.
    func everywhere<Result: Sendable>(
        _ ask: @escaping @Sendable (Worker) async -> Result
    ) async -> [Result] {
        // From this thread to theirs and back: child tasks of a group would go by way of the
        // common pool, whose threads wait for a core like everybody else's.
        let asked = workers.map { worker in
            Task { [self] in
                preconditionIsolated()
                return await ask(worker)
            }
        }
        var results: [Result] = []
        for task in asked { results.append(await task.value) }
        return results
    }
}

/// Writes an answer as JSON; a list of a million entries takes a while, and orders pass meanwhile.
@concurrent
private func encode(_ answer: ControlAnswer) async -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    return (try? encoder.encode(answer)).map { Array($0) } ?? []
}

/// What the control plane begins with.
struct ControlStart: ~Copyable {
    let socket: ControlSocket
    let signals: Int32
    let services: Services
    let configurationPath: String
    let workers: [Worker]
    let generation: Generation
    let neutralization: NeutralizationState
    let list: LoadedList?
    let ports: [String: UInt16]
    var journal: Journal<DiskJournalFile>
    var grants: GrantJournal
}

private func accept4Unix(_ listener: Int32) -> Int32 {
    var storage = sockaddr_storage()
    // Safe because the storage is a local of the size accept4 is told.
    return unsafe herse_accept(listener, &storage)
}
