// ServerConnection.swift: one connection to an identity server, carrying one exchange at a time.

internal import CSystem
internal import Glibc
internal import Policy
internal import Reactor
internal import Wire

/// A connection to one endpoint of an identity server.
final class ServerConnection {
    private enum Phase {
        case connecting
        case handshaking
        case idle
        /// Sends the request, or waits for the head of its answer.
        case asking
        case answering
        case closed
    }

    private enum Body {
        case none
        case length(UInt64)
        case chunked(ChunkedDecoder)
        case untilClose
    }

    private let pool: ServerPool
    private let endpoint: Int
    let descriptor: Int32
    private let session: TLSSession?
    private(set) var token: UInt64 = 0
    private var phase = Phase.connecting
    private var exchange: Exchange?
    /// Whether this exchange is the connection's first.
    private var isFresh = true
    private var method = Wire.Method.get
    private var inbound: Buffer?
    private var headSearch = HeadSearch()
    private var body = Body.none
    private var mayBeReused = false
    /// Whether any byte of an answer came: from then on nothing is sent again.
    private var hasAnswered = false
    /// Bytes of the request sent; kept in its buffer while it may have to be sent again.
    private var sentCount = 0
    private var interest: Readiness
    private var deadline: UInt64 = 0
    private var wheelDue: UInt64 = .max
    private var isPaused = false

    private var worker: WorkerCore { pool.worker }

    private init(
        pool: ServerPool, endpoint: Int, descriptor: Int32, session: TLSSession?,
        isConnected: Bool
    ) {
        self.pool = pool
        self.endpoint = endpoint
        self.descriptor = descriptor
        self.session = session
        interest = isConnected ? .readable : .writable
        if isConnected { phase = session == nil ? .idle : .handshaking }
    }

    /// Begins to connect; nil when the system refuses at once.
    static func open(
        pool: ServerPool, endpoint: Int, address: SocketAddress, tls: TLSClientContext?
    ) -> ServerConnection? {
        let type =
            Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
            | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.family, type, 0)
        guard descriptor >= 0 else { return nil }
        _ = herse_set_option(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        let result = unsafe address.withPointer { unsafe Glibc.connect(descriptor, $0, $1) }
        guard result == 0 || errno == EINPROGRESS else {
            Glibc.close(descriptor)
            return nil
        }
        var session: TLSSession?
        if let tls {
            session = TLSSession(client: tls, descriptor: descriptor)
            guard session != nil else {
                Glibc.close(descriptor)
                return nil
            }
        }
        let connection = ServerConnection(
            pool: pool, endpoint: endpoint, descriptor: descriptor, session: session,
            isConnected: result == 0)
        let worker = pool.worker
        connection.token = worker.slots.add { _ in .server(connection) }
        do throws(SystemError) {
            try worker.poller.add(descriptor, connection.interest, token: connection.token)
        } catch {
            worker.slots.remove(connection.token)
            Glibc.close(descriptor)
            return nil
        }
        connection.setDeadline(after: pool.connectMilliseconds)
        return connection
    }

    // MARK: Exchanges

    /// Carries `exchange` from now on.
    func serve(_ exchange: Exchange, isFresh: Bool) {
        self.exchange = exchange
        self.isFresh = isFresh
        sentCount = 0
        hasAnswered = false
        isPaused = false
        headSearch.reset()
        method = exchange.requestMethod
        exchange.attach(self)
        if phase == .idle {
            phase = .asking
            setDeadline(after: pool.answerMilliseconds)
            sendMore()
        }
    }

    /// Sends what there is of the request.
    func sendMore() {
        guard phase == .asking || phase == .answering, let exchange, let request = exchange.request
        else { return }
        while request.count > sentCount {
            let progress = unsafe request.withPointer { bytes in
                unsafe write(UnsafeRawBufferPointer(rebasing: bytes.dropFirst(sentCount)))
            }
            switch progress {
            case .done(let count):
                sentCount += count
                // A request with a body is never sent again: what is sent can go.
                if !exchange.isRepeatable {
                    request.consume(sentCount)
                    sentCount = 0
                }
            case .wantsWrite:
                watch(interest.union(.writable))
                return
            case .wantsRead: return
            case .finished, .failed:
                // An early answer may wait to be read behind the failure.
                watch(interest.subtracting(.writable))
                return
            }
        }
        if interest.contains(.writable) { watch(interest.subtracting(.writable)) }
        if exchange.requestIsWhole { setDeadline(after: pool.answerMilliseconds) }
        exchange.serverTookRequest()
    }

    /// The exchange is over without the whole answer: the connection is of no further use.
    func abandon() {
        exchange = nil
        close()
    }

    /// The client took what was staged: more of the answer may come.
    func resumeAnswer() {
        guard isPaused, phase == .answering else { return }
        isPaused = false
        watch(interest.union(.readable))
        understand()
        // What the session holds already no readiness announces.
        if !isPaused, session?.hasPending == true { readAll() }
    }

    // MARK: Readiness

