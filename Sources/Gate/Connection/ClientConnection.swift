// ClientConnection.swift: one client's TLS connection and what it is doing now.
//
// Readiness comes in here; HTTP1Turn.swift reads requests from it and frames answers on it.

internal import CSystem
internal import Glibc
internal import Neutralization
internal import Policy
internal import Reactor
internal import Wire

/// A client's connection, owned by one worker.
final class ClientConnection {
    /// What the connection waits for.
    enum Phase {
        case handshaking
        /// For a request, or the rest of its head.
        case idle
        /// For it to be found out elsewhere who sends the request whose head waits in `inbound`.
        case recognising
        /// For its exchange to end.
        case exchanging
        /// For the last bytes to leave; then it closes.
        case closing
        case closed
    }

    let worker: WorkerCore
    let descriptor: Int32
    let session: TLSSession
    /// Kept as long as the session, whose callbacks lead to it.
    let context: TLSServerContext
    /// Index of the listener in the configuration in force; nil once that is gone.
    var listener: Int?
    var timeouts: Deadlines
    /// Where this connection counts.
    let door: OpenConnections
    let peer: PeerAddress
    let token: UInt64

    var phase = Phase.handshaking
    var identity: ProvenIdentity?
    /// `"tls":"TLSv1.3","cipher":"…"`, once hands are shaken.
    private(set) var tlsRecord: [UInt8] = []
    /// The token that came last, and whom it proves.
    var bearer: Bearer?
    /// The session shown last, and the account.
    var shownSession: ShownSession?
    var shownAccount: ShownAccount?
    /// What an errand found out about the request whose head waits.
    var finding: ErrandFinding?
    /// Counts the errands it waited for: a late one is known as such.
    var errandsRun: UInt64 = 0
    /// Index of this connection among its identity's; meaningless without one.
    var placeInIdentity = 0
    /// The generation under which the certificate was last believed.
    var believedIn: UInt64 = 0
    /// Seconds since 1970 until which it is.
    var believedUntil = Int64.max
    /// Seconds since 1970 until which its responder is not asked about the certificate.
    var statusUntil = Int64.min
    /// Set when the subject was on the list as the connection came in, or at its last check.
    var neutralized: Neutralized?
    /// The state of the list that `neutralized` was taken from.
    var neutralizationEpoch: UInt64 = 0

    /// Whom the watch for probing was told of last.
    var watchedIdentity: ProvenIdentity?

    /// Bytes read and not yet understood, and bytes to be sent: nil when there are none.
    var inbound: Buffer?
    var outbound: Buffer?
    /// Bytes at the end of `outbound` that may not leave yet.
    var heldCount = 0
    var headSearch = HeadSearch()
    /// Whether a head has begun to arrive: then its own, shorter deadline runs.
    var isReadingHead = false
    var turn = HTTP1Turn()
    var exchange: Exchange?
    var requestCount: UInt64 = 0
    /// Set when no request may follow the one under way: the gate stops, or its door is gone.
    private(set) var isLeaving = false
    let openedAt: UInt64
    /// The same in seconds since 1970.
    private let openedAtWall: Int64

    /// Milliseconds of the monotonic clock; 0: none.
    private(set) var deadline: UInt64 = 0
    /// When the whole exchange must be over, whatever moves meanwhile.
    private var totalDeadline = UInt64.max
    private var wheelDue: UInt64 = .max
    private var interest: Readiness = .readable

    /// Bytes read ahead of an exchange that is still running.
    static let readAheadMax = 32 * 1024

    init?(
        worker: WorkerCore, descriptor: Int32, context: TLSServerContext, listener: Int,
        peer: PeerAddress, token: UInt64
    ) {
        guard let session = TLSSession(server: context, descriptor: descriptor) else { return nil }
        self.worker = worker
        self.descriptor = descriptor
        self.session = session
        self.context = context
        self.listener = listener
        timeouts = worker.generation.deadlines[listener]
        door = worker.generation.listeners[listener].connections
        self.peer = peer
        self.token = token
        openedAt = worker.clock.milliseconds
        openedAtWall = worker.clock.wallSeconds
    }

    /// When the client proved itself in a full handshake, in seconds since 1970 and not later than
    /// it did; nil when that is not known.
    var provenAt: Int64? { session.isResumed ? session.provenAt : openedAtWall }

    /// Seconds since the client proved itself in a full handshake; nil when that is not known.
    var proofAgeSeconds: UInt32? {
        guard session.isResumed else {
            return UInt32(clamping: (worker.clock.milliseconds - openedAt) / 1000)
        }
        guard let provenAt = session.provenAt, provenAt <= worker.clock.wallSeconds else {
            return nil
        }
        return UInt32(clamping: worker.clock.wallSeconds - provenAt)
    }

