// Exchange.swift: a request's life from its head to the last byte of its answer.
//
// accept → handshake → read head → identify → admit → forward → read answer → inspect → settle →
// record → deliver. The first three are the connection's; the rest is here, in that order,
// whatever protocol the client speaks. How a request is written for its identity server is in
// Forwarding.swift; what is done where identities are looked up, in Withholding.swift.

internal import Policy
internal import Record
internal import SignIn
internal import Wire

/// One request and its answer; reused by its worker when it is over.
final class Exchange {
    enum Stage {
        case unused
        /// Waits for a connection to the identity server, or for its answer.
        case forwarding
        /// The answer comes in; nothing of it has left.
        case holding
        /// Its line is on disk, or need not be: the answer leaves as it comes.
        case delivering
        case over
    }

    let worker: WorkerCore
    private(set) var stage = Stage.unused
    /// Counts the uses of this object, so that a late notice for an earlier one is known as such.
    private(set) var use: UInt64 = 0
    var client: ClientConnection?
    /// Who asks, once that is known.
    private(set) var identity: ProvenIdentity?
    /// Index of this exchange among its identity's; meaningless without one.
    var placeInIdentity = 0
    private(set) var server: ServerConnection?
    var generation: Generation
    var route: Int?
    var refusal: Refusal?
    private var method = Wire.Method.get
    private var wantsHTML = false
    /// What the client speaks, as far as its route tells.
    var spoken = Route.Lookups.none
    private var beganAt: UInt64 = 0
    private var answeredAt: UInt64 = 0
    private(set) var requestID = RequestID()
    var bodyMax: UInt64 = 0

    /// The request as it is sent: its head, and what there is of its body.
    var request: Buffer?
    var requestBody = Wire.BodyFraming.none
    var requestIsWhole = false
    private var retriesLeft = 0
    private var connectionsTried = 0
    var pool: ServerPool?

    private var status: UInt16 = 0
    var answerCount: UInt64 = 0
    var answerIsWhole = false
    private var awaitsRecord = false
    private var wasStreamed = false
    /// Whether a limit in shadow would have refused it.
    var shadowed = false
    /// What else its line says of it.
    var notes = RecordNotes()
    /// What is asked and disclosed; on routes where identities are looked up.
    var inquiry: Inquiry?
    /// Where a browser wants to be, which may first have to prove more; empty for all others.
    var returnPath = ""
    /// What is asked of the gate itself; its body is held until it is whole.
    var page: OwnRequest?
    /// Whether the body decides what is asked: it is held until it is whole.
    var awaitsBody = false
    /// What the head allows so far, until the body has been understood.
    var applicant: Applicant?

    /// Bytes of a request held for a slow identity server before its client is made to wait.
    static let requestHeldMax = 64 * 1024
    /// Bytes of an answer held for its record or for a slow client before the identity server is
    /// made to wait.
    static let answerHeldMax = 256 * 1024

    init(worker: WorkerCore) {
        self.worker = worker
        generation = worker.generation
    }

    var isRefused: Bool { refusal != nil }

    // MARK: Admission

    /// Takes a parsed head: decides on it and, if it may pass, writes what the identity server will
    /// get.
    ///
    /// `bytes` are those the head was parsed from. When it cannot be told here who asks, nothing
    /// has begun: what is returned finds out, and the head is to be brought again.
    func begin(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, on client: ClientConnection
    ) -> Errand? {
        start(on: client)
        notes.claims.take(head, bytes)
        method = head.method
        wantsHTML = prefersHTML(head, bytes)
        do throws(Refusal) {
            if let errand = try worker.certificateErrand(client) {
                notBegun()
                return errand
            }
            if let request = try worker.ownPage(of: head, bytes, from: client) {
                try beginPage(request, head)
                return nil
            }
            let index = try worker.route(of: head, bytes, from: client)
            route = index
            let recognition = try worker.recognise(
                head, bytes, on: generation.routes[index], of: client)
            var identity: ProvenIdentity?
            switch recognition {
            case .nobody: break
            case .somebody(let known): identity = known
            case .unknown(let errand):
                notBegun()
                return errand
            }
            if let identity { isAsked(by: identity) }
            if wantsHTML { returnPath = worker.returnPath(head, bytes, on: index, of: client) }
            let applicant = try worker.consider(identity, on: index, of: client)
            let prepared = generation.routes[index]
            bodyMax = prepared.bodyMax
            spoken = prepared.lookups
            if case .length(let count) = head.framing, count > bodyMax { throw .bodyTooLarge }
            guard prepared.isInspected else {
                let permit = try worker.admit(applicant, asking: nil, of: client)
                isCharged()
                write(head, bytes, of: client)
                forward(permit)
                return nil
            }
            try inquire(applicant, head, bytes, of: client)
        } catch {
            refusal = error
            route = error.route ?? route
            spoken = worker.audience(of: head, bytes, listener: client.listener, route: route)
        }
        return nil
    }

    /// Undoes `start`: the request is brought again once it is known who asks.
    private func notBegun() {
        worker.counters.requests -= 1
        finish()
    }