    func handle(_ readiness: Readiness) {
        switch phase {
        case .connecting: connected()
        case .handshaking: shakeHands()
        case .idle:
            // Closed by the server, or an answer nobody asked for.
            close()
        case .asking, .answering:
            if readiness.contains(.writable) { sendMore() }
            if phase == .asking || phase == .answering,
                !readiness.isDisjoint(with: .worthReading)
            {
                readAll()
            }
        case .closed: break
        }
    }

    private func connected() {
        guard herse_socket_error(descriptor) == 0 else { return fail(.serverUnreachable) }
        watch(.readable)
        if session != nil {
            phase = .handshaking
            shakeHands()
        } else {
            ready()
        }
    }

    private func shakeHands() {
        guard let session else { return ready() }
        switch session.handshake() {
        case .done: ready()
        case .wantsRead: watch(.readable)
        case .wantsWrite: watch(.writable)
        case .finished, .failed:
            worker.log.serverHandshakeFailed(pool.definition.name, why: session.failure)
            fail(.serverUnreachable)
        }
    }

    private func ready() {
        pool.answered(endpoint)
        watch(.readable)
        guard exchange != nil else {
            close()
            return
        }
        phase = .asking
        setDeadline(after: pool.answerMilliseconds)
        sendMore()
    }

    private func readAll() {
        while phase == .asking || phase == .answering {
            let buffer = inbound ?? worker.buffers.take()
            inbound = buffer
            var progress = TLSProgress.failed
            var room = 0
            _ = unsafe buffer.fill(atLeast: 4096) { bytes in
                room = bytes.count
                progress = unsafe read(into: bytes)
                if case .done(let count) = progress { return count }
                return 0
            }
            switch progress {
            case .done(let count):
                hasAnswered = true
                understand()
                if isPaused { return }
                // A short read has emptied the socket.
                if session == nil ? count < room : session?.hasPending == false {
                    return releaseInbound()
                }
            case .wantsRead: return releaseInbound()
            case .wantsWrite: return watch(interest.union(.writable))
            case .finished, .failed: return ended(cleanly: progress == .finished)
            }
        }
    }

    private func releaseInbound() {
        guard let buffer = inbound, buffer.isEmpty else { return }
        inbound = nil
        worker.buffers.give(buffer)
    }

    /// The server has closed.
    private func ended(cleanly: Bool) {
        if phase == .answering, case .untilClose = body, cleanly {
            mayBeReused = false
            answerEnded()
            return
        }
        fail(.serverAnswerMalformed, mayRetry: true)
    }

    // MARK: Answer

    private func understand() {
        while true {
            guard let buffer = inbound, !buffer.isEmpty, let exchange else { return }
            if phase == .asking {
                if !readHead(buffer, exchange) { return }
            } else if phase == .answering {
                readBody(buffer, exchange)
                if phase != .answering { return }
                exchange.answerPaused()
                if phase == .answering, !exchange.mayTakeAnswer {
                    isPaused = true
                    watch(interest.subtracting(.readable))
                }
                return
            } else {
                return
            }
        }
    }

    /// Reads a head; true when something follows it that can be read at once.
    private func readHead(_ buffer: Buffer, _ exchange: Exchange) -> Bool {
        let limits = worker.headLimits
        guard buffer.withBytes({ headSearch.isWorthParsing($0, limits: limits) }) else {
            return false
        }
        var isMalformed = false
        let length = buffer.withBytes { bytes -> Int? in
            do throws(HeadError) {
                return try worker.responseHead.parse(bytes, answering: method, limits: limits)
            } catch {
                worker.log.answerMalformed(pool.definition.name, error)
                isMalformed = true
                return nil
            }
        }
        if isMalformed {
            fail(.serverAnswerMalformed)
            return false
        }
        guard let length else { return false }
        headSearch.reset()
        if worker.responseHead.isInterim {
            // 100 answers what the gate decides itself; the others would disclose unrecorded.
            buffer.consume(length)
            return true
        }
        mayBeReused = worker.responseHead.keepAlive
        switch worker.responseHead.framing {
        case .none: body = .none
        case .length(let count): body = count == 0 ? .none : .length(count)
        case .chunked: body = .chunked(ChunkedDecoder())
        case .untilClose: body = .untilClose
        }
        phase = .answering
        setDeadline(after: pool.answerMilliseconds)
        buffer.withBytes { exchange.answerBegan(worker.responseHead, $0) }
        buffer.consume(length)
        if case .none = body {
            answerEnded()
            return false
        }
        if buffer.isEmpty { exchange.answerPaused() }
        return true
    }

