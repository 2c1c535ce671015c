// WorkerCore.swift: all that one data-plane thread owns: descriptors, timers, buffers, exchanges.
//
// Reached from the worker's actor and from what it owns, on one thread only; nothing here is
// locked, because nothing here is shared.

internal import CSystem
internal import Glibc
internal import Identity
internal import Limits
internal import Lookup
internal import Neutralization
internal import Policy
internal import Reactor
internal import Record
internal import SignIn
internal import Wire

/// The state of one worker.
final class WorkerCore {
    /// Milliseconds the timer wheel reaches; deadlines beyond are looked at again then.
    static let wheelHorizon: UInt64 = 50_000
    static let nothing: [UInt8] = []
    /// Events handled before it is looked whether anybody asks something of this worker.
    private static let eventsUnasked = 8
    /// Steps of handshakes in one turn: each costs as much as twenty requests, and a crowd that
    /// comes back after having been cut must not keep those waiting who are let in.
    private static let handshakesMax = 2

    let number: Int
    let loop: EventLoop
    let log: GateLog
    let limits: LimitTable
    var poller: Poller
    var slots = Slots()
    var wheel: TimerWheel
    var clock = WorkerClock()
    let buffers = BufferPool(size: 16 * 1024, keptMax: 1024)
    /// For bytes that are thrown away.
    let scratch = Buffer(capacity: 16 * 1024)
    let headLimits = HeadLimits()
    /// Parsed heads: one of each is enough, since what is needed of them is taken at once.
    var requestHead = RequestHead()
    var responseHead = ResponseHead()

    /// What is in force; set by `commit` alone.
    var generation: Generation
    var contexts: [TLSServerContext] = []
    var pools: [ServerPool] = []
    var staged: Staged?
    var listeners: [ListenerSocket] = []
    let desk: RecordDesk
    var registry = Registry()
    var counters = WorkerCounters()
    /// Whether a limit in shadow would have refused the request being admitted.
    var shadowed = false
    /// How much more the tightest limit allowed after the request being admitted or settled.
    var left: UInt64?

    /// Who may follow which page link; the same for all workers.
    let pages: PageBindings
    /// What proofs of possession must keep to, and those used; the same for all workers.
    let proofs: ProofDesk
    let sessionStore: SessionStore
    let signInEvents: SignInEvents
    let probing: ProbingWatch
    /// What is kept of events from elsewhere.
    let signals: SignalInbox
    /// What is found out elsewhere for this worker's requests.
    let errands: ErrandDesk
    /// Exceptions to limits in force.
    var grants = Grants()
    /// Bytes of requests and answers held until they are understood and settled.
    var heldCount = 0
    /// Of them, what one worker holds at most: 256 MiB.
    static let heldMax = 256 << 20

    var neutralization = NeutralizationState() {
        didSet { listRecord = Array(",\"list\":\"\(neutralization.version)\"".utf8) }
    }
    /// `,"list":"…"`: which state of the list is in force.
    private(set) var listRecord: [UInt8] = []
    /// What the record says of TLS, by version and cipher suite; as many as the profile has.
    private var tlsRecords: [UInt32: [UInt8]] = [:]
    /// Grows with each change of the list.
    var neutralizationEpoch: UInt64 = 1
    var isDraining = false
    var exchangesRunning = 0
    private var freeExchanges: [Exchange] = []
    private var freeInquiries: [Inquiry] = []
    /// Compiled for this worker alone, by the route they are for.
    private var extractors: [ObjectIdentifier: Extractor] = [:]
    private var resuming: [UInt64] = []
    private var due: [UInt64] = []
    private let requestRandom: UInt64
    private var requestNumber: UInt64 = 0
    private var reserveDescriptor: Int32
    private var limitTimeRead: (at: UInt64, time: LimitTime)?
    var sweep: Sweep?
    var isStopped = false

    private static let freeExchangesMax = 1024
    private static let freeInquiriesMax = 64

    init(
        number: Int, loop: EventLoop, _ services: Services, generation: Generation
    ) throws(SystemError) {
        self.number = number
        pages = services.pages
        proofs = services.proofs
        sessionStore = services.sessions
        signInEvents = services.events
        probing = services.probing
        signals = services.signals
        errands = ErrandDesk(lanes: services.lanes, loop: loop)
        self.loop = loop
        log = services.log
        limits = services.limits
        poller = try Poller()
        wheel = TimerWheel(now: clock.milliseconds)
        desk = RecordDesk(log: services.record, number: number)
        self.generation = generation
        requestRandom = UInt64.random(in: .min ... .max)
        reserveDescriptor = unsafe herse_open("/dev/null", O_RDONLY, 0)
        let wake = slots.add { _ in .wake }
        try poller.add(loop.wakeDescriptor, .readable, token: wake)
        services.record.attach(worker: number, wake: { loop.wake() })
    }

