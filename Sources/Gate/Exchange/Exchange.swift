// Exchange.swift: a request's life from its head to the last byte of its answer.
//
// accept → handshake → read head → identify → admit → forward → read answer → (inspect → settle,
// with the counting of patients) → record → deliver. The first three are the connection's; the
// rest is here, in that order, whatever protocol the client speaks.

internal import Policy
internal import Record
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
    private(set) var client: ClientConnection?
    private(set) var server: ServerConnection?
    private(set) var generation: Generation
    private(set) var route: Int?
    private var refusal: Refusal?
    private var method = Wire.Method.get
    private var wantsHTML = false
    /// What the client speaks, as far as its route tells.
    private var spoken = Route.Lookups.none
    private var beganAt: UInt64 = 0
    private var answeredAt: UInt64 = 0
    private(set) var requestID = RequestID()
    private(set) var bodyMax: UInt64 = 0

    /// The request as it is sent: its head, and what there is of its body.
    private(set) var request: Buffer?
    private var requestBody = Wire.BodyFraming.none
    private(set) var requestIsWhole = false
    private var retriesLeft = 0
    private var connectionsTried = 0
    private var pool: ServerPool?

    private var status: UInt16 = 0
    private var answerCount: UInt64 = 0
    private var answerIsWhole = false
    private var awaitsRecord = false
    private var wasStreamed = false
    /// Whether a limit in shadow would have refused it.
    private(set) var shadowed = false

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
    /// `bytes` are those the head was parsed from.
    func begin(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, on client: ClientConnection
    ) {
        start(on: client)
        method = head.method
        wantsHTML = prefersHTML(head, bytes)
        do throws(Refusal) {
            let permit = try worker.admit(head, bytes, of: client)
            shadowed = worker.shadowed
            route = permit.route
            bodyMax = generation.routes[permit.route].bodyMax
            spoken = generation.routes[permit.route].lookups
            if case .length(let count) = head.framing, count > bodyMax { throw .bodyTooLarge }
            forward(permit, head, bytes, of: client)
        } catch {
            refusal = error
            route = error.route ?? route
            spoken = worker.audience(of: head, bytes, listener: client.listener, route: route)
        }
    }

    /// Takes bytes that were no request.
    func beginRefused(_ refusal: Refusal, on client: ClientConnection) {
        start(on: client)
        self.refusal = refusal
        proceed()
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
        worker.shadowed = false
        worker.counters.requests += 1
        worker.exchangesRunning += 1
    }

    /// Goes on after the head: to the identity server, or to the refusal.
    func proceed() {
        if let refusal {
            refuse(refusal)
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

    /// Writes the request afresh; only a permit leads here.
    private func forward(
        _ permit: consuming Permit, _ head: borrowing RequestHead, _ bytes: Span<UInt8>,
        of client: ClientConnection
    ) {
        let route = generation.routes[permit.route]
        pool = worker.pools[route.server]
        let out = worker.buffers.take()
        request = out
        out.append(bytes.extracting(head.methodName))
        out.append(" ")
        out.appendOriginTarget(of: head, in: bytes)
        out.append(" HTTP/1.1\r\n")
        if let host = head.host {
            out.append("Host: ")
            out.append(bytes.extracting(host))
            out.append("\r\n")
        } else {
            out.append("Host: herse\r\n")
        }
        // An encoded or partial answer could not be inspected.
        let without: FieldSet = route.asksForIdentityEncoding ? [.acceptEncoding, .range] : []
        out.appendEndToEndFields(of: head, in: bytes, without: without)
        if route.asksForIdentityEncoding { out.append("Accept-Encoding: identity\r\n") }
        appendFraming(head, out)
        if let identity = client.identity {
            out.append(identity.fields)
            if route.forwardsClientCertificate {
                out.append(identity.clientCertificateField)
            }
        }
        out.append(route.field)
        out.append("X-Request-Id: ")
        requestID.append(to: out)
        appendForwarded(head, bytes, client.peer, out)
        out.append("\r\n\r\n")
    }

    private func appendFraming(_ head: borrowing RequestHead, _ out: Buffer) {
        requestBody = head.framing
        requestIsWhole = head.framing.isEmpty
        switch head.framing {
        case .none, .untilClose: break
        case .length(let count):
            out.append("Content-Length: ")
            out.append(decimal: count)
            out.append("\r\n")
        case .chunked: out.append("Transfer-Encoding: chunked\r\n")
        }
    }

    /// RFC 7239, and the older fields beside it; what the client sent of them was dropped.
    private func appendForwarded(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ peer: PeerAddress, _ out: Buffer
    ) {
        out.append("\r\nForwarded: for=")
        if !peer.isIPv4 { out.append("\"[") }
        peer.appendHost(to: out)
        if !peer.isIPv4 { out.append("]\"") }
        out.append(";proto=https")
        if let host = head.host {
            out.append(";host=\"")
            out.append(bytes.extracting(host))
            out.append("\"")
        }
        out.append("\r\nX-Forwarded-For: ")
        peer.appendHost(to: out)
        out.append("\r\nX-Forwarded-Proto: https")
        if let host = head.host {
            out.append("\r\nX-Forwarded-Host: ")
            out.append(bytes.extracting(host))
        }
    }

    /// Whether the identity server keeps up with the body.
    ///
    /// That of a refused request is not read until its answer is gone: nobody would consume it.
    var mayTakeBody: Bool {
        stage != .over && refusal == nil && (request?.count ?? 0) < Self.requestHeldMax
    }

    func takeBody(_ bytes: Span<UInt8>) {
        guard let request, refusal == nil else { return }
        if requestBody == .chunked { request.appendChunk(bytes) } else { request.append(bytes) }
    }

    func bodyProgressed() { server?.sendMore() }

    func bodyEnded() {
        if requestBody == .chunked { request?.appendLastChunk() }
        requestIsWhole = true
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
        client.stageHead(head, bytes)
    }

    func answerBody(_ bytes: Span<UInt8>) {
        guard let client else { return }
        answerCount += UInt64(bytes.count)
        client.stageBody(bytes)
    }

    func answerEnded() {
        answerIsWhole = true
        client?.stageEnd()
        server = nil
    }

    /// The identity server has said all there is to say for now: what is staged is recorded and,
    /// when that is durable, delivered.
    func answerPaused() {
        switch stage {
        case .holding:
            if !awaitsRecord { record() }
        case .delivering: client?.release()
        case .unused, .forwarding, .over: break
        }
    }

    /// Whether the identity server may send more of the answer.
    var mayTakeAnswer: Bool { (client?.stagedCount ?? 0) < Self.answerHeldMax }

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
                _ = worker.desk.record(self, entry(.allow, .whole, bytes: answerCount))
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
            requestID)
        worker.counters.count(refusal)
        let isRequest = route != nil || refusal.isDecision
        _ = worker.desk.record(
            self, entry(isRequest ? .deny : .reject, .begun, bytes: UInt64(answer.body.count)))
        // A refusal discloses nothing: it does not wait for the disk.
        stage = .delivering
        answerIsWhole = true
        client.stage(answer)
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
        if stage == .delivering {
            _ = worker.desk.record(
                self, entry(refusal == nil ? .allow : .deny, .aborted, bytes: answerCount))
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
        client = nil
        pool = nil
        dropRequest()
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

    /// What the record says besides numbers.
    var methodName: StaticString { method.name ?? "OTHER" }
    var refusalWord: StaticString? { refusal?.word }
    var reachedLimit: Refusal.LimitReached? {
        if case .limitReached(_, let reached) = refusal { return reached }
        return nil
    }
}

/// Whether a person in a browser asks: `text/html` among what is accepted.
private func prefersHTML(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Bool {
    let wanted: StaticString = "text/html"
    for index in 0..<head.fields.count where head.fields[index].known == .accept {
        let value = head.fields[index].value
        guard value.count >= 9 else { continue }
        for start in value.lowerBound...(value.upperBound - 9) {
            var offset = 0
            // Safe because offset is below the length of the static text.
            while offset < 9, bytes[start + offset] == (unsafe wanted.utf8Start[offset]) {
                offset += 1
            }
            if offset == 9 { return true }
        }
    }
    return false
}