    private func readBody(_ buffer: Buffer, _ exchange: Exchange) {
        var consumed = 0
        var isWhole = false
        var isMalformed = false
        buffer.withBytes { bytes in
            switch body {
            case .none: isWhole = true
            case .untilClose:
                exchange.answerBody(bytes)
                consumed = bytes.count
            case .length(let remaining):
                consumed = Int(min(remaining, UInt64(bytes.count)))
                exchange.answerBody(bytes.extracting(0..<consumed))
                isWhole = remaining == UInt64(consumed)
                body = .length(remaining - UInt64(consumed))
            case .chunked(var decoder):
                loop: while consumed < bytes.count {
                    do throws(ChunkError) {
                        switch try decoder.next(bytes, from: consumed) {
                        case .data(let range):
                            exchange.answerBody(bytes.extracting(range))
                            consumed = range.upperBound
                        case .needMore(let end): consumed = end
                        case .end(let end):
                            consumed = end
                            isWhole = true
                            break loop
                        }
                    } catch {
                        isMalformed = true
                        break loop
                    }
                }
                if !isWhole { body = .chunked(decoder) }
            }
        }
        if isMalformed { return fail(.serverAnswerMalformed) }
        buffer.consume(consumed)
        if isWhole { answerEnded() } else { setDeadline(after: pool.answerMilliseconds) }
    }

    private func answerEnded() {
        guard let exchange else { return close() }
        self.exchange = nil
        pool.answered(endpoint)
        // What follows an answer nobody asked for: the server and the gate disagree on framing.
        let isClean = inbound?.isEmpty ?? true
        let wasWhole =
            exchange.requestIsWhole
            && (exchange.request?.count ?? 0) == sentCountOfRequest(exchange)
        exchange.dropRequest()
        exchange.answerEnded()
        if mayBeReused, isClean, wasWhole, !pool.isRetired, session?.hasPending != true {
            phase = .idle
            releaseInbound()
            watch(.readable)
            setDeadline(after: pool.idleMilliseconds)
            exchange.answerPaused()
            if phase == .idle { pool.returned(self) }
        } else {
            exchange.answerPaused()
            close()
        }
    }

    /// Bytes of the request's buffer that were sent: all that is left of one consumed as it goes.
    private func sentCountOfRequest(_ exchange: Exchange) -> Int {
        exchange.isRepeatable ? sentCount : 0
    }

    // MARK: Ending

    private func fail(_ refusal: Refusal, mayRetry: Bool = false) {
        let exchange = self.exchange
        self.exchange = nil
        let wasConnecting = phase == .connecting || phase == .handshaking
        let wasReused = !isFresh && !hasAnswered
        close()
        if wasConnecting {
            pool.failed(endpoint)
            // Nothing was sent: another endpoint can be asked.
            if let exchange, exchange.mayRetryConnecting() {
                pool.connect(for: exchange)
                return
            }
        }
        guard let exchange else { return }
        if mayRetry, wasReused, exchange.mayRetry() {
            pool.connect(for: exchange)
            return
        }
        exchange.serverFailed(refusal)
    }

    func close() {
        guard phase != .closed else { return }
        phase = .closed
        worker.poller.remove(descriptor)
        worker.slots.remove(token)
        session?.sayGoodbye()
        Glibc.close(descriptor)
        if let buffer = inbound { worker.buffers.give(buffer) }
        inbound = nil
        pool.closed(self)
    }

    // MARK: Time and bytes

    private func watch(_ wanted: Readiness) {
        guard wanted != interest, phase != .closed else { return }
        interest = wanted
        worker.poller.modify(descriptor, wanted, token: token)
    }

    private func setDeadline(after milliseconds: UInt64) {
        deadline = worker.clock.milliseconds + milliseconds
        let due = min(deadline, worker.clock.milliseconds + WorkerCore.wheelHorizon)
        guard due < wheelDue else { return }
        wheelDue = due
        worker.wheel.add(token, deadline: due)
    }

    func deadlineCame() -> UInt64? {
        let now = worker.clock.milliseconds
        if wheelDue > now { return nil }
        if deadline <= now { expired() }
        guard phase != .closed else { return nil }
        // A paused answer waits for its client, whose own deadlines run.
        if deadline <= now { deadline = now + 1000 }
        wheelDue = min(deadline, now + WorkerCore.wheelHorizon)
        return wheelDue
    }

    private func expired() {
        switch phase {
        case .connecting, .handshaking: fail(.serverUnreachable)
        case .idle: close()
        case .asking:
            // While the client still sends its body, its own deadlines run.
            if exchange?.requestIsWhole == true { fail(.serverSlow) }
        case .answering: if !isPaused { fail(.serverSlow) }
        case .closed: break
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) -> TLSProgress {
        if let session { return unsafe session.write(bytes) }
        // Safe because send reads bytes.count bytes at most.
        let count = unsafe send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        if count >= 0 { return .done(count) }
        return errno == EAGAIN || errno == EINTR ? .wantsWrite : .failed
    }

    private func read(into room: UnsafeMutableRawBufferPointer) -> TLSProgress {
        if let session { return unsafe session.read(into: room) }
        // Safe because recv writes room.count bytes at most.
        let count = unsafe recv(descriptor, room.baseAddress, room.count, 0)
        if count > 0 { return .done(count) }
        if count == 0 { return .finished }
        return errno == EAGAIN || errno == EINTR ? .wantsRead : .failed
    }
}