    deinit { Glibc.close(reserveDescriptor) }

    /// Begins to accept on `sockets`.
    func open(_ sockets: [ListenerSocket]) throws(SystemError) {
        for socket in sockets {
            socket.token = slots.add { _ in .listener(socket) }
            try poller.add(socket.descriptor, .readable, token: socket.token)
        }
        listeners += sockets
    }

    /// Stops accepting on sockets whose listener is no longer configured.
    func close(_ socket: ListenerSocket) {
        poller.remove(socket.descriptor)
        slots.remove(socket.token)
        listeners.removeAll { $0 === socket }
    }

    // MARK: A turn

    /// Waits for readiness and handles all of it; false when the worker is to end.
    func turn() -> Bool {
        let wait = resuming.isEmpty && sweep == nil ? wheel.wait(now: clock.milliseconds) : 0
        // Lines that orders of the control plane left: nothing else would wake this thread for them.
        desk.submit()
        let count = poller.wait(milliseconds: wait)
        clock.read()
        limitTimeRead = nil
        wheel.keepUp(with: clock.milliseconds)
        // What is left when somebody asks something of this worker is reported again in its next
        // turn: epoll is level-triggered.
        if handleServers(count) {
            desk.passOn()
            handleClients(count)
            resume()
        }
        if sweep != nil { sweepSome() }
        lookAtDeadlines()
        desk.tellLeftOut(by: self)
        desk.submit()
        return !isStopped
    }

    /// Whether to go on with event `index`, or to hear first what is asked of this worker.
    private func goesOn(_ index: Int) -> Bool {
        index % Self.eventsUnasked != Self.eventsUnasked - 1 || !loop.hasJobs
    }

    /// Identity servers first: what one of them sent unasked, or that it closed, is known before a
    /// request is given to its connection; false when not all of them were handled.
    private func handleServers(_ count: Int) -> Bool {
        for index in 0..<count {
            guard goesOn(index) else { return false }
            let event = poller.event(index)
            if case .server(let connection) = slots[event.token] {
                connection.handle(event.readiness)
                desk.submitMany()
            }
        }
        return true
    }

    private func handleClients(_ count: Int) {
        var handshakes = 0
        for index in 0..<count {
            guard goesOn(index) else { return }
            let event = poller.event(index)
            switch slots[event.token] {
            case .client(let connection):
                if connection.phase == .handshaking {
                    handshakes += 1
                    guard handshakes <= Self.handshakesMax else { continue }
                }
                connection.handle(event.readiness)
            case .listener(let socket): accept(from: socket)
            case .wake:
                loop.drainWake()
                desk.collect()
                errands.collect()
            case .server, .none: break
            }
        }
    }

    /// Ends what has waited too long.
    ///
    /// The wheel is not held meanwhile: what ends sets deadlines.
    private func lookAtDeadlines() {
        wheel.takeDue(at: clock.milliseconds, into: &due)
        for token in due {
            let again: UInt64? =
                switch slots[token] {
                case .client(let connection): connection.deadlineCame()
                case .server(let connection): connection.deadlineCame()
                case .listener, .wake, .none: nil
                }
            if let again { wheel.add(token, deadline: again) }
        }
        due.removeAll(keepingCapacity: true)
    }

    /// Lets a connection go on in this turn, once what it was doing has returned.
    func resumeLater(_ token: UInt64) { resuming.append(token) }

    private func resume() {
        var rounds = 0
        while !resuming.isEmpty, rounds < 64 {
            var tokens: [UInt64] = []
            swap(&tokens, &resuming)
            for token in tokens {
                if case .client(let connection) = slots[token] { connection.resume() }
            }
            rounds += 1
        }
    }

    /// The time limits are reckoned in, read once a turn.
    var limitTime: LimitTime {
        if let read = limitTimeRead { return read.time }
        let time = limits.time
        limitTimeRead = (clock.milliseconds, time)
        return time
    }

    /// What the record says of how a connection is encrypted.
    func tlsRecord(of session: TLSSession) -> [UInt8] {
        let suite = session.cipherSuite
        if let suite, let known = tlsRecords[suite.number] { return known }
        let record = Array(
            "\"tls\":\"\(session.version)\",\"cipher\":\"\(suite?.name ?? "")\"".utf8)
        if let suite { tlsRecords[suite.number] = record }
        return record
    }