    // MARK: Readiness

    func handle(_ readiness: Readiness) {
        if readiness.contains(.failed) || readiness.contains(.hungUp) {
            close()
            return
        }
        switch phase {
        case .handshaking: shakeHands()
        case .idle, .exchanging:
            if readiness.contains(.writable) { flush() }
            if readiness.contains(.readable) || readiness.contains(.readClosed) { readAll() }
        case .closing:
            if readiness.contains(.writable) { flush() } else { discardInput() }
        case .recognising, .closed: break
        }
    }

    private func shakeHands() {
        // What is left of another connection's handshake is not this one's.
        _ = context.verifier.takeRefused()
        switch session.handshake() {
        case .done: established()
        case .wantsRead: watch(.readable)
        case .wantsWrite: watch(.writable)
        case .finished, .failed:
            worker.counters.handshakesFailed += 1
            worker.log.handshakeFailed(peer, why: session.failure)
            if let why = session.refusal {
                worker.desk.handshakeRefused(
                    peer, context.verifier.takeRefused(), why, by: worker)
            }
            close()
        }
    }

    /// After every handshake, resumed or not: a ticket proves nothing about today's lists.
    private func established() {
        worker.counters.handshakes += 1
        if session.isResumed { worker.counters.resumptions += 1 }
        guard session.bindsHandshake, worker.identify(self) else {
            worker.counters.handshakesFailed += 1
            close()
            return
        }
        phase = .idle
        tlsRecord = worker.tlsRecord(of: session)
        watch(.readable)
        setDeadline(after: timeouts.idle)
        // The first request may have come with the end of the handshake.
        if session.hasPending { readAll() }
        // The gate began to stop while hands were being shaken.
        if isLeaving { leave() }
    }

    /// Reads while there is room, and lets each piece be understood.
    func readAll() {
        while phase == .idle || phase == .exchanging {
            guard mayRead else {
                watch(interest.subtracting(.readable))
                return
            }
            let buffer = inbound ?? worker.buffers.take()
            inbound = buffer
            var progress = TLSProgress.failed
            _ = unsafe buffer.fill(atLeast: 4096) { room in
                progress = unsafe session.read(into: room)
                if case .done(let count) = progress { return count }
                return 0
            }
            switch progress {
            case .done:
                understand()
                // Another read would most often say that there is nothing: readiness will tell,
                // except of what the session holds already.
                if !session.hasPending { return giveBackEmptyInbound() }
            case .wantsRead:
                watch(interest.union(.readable))
                return giveBackEmptyInbound()
            case .wantsWrite:
                watch(interest.union(.writable))
                return giveBackEmptyInbound()
            case .finished:
                inputEnded()
                return giveBackEmptyInbound()
            case .failed:
                close()
                return
            }
        }
    }

    /// Whether more may be read: always while a body is wanted, else a bounded amount ahead.
    private var mayRead: Bool {
        guard let exchange, phase == .exchanging else { return true }
        if turn.bodyIsComplete { return (inbound?.count ?? 0) < Self.readAheadMax }
        return exchange.mayTakeBody
    }

    private func giveBackEmptyInbound() {
        guard let buffer = inbound, buffer.isEmpty else { return }
        inbound = nil
        worker.buffers.give(buffer)
    }

    /// The client sends no more (`close_notify`): what it has asked for is still answered.
    private func inputEnded() {
        turn.inputEnded = true
        watch(interest.subtracting(.readable))
        switch phase {
        case .exchanging where turn.bodyIsComplete: break
        case .closing: break
        default: close()
        }
    }

    private func discardInput() {
        let buffer = worker.scratch
        buffer.removeAll()
        var progress = TLSProgress.failed
        _ = unsafe buffer.fill(atLeast: 4096) { room in
            progress = unsafe session.read(into: room)
            return 0
        }
        switch progress {
        case .done, .wantsRead, .wantsWrite: break
        case .finished, .failed: close()
        }
    }

    // MARK: Sending

    /// Sends what may leave; when all of it is gone, goes on with what follows.
    func flush() {
        guard phase != .closed else { return }
        while let buffer = outbound, buffer.count > heldCount {
            let free = buffer.count - heldCount
            let progress = unsafe buffer.withPointer { bytes in
                unsafe session.write(UnsafeRawBufferPointer(rebasing: bytes.prefix(free)))
            }
            switch progress {
            case .done(let count):
                buffer.consume(count)
                turn.sentCount &+= UInt64(count)
            case .wantsWrite:
                watch(interest.union(.writable))
                setDeadline(after: timeouts.body)
                return
            case .wantsRead:
                return
            case .finished, .failed:
                close()
                return
            }
        }
        if let buffer = outbound, buffer.isEmpty {
            outbound = nil
            turn.sentBody.allTaken()
            worker.buffers.give(buffer)
        }
        if interest.contains(.writable) { watch(interest.subtracting(.writable)) }
        sentAll()
    }