    /// Takes bytes that were no request.
    func beginRefused(_ refusal: Refusal, on client: ClientConnection) {
        start(on: client)
        self.refusal = refusal
        proceed()
    }

    private func isAsked(by identity: ProvenIdentity) {
        self.identity = identity
        // Who shows a certificate is found by the connections that show it.
        if identity.card == nil { worker.registry.begin(self, for: identity) }
    }

    private func start(on client: ClientConnection) {
        self.client = client
        generation = worker.generation
        use &+= 1
        stage = .forwarding
        route = nil
        refusal = nil
        beganAt = worker.clock.nanoseconds
        answeredAt = 0
        requestID = worker.nextRequestID()
        bodyMax = 0
        requestIsWhole = true
        requestBody = .none
        pool = nil
        retriesLeft = 0
        connectionsTried = 0
        status = 0
        answerCount = 0
        answerIsWhole = false
        awaitsRecord = false
        wasStreamed = false
        shadowed = false
        spoken = .none
        awaitsBody = false
        page = nil
        returnPath = ""
        worker.shadowed = false
        notes.begin(on: worker)
        worker.counters.requests += 1
        worker.exchangesRunning += 1
    }

    /// Goes on after the head: to the identity server, or to the refusal.
    func proceed() {
        if let refusal {
            refuse(refusal)
            return
        }
        if requestIsWhole, page != nil {
            makePage()
            return
        }
        if awaitsBody, requestIsWhole {
            questionIsWhole()
            return
        }
        if requestIsWhole {
            retriesLeft = method.isIdempotent && requestBody.isEmpty ? 1 : 0
        } else {
            client?.sendContinue()
        }
        pool?.serve(self)
    }

    // MARK: Forwarding

    /// Lets the request go to its identity server; only a permit leads here.
    func forward(_ permit: consuming Permit) {
        pool = worker.pools[generation.routes[permit.route].server]
    }

    /// Whether the identity server keeps up with the body.
    ///
    /// That of a refused request is not read until its answer is gone: nobody would consume it.
    var mayTakeBody: Bool {
        guard stage != .over, refusal == nil else { return false }
        return awaitsBody || page != nil || (request?.count ?? 0) < Self.requestHeldMax
    }

    func takeBody(_ bytes: Span<UInt8>) {
        guard refusal == nil else { return }
        if page != nil {
            for index in bytes.indices { page?.body.append(bytes[index]) }
            return
        }
        guard let request else { return }
        if awaitsBody {
            inquiry?.takeRequest(bytes)
            return
        }
        if requestBody == .chunked { request.appendChunk(bytes) } else { request.append(bytes) }
    }

    func bodyProgressed() { server?.sendMore() }

    func bodyEnded() {
        requestIsWhole = true
        if page != nil {
            makePage()
            return
        }
        if awaitsBody {
            questionIsWhole()
            return
        }
        if requestBody == .chunked { request?.appendLastChunk() }
        server?.sendMore()
    }

    /// The identity server took what there was; more of the body may come.
    func serverTookRequest() {
        if !requestIsWhole { client?.resumeBody() }
    }

    var requestMethod: Wire.Method { method }

    /// Whether the request's bytes are kept until an answer comes, to be sent again.
    var isRepeatable: Bool { requestBody.isEmpty }

    /// Whether another endpoint may be asked after a connection could not be made; bounded, since
    /// each endpoint rests after a failure.
    func mayRetryConnecting() -> Bool {
        guard stage == .forwarding, connectionsTried < 3 else {
            return false
        }
        connectionsTried += 1
        server = nil
        return true
    }

    func attach(_ server: ServerConnection) { self.server = server }

    // MARK: Answer

    /// The identity server's answer begins; interim answers (1xx) never come here.
    func answerBegan(_ head: borrowing ResponseHead, _ bytes: Span<UInt8>) {
        guard stage == .forwarding, let client else { return }
        stage = .holding
        status = head.status
        answeredAt = worker.clock.nanoseconds
        if let inquiry {
            inquiry.answerBegan(head, bytes)
            if !inquiry.answerHasNoBody {
                client.stageHeadOfHeld(head, bytes, isDecoded: inquiry.isEncoded)
                return
            }
        }
        client.stageHead(head, bytes)
    }

    func answerBody(_ bytes: Span<UInt8>) {
        guard let client else { return }
        answerCount += UInt64(bytes.count)
        if let inquiry { inquiry.takeAnswer(bytes) } else { client.stageBody(bytes) }
    }

    func answerEnded() {
        answerIsWhole = true
        if inquiry == nil { client?.stageEnd() }
        server = nil
    }

    /// The identity server has said all there is to say for now: what is staged is recorded and,
    /// when that is durable, delivered.
    func answerPaused() {
        switch stage {
        case .holding:
            if awaitsRecord { return }
            if let inquiry, !withheldEnough(inquiry) { return }
            record()
        case .delivering: client?.release()
        case .unused, .forwarding, .over: break
        }
    }

    /// Whether the identity server may send more of the answer.
    var mayTakeAnswer: Bool {
        inquiry != nil || (client?.stagedCount ?? 0) < Self.answerHeldMax
    }