    func nextRequestID() -> RequestID {
        requestNumber &+= 1
        return RequestID(random: requestRandom, number: requestNumber)
    }

    // MARK: Exchanges

    func takeExchange() -> Exchange { freeExchanges.popLast() ?? Exchange(worker: self) }

    /// Keeps `exchange` for the next request, unless it holds on to a generation that is over.
    func giveBack(_ exchange: Exchange) {
        guard exchange.generation.number == generation.number,
            freeExchanges.count < Self.freeExchangesMax
        else { return }
        freeExchanges.append(exchange)
    }

    func takeInquiry() -> Inquiry { freeInquiries.popLast() ?? Inquiry(worker: self) }

    func giveBack(_ inquiry: Inquiry) {
        if freeInquiries.count < Self.freeInquiriesMax { freeInquiries.append(inquiry) }
    }

    /// Lets go of everything kept that holds on to the generation before.
    func forgetFreeExchanges() {
        freeExchanges.removeAll()
        extractors.removeAll()
    }

    /// What reads the answers of a route as its operator declared.
    func extractor(_ definition: ExtractorDefinition, of route: PreparedRoute) -> Extractor? {
        let name = ObjectIdentifier(route)
        if let known = extractors[name] { return known }
        let extractor = try? Extractor(definition)
        extractors[name] = extractor
        return extractor
    }

    /// What a refused client speaks: that of its route, also when it was refused before the route
    /// was looked at.
    func audience(
        of head: borrowing RequestHead, _ bytes: Span<UInt8>, listener: Int?, route: Int?
    ) -> Route.Lookups {
        if let route { return generation.routes[route].lookups }
        guard let listener else { return .none }
        let match = generation.rulebook.table.match(
            path: bytes.extracting(head.path), method: Policy.Method(head.method),
            listener: listener)
        if case .route(let index) = match { return generation.routes[index].lookups }
        return .none
    }

    /// The gate's own answer to a refusal.
    func answer(
        to refusal: Refusal, _ audience: AnswerAudience, _ generation: Generation,
        _ id: RequestID, _ signInAddress: String = ""
    ) -> OwnAnswer {
        let configuration = generation.configuration
        var limit: (name: String, limit: Int, seconds: Int)?
        if case .limitReached(_, let reached) = refusal {
            let prepared = generation.limits[reached.set]
            let window = prepared.set.windows[reached.limit]
            limit = (prepared.names[reached.limit], Int(window.limit), Int(window.spanSeconds))
        }
        return OwnAnswer(
            refusal,
            to: audience,
            RefusalDetails(
                requestID: id.text, challenge: challenge(for: refusal, generation),
                contact: configuration.contact, signInAddress: signInAddress, limit: limit,
                isDraining: isDraining))
    }

    // MARK: Connections

    private func accept(from socket: ListenerSocket) {
        var accepted = 0
        while accepted < ListenerSocket.acceptsMax, !isDraining {
            var storage = sockaddr_storage()
            // Safe because the storage is a local of the size accept4 is told.
            let descriptor = unsafe herse_accept(socket.descriptor, &storage)
            if descriptor < 0 {
                if errno == EMFILE || errno == ENFILE { shedOne(from: socket) }
                return
            }
            accepted += 1
            guard let peer = PeerAddress(storage) else {
                Glibc.close(descriptor)
                continue
            }
            let door = generation.listeners[socket.index].connections
            guard door.enter(max: generation.deadlines[socket.index].connectionsMax) else {
                counters.connectionsShed += 1
                log.connectionShed("connections of the listener")
                cutSocket(descriptor)
                continue
            }
            if !open(descriptor, from: peer, on: socket) { door.leave() }
        }
    }