    private func sentAll() {
        switch phase {
        case .exchanging:
            guard outbound == nil, let exchange else { return }
            exchange.clientTookAll()
        case .closing:
            if outbound == nil { finishClosing() }
        case .handshaking, .idle, .recognising, .closed: break
        }
    }

    // MARK: Ending

    /// Closes once everything staged has left.
    func closeWhenSent() {
        guard phase != .closed else { return }
        phase = .closing
        endTotal()
        setDeadline(after: 5000)
        if outbound == nil { finishClosing() }
    }

    private func finishClosing() {
        session.sayGoodbye()
        // The kernel must not reset what it still has to send because input is unread.
        _ = shutdown(descriptor, Int32(SHUT_WR))
        if turn.inputEnded {
            close()
        } else {
            watch(.readable)
            setDeadline(after: 2000)
        }
    }

    /// Ends as soon as nothing is under way.
    func leave() {
        turn.mustClose = true
        turn.clientKeepsAlive = false
        isLeaving = true
        if phase == .idle, inbound == nil {
            session.sayGoodbye()
            close()
        }
    }

    /// Ends now; the exchange under way, if any, is told that its client is gone.
    func close() {
        guard phase != .closed else { return }
        phase = .closed
        let exchange = self.exchange
        self.exchange = nil
        exchange?.clientGone()
        worker.forget(self)
        Glibc.close(descriptor)
        releaseBuffers()
    }

    /// Ends now, and what the kernel still has to send is never sent (promise P2).
    func cut() {
        guard phase != .closed else { return }
        phase = .closed
        let exchange = self.exchange
        self.exchange = nil
        exchange?.clientGone()
        worker.forget(self)
        cutSocket(descriptor)
        releaseBuffers()
    }

    private func releaseBuffers() {
        if let buffer = inbound { worker.buffers.give(buffer) }
        if let buffer = outbound { worker.buffers.give(buffer) }
        inbound = nil
        outbound = nil
    }

    // MARK: Time

    func watch(_ wanted: Readiness) {
        guard wanted != interest, phase != .closed else { return }
        interest = wanted
        worker.poller.modify(descriptor, wanted, token: token)
    }

    func watchInput() { watch(interest.union(.readable)) }

    /// A request has begun: its total time runs.
    func beginTotal() {
        totalDeadline = worker.clock.milliseconds + timeouts.total
        setDeadline(after: turn.bodyIsComplete ? timeouts.total : timeouts.body)
    }

    func endTotal() { totalDeadline = .max }

    func setDeadline(after milliseconds: UInt64) {
        deadline = min(worker.clock.milliseconds + milliseconds, totalDeadline)
        let due = min(deadline, worker.clock.milliseconds + WorkerCore.wheelHorizon)
        guard due < wheelDue else { return }
        wheelDue = due
        worker.wheel.add(token, deadline: due)
    }

    /// Looks at the deadline when the wheel comes round; returns when to look again.
    func deadlineCame() -> UInt64? {
        let now = worker.clock.milliseconds
        // Another entry of the wheel is nearer: this one is left from an earlier deadline.
        if wheelDue > now { return nil }
        if deadline > now {
            wheelDue = min(deadline, now + WorkerCore.wheelHorizon)
            return wheelDue
        }
        wheelDue = .max
        expired()
        guard phase != .closed, deadline > now else { return nil }
        wheelDue = min(deadline, now + WorkerCore.wheelHorizon)
        return wheelDue
    }

    private func expired() {
        switch phase {
        case .handshaking:
            worker.counters.handshakesFailed += 1
            close()
        case .idle:
            if inbound == nil {
                session.sayGoodbye()
                close()
            } else {
                refuseWithoutExchange(.headSlow)
            }
        case .recognising: goOn(with: .overloaded)
        case .exchanging: exchange?.clientTooSlow()
        case .closing, .closed: close()
        }
    }
}

/// Whole milliseconds of a duration.
func milliseconds(_ duration: Duration) -> UInt64 {
    let parts = duration.components
    return UInt64(clamping: parts.seconds) * 1000
        + UInt64(clamping: parts.attoseconds / 1_000_000_000_000_000)
}