    // MARK: Record and delivery

    private func record() {
        if !answerIsWhole { wasStreamed = true }
        let waits = worker.desk.record(
            self, entry(.allow, .begun, bytes: answerIsWhole ? answerCount : nil))
        if waits { awaitsRecord = true } else { deliver() }
    }

    /// The line is on disk, or could not be kept.
    func recorded(_ kept: Bool) {
        guard stage == .holding, awaitsRecord else { return }
        awaitsRecord = false
        if kept {
            deliver()
        } else {
            // Fail closed: nothing is disclosed that is not recorded.
            client?.unstage()
            refuse(.notRecorded)
        }
    }

    private func deliver() {
        stage = .delivering
        client?.release()
        if server != nil { server?.resumeAnswer() }
    }

    /// Nothing staged is left: the exchange is over, or its server may send more.
    func clientTookAll() {
        guard stage == .delivering else { return }
        if answerIsWhole {
            if wasStreamed {
                _ = worker.desk.record(self, entry(.allow, .whole, bytes: client?.bodySentCount))
            }
            end()
        } else {
            server?.resumeAnswer()
        }
    }

    // MARK: Refusal and failure

    /// Answers with a refusal of the gate's own, if nothing of an answer has left.
    func refuse(_ refusal: Refusal) {
        guard stage == .forwarding || stage == .holding, let client else { return }
        self.refusal = refusal
        dropServer()
        dropRequest()
        if stage == .holding { client.unstage() }
        status = UInt16(clamping: refusal.status)
        let answer = worker.answer(
            to: refusal, AnswerAudience(lookups: spoken, wantsHTML: wantsHTML), generation,
            requestID, worker.signInAddress(refusal, to: returnPath, generation) ?? "")
        worker.counters.count(refusal)
        if refusal == .neutralized { worker.noteAttempt(self, client) }
        let isRequest = route != nil || refusal.isDecision
        _ = worker.desk.record(
            self, entry(isRequest ? .deny : .reject, .begun, bytes: UInt64(answer.body.count)))
        // A refusal discloses nothing: it does not wait for the disk.
        stage = .delivering
        answerIsWhole = true
        client.stage(answer)
        client.release()
    }

    /// Answers with a page of the gate's own.
    ///
    /// What it told of somebody is recorded as an event, not as a disclosure: no identity server
    /// was asked.
    func deliver(_ reply: OwnReply) {
        guard stage == .forwarding, let client else { return }
        status = UInt16(clamping: reply.status)
        stage = .delivering
        answerIsWhole = true
        client.stage(OwnAnswer(reply))
        client.release()
    }

    /// The identity server could not be reached, was too slow, or broke off.
    func serverFailed(_ refusal: Refusal) {
        server = nil
        switch stage {
        case .forwarding, .holding: refuse(refusal)
        case .delivering: client?.cut()
        case .unused, .over: break
        }
    }

    /// The client takes too long: it is cut if an answer is under way, else told so.
    func clientTooSlow() {
        switch stage {
        case .forwarding where !requestIsWhole: refuse(.bodySlow)
        case .forwarding, .holding: refuse(.serverSlow)
        case .delivering, .unused, .over: client?.cut()
        }
    }

    /// The client's connection is gone.
    func clientGone() {
        guard stage != .over, stage != .unused else { return }
        dropServer()
        // A line that waits for the disk says already that the answer is about to leave.
        if stage == .delivering && page == nil || awaitsRecord {
            _ = worker.desk.record(
                self,
                entry(refusal == nil ? .allow : .deny, .aborted, bytes: client?.bodySentCount))
        }
        finish()
    }

    private func dropServer() {
        let server = self.server
        self.server = nil
        if let server { server.abandon() } else { pool?.forget(self) }
    }

    func dropRequest() {
        if let request { worker.buffers.give(request) }
        request = nil
    }

    private func end() {
        let client = self.client
        finish()
        client?.exchangeEnded()
    }

    private func finish() {
        stage = .over
        if let identity, identity.card == nil { worker.registry.end(self, for: identity) }
        identity = nil
        client = nil
        pool = nil
        page = nil
        dropRequest()
        dropInquiry()
        worker.exchangesRunning -= 1
        worker.giveBack(self)
    }

    /// Whether the request may be sent again on a fresh connection: only when a reused connection
    /// died before any byte of answer, once, and asking twice is as asking once.
    func mayRetry() -> Bool {
        guard stage == .forwarding, retriesLeft > 0 else { return false }
        retriesLeft -= 1
        server = nil
        return true
    }

    private func entry(
        _ decision: Record.Decision, _ delivery: Delivery, bytes: UInt64?
    ) -> ExchangeEntry {
        let now = worker.clock.nanoseconds
        return ExchangeEntry(
            decision: decision, delivery: delivery, status: Int(status), bytes: bytes,
            totalMicroseconds: (now - min(now, beganAt)) / 1000,
            serverMicroseconds: answeredAt == 0
                ? nil : (answeredAt - min(answeredAt, beganAt)) / 1000,
            generation: generation.number)
    }
}