    /// Takes charge of a connection; false, and it is closed, when that cannot be.
    private func open(
        _ descriptor: Int32, from peer: PeerAddress, on socket: ListenerSocket
    ) -> Bool {
        _ = herse_set_option(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        var connection: ClientConnection?
        let token = slots.add { token in
            connection = ClientConnection(
                worker: self, descriptor: descriptor, context: contexts[socket.index],
                listener: socket.index, peer: peer, token: token)
            return connection.map { .client($0) } ?? .none
        }
        guard let connection else {
            slots.remove(token)
            Glibc.close(descriptor)
            return false
        }
        do throws(SystemError) {
            try poller.add(descriptor, .readable, token: token)
        } catch {
            slots.remove(token)
            Glibc.close(descriptor)
            return false
        }
        counters.connections += 1
        registry.add(connection)
        connection.setDeadline(after: connection.timeouts.handshake)
        connection.handle(.readable)
        return true
    }

    /// Out of descriptors: takes one connection with the spare one and closes it, so that the
    /// client learns it and the listener does not stay ready for ever.
    private func shedOne(from socket: ListenerSocket) {
        Glibc.close(reserveDescriptor)
        var storage = sockaddr_storage()
        // Safe because the storage is a local of the size accept4 is told.
        let descriptor = unsafe herse_accept(socket.descriptor, &storage)
        if descriptor >= 0 { cutSocket(descriptor) }
        reserveDescriptor = unsafe herse_open("/dev/null", O_RDONLY, 0)
        counters.connectionsShed += 1
        log.connectionShed("descriptors")
    }

    /// A client's connection is over.
    func forget(_ connection: ClientConnection) {
        poller.remove(connection.descriptor)
        slots.remove(connection.token)
        registry.remove(connection)
        connection.door.leave()
    }

    // MARK: Identity

    /// Finds out who is at the other end; false when that cannot be.
    func identify(_ connection: ClientConnection) -> Bool {
        // A handshake that a reload overtook was verified under the generation before: the first
        // request verifies again.
        guard let listener = connection.listener else { return false }
        let isCurrent = connection.context === contexts[listener]
        connection.believedIn = isCurrent ? generation.number : 0
        if let fingerprint = connection.session.peerFingerprint {
            guard
                let belief = connection.context.verifier.believed(
                    fingerprint, now: clock.wallSeconds)
            else {
                log.notBelieved(connection.peer)
                desk.handshakeRefused(
                    connection.peer, fingerprint, "certificate-refused", by: self)
                return false
            }
            connection.believedUntil = belief.until
            let identity = registry.identity(.certificate(fingerprint)) {
                makeIdentity(belief.leaf)
            }
            registry.show(identity, on: connection)
        }
        consult(connection)
        return true
    }

    func makeIdentity(_ leaf: LeafCertificate) -> ProvenIdentity {
        var who = Who(leaf, rule: generation.configuration.certificateAuthentication.rule)
        look(for: &who)
        return ProvenIdentity(who, card: Card(leaf), credential: Credential(), limits: limits)
    }

    /// Asks the list about everything a connection stands for.
    func consult(_ connection: ClientConnection) {
        connection.neutralizationEpoch = neutralizationEpoch
        connection.neutralized = neutralization.verdict(
            address: NetworkAddress(connection.peer), now: UnixSeconds(clock.wallSeconds))
        guard connection.neutralized == nil, let identity = connection.identity else { return }
        // What is neutralized until a moment is so no longer: the list is asked each time.
        consult(identity)
        connection.neutralized = identity.neutralized
    }

    /// Asks the list about everything by which somebody can be neutralized.
    func consult(_ identity: ProvenIdentity) {
        identity.neutralizationEpoch = neutralizationEpoch
        identity.neutralized = verdict(
            on: identity, in: neutralization, UnixSeconds(clock.wallSeconds))
    }

    /// Whether what an identity shows was proven too long ago, for everybody or for them.
    func isProofVoid(_ identity: ProvenIdentity, on client: ClientConnection) -> Bool {
        if neutralization.asksForProofTimes,
            neutralization.verdict(
                provenAt: provenAt(identity, on: client), now: UnixSeconds(clock.wallSeconds))
                != nil
        {
            return true
        }
        return isRevokedElsewhere(identity, on: client)
    }

    /// When an identity was proven, in seconds since 1970; nil when nobody knows.
    func provenAt(_ identity: ProvenIdentity, on client: ClientConnection) -> Int64? {
        let credential = identity.credential
        // 0 stands for a provider that did not say.
        if let provenAt = credential.provenAt, provenAt > 0 { return provenAt }
        if identity.card != nil { return client.provenAt }
        return credential.issuedAt
    }

    /// Verifies a certificate under the generation in force.
    func believeAgain(_ connection: ClientConnection) -> Bool {
        guard let listener = connection.listener else { return false }
        let belief = contexts[listener].verifier.verifyAgain(
            connection.session, now: clock.wallSeconds)
        guard let belief else { return false }
        connection.believedUntil = belief.until
        connection.believedIn = generation.number
        return true
    }
}
