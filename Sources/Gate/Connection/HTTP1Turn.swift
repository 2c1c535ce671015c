// HTTP1Turn.swift: HTTP/1.1 on a client's connection: one request in, one answer out, in order.

internal import Policy
internal import Wire

/// Where the connection stands in the request it is reading and the answer it is writing.
struct HTTP1Turn {
    enum Body {
        case complete
        case length(UInt64)
        case chunked(ChunkedDecoder)
    }

    var body = Body.complete
    /// Bytes of the request's body so far, framing left out.
    var bodyCount: UInt64 = 0
    var inputEnded = false
    /// Whether another request may follow, as far as the client is concerned.
    var clientKeepsAlive = false
    var isHTTP10 = false
    var isHead = false
    var expectsContinue = false
    /// Bytes of this connection that went out, TLS aside.
    var sentCount: UInt64 = 0
    /// Where among them the answer's body is.
    var sentBody = SentBody()
    var answerIsChunked = false
    /// Set when the connection must end with this answer.
    var mustClose = false
    var answerStaged = false

    var bodyIsComplete: Bool {
        if case .complete = body { return true }
        return false
    }

    mutating func begin(_ head: borrowing RequestHead) {
        switch head.framing {
        case .none, .untilClose: body = .complete
        case .length(0): body = .complete
        case .length(let count): body = .length(count)
        case .chunked: body = .chunked(ChunkedDecoder())
        }
        bodyCount = 0
        clientKeepsAlive = head.keepAlive
        isHTTP10 = head.isHTTP10
        isHead = head.method == .head
        expectsContinue = head.expectsContinue
        answerIsChunked = false
        mustClose = false
        answerStaged = false
        sentCount = 0
        sentBody.forget()
    }
}

extension ClientConnection {
    /// Understands what was read: a head, then its body, then, when its exchange is over, the
    /// next head.
    func understand() {
        while true {
            switch phase {
            case .idle:
                guard let buffer = inbound, !buffer.isEmpty, readHead(buffer) else { return }
            case .exchanging:
                if turn.bodyIsComplete { return }
                guard let buffer = inbound, !buffer.isEmpty, let exchange, exchange.mayTakeBody
                else { return }
                if !readBody(buffer, exchange) { return }
            case .handshaking, .recognising, .closing, .closed: return
            }
        }
    }

    /// Reads a head and begins its exchange; false when more bytes are needed or it was refused.
    private func readHead(_ buffer: Buffer) -> Bool {
        let limits = worker.headLimits
        let worth = buffer.withBytes { headSearch.isWorthParsing($0, limits: limits) }
        guard worth else { return false }
        var refusal: Refusal?
        let length = buffer.withBytes { bytes -> Int? in
            do throws(HeadError) {
                return try worker.requestHead.parse(bytes, limits: limits)
            } catch {
                refusal = .malformed(error)
                return nil
            }
        }
        if let refusal {
            refuseWithoutExchange(refusal)
            return false
        }
        guard let length else {
            if turn.inputEnded {
                // Half a head, and no more to come.
                closeWhenSent()
                return false
            }
            if !isReadingHead {
                isReadingHead = true
                setDeadline(after: timeouts.head)
            }
            return false
        }
        headSearch.reset()
        isReadingHead = false
        requestCount &+= 1
        turn.begin(worker.requestHead)
        phase = .exchanging
        beginTotal()
        let exchange = worker.takeExchange()
        self.exchange = exchange
        let errand = buffer.withBytes { bytes in
            exchange.begin(worker.requestHead, bytes, on: self)
        }
        if let errand {
            // The head stays where it is, and is read again when the errand is back.
            self.exchange = nil
            requestCount &-= 1
            return !wait(for: errand)
        }
        finding = nil
        buffer.consume(length)
        if exchange.isRefused { discardBody(buffer) }
        exchange.proceed()
        return true
    }

    /// Drops the body of a refused request when all of it is here, so that the connection lives.
    private func discardBody(_ buffer: Buffer) {
        guard case .length(let count) = turn.body, count <= UInt64(buffer.count) else { return }
        buffer.consume(Int(count))
        turn.body = .complete
    }

    /// Hands on what there is of the body; false when it cannot go on now.
    private func readBody(_ buffer: Buffer, _ exchange: Exchange) -> Bool {
        var consumed = 0
        var refusal: Refusal?
        buffer.withBytes { bytes in
            switch turn.body {
            case .complete: break
            case .length(let remaining):
                let count = Int(min(remaining, UInt64(bytes.count)))
                exchange.takeBody(bytes.extracting(0..<count))
                consumed = count
                turn.bodyCount += UInt64(count)
                turn.body =
                    remaining == UInt64(count) ? .complete : .length(remaining - UInt64(count))
            case .chunked(var decoder):
                var ended = false
                loop: while consumed < bytes.count {
                    do throws(ChunkError) {
                        switch try decoder.next(bytes, from: consumed) {
                        case .data(let range):
                            turn.bodyCount += UInt64(range.count)
                            guard turn.bodyCount <= exchange.bodyMax else {
                                refusal = .bodyTooLarge
                                break loop
                            }
                            exchange.takeBody(bytes.extracting(range))
                            consumed = range.upperBound
                        case .needMore(let end): consumed = end
                        case .end(let end):
                            consumed = end
                            ended = true
                            break loop
                        }
                    } catch {
                        refusal = .bodyMalformed
                        break loop
                    }
                }
                turn.body = ended ? .complete : .chunked(decoder)
            }
        }
        if let refusal {
            turn.mustClose = true
            exchange.refuse(refusal)
            return false
        }
        buffer.consume(consumed)
        if turn.bodyIsComplete {
            setDeadline(after: timeouts.total)
            exchange.bodyEnded()
            return false
        }
        // Each piece that comes is worth another wait, but never beyond the total.
        setDeadline(after: timeouts.body)
        exchange.bodyProgressed()
        return true
    }

    /// Answers what was never a request: it is recorded, and the connection ends.
    func refuseWithoutExchange(_ refusal: Refusal) {
        let exchange = worker.takeExchange()
        self.exchange = exchange
        turn.mustClose = true
        turn.isHead = false
        turn.isHTTP10 = false
        phase = .exchanging
        exchange.beginRefused(refusal, on: self)
    }

    /// The exchange is over and its answer gone: goes on with the next request, or ends.
    func exchangeEnded() {
        guard phase == .exchanging else { return }
        exchange = nil
        let goesOn =
            turn.clientKeepsAlive && !turn.mustClose && turn.bodyIsComplete && !nothingFollows
            && !isLeaving && neutralized == nil
        guard goesOn else {
            closeWhenSent()
            return
        }
        phase = .idle
        endTotal()
        setDeadline(after: timeouts.idle)
        if !turn.inputEnded { watchInput() }
        // What was read ahead, or waits inside the session, no event will announce: it is looked
        // at in the next round of this turn, so that a pipeline cannot nest calls.
        if inbound != nil || session.hasPending { worker.resumeLater(token) }
    }

    /// Goes on with requests that were read ahead, or with a body whose rest the session holds.
    func resume() {
        if phase == .idle, inbound != nil { understand() }
        if phase == .idle || phase == .exchanging, session.hasPending { readAll() }
    }
}

extension ClientConnection: AnswerSink {
    var stagedCount: Int { outbound?.count ?? 0 }
    var bodySentCount: UInt64 { turn.sentBody.count(sent: turn.sentCount) }

    /// Where in all that goes out the next byte of `out` will be.
    private func place(in out: Buffer) -> UInt64 { turn.sentCount + UInt64(out.count) }

    private var output: Buffer {
        if let outbound { return outbound }
        let buffer = worker.buffers.take()
        outbound = buffer
        return buffer
    }

    /// Sends `100 Continue` if the client waits for it.
    func sendContinue() {
        guard turn.expectsContinue else { return }
        turn.expectsContinue = false
        let out = output
        out.append("HTTP/1.1 100 Continue\r\n\r\n")
        heldCount = 0
        flush()
    }

    func stageHead(_ head: borrowing ResponseHead, _ bytes: Span<UInt8>) {
        let out = output
        let before = out.count
        out.appendStatusLine(head.status)
        out.appendEndToEndFields(of: head, in: bytes, without: [.altSvc])
        turn.answerStaged = true
        switch head.framing {
        case .length(let count):
            out.append("Content-Length: ")
            out.append(decimal: count)
            out.append("\r\n")
        case .chunked, .untilClose:
            if turn.isHTTP10 {
                turn.mustClose = true
            } else {
                turn.answerIsChunked = true
                out.append("Transfer-Encoding: chunked\r\n")
            }
        case .none:
            // What a GET would have had (RFC 9110 §8.6); never with 1xx or 204.
            if let length = head.contentLength, head.status >= 200, head.status != 204 {
                out.append("Content-Length: ")
                out.append(decimal: length)
                out.append("\r\n")
            }
        }
        endHead(out)
        heldCount += out.count - before
    }

    func stageHeadOfHeld(
        _ head: borrowing ResponseHead, _ bytes: Span<UInt8>, isDecoded: Bool
    ) {
        let out = output
        let before = out.count
        out.appendStatusLine(head.status)
        out.appendEndToEndFields(
            of: head, in: bytes, without: isDecoded ? [.altSvc, .contentEncoding] : [.altSvc])
        turn.answerStaged = true
        heldCount += out.count - before
    }

    func stageHeld(_ body: Span<UInt8>) {
        let out = output
        let before = out.count
        out.append("Content-Length: ")
        out.append(decimal: UInt64(body.count))
        out.append("\r\n")
        endHead(out)
        turn.sentBody.stage(body.count, at: place(in: out))
        out.append(body)
        heldCount += out.count - before
    }

    /// Whether the client has said that it sends no more, and all it sent is understood.
    private var nothingFollows: Bool { turn.inputEnded && inbound == nil }

    /// Writes what says whether the connection goes on, and the empty line.
    private func endHead(_ out: Buffer) {
        if !turn.bodyIsComplete || isLeaving || nothingFollows { turn.mustClose = true }
        if turn.mustClose || !turn.clientKeepsAlive {
            out.append("Connection: close\r\n")
        } else if turn.isHTTP10 {
            out.append("Connection: keep-alive\r\n")
        }
        out.append("\r\n")
        turn.sentBody.begins(at: place(in: out), isChunked: turn.answerIsChunked)
    }

    func stageBody(_ bytes: Span<UInt8>) {
        guard !bytes.isEmpty else { return }
        let out = output
        let before = out.count
        if turn.answerIsChunked {
            out.appendChunkStart(length: bytes.count)
            turn.sentBody.stage(bytes.count, at: place(in: out))
            out.append(bytes)
            out.appendChunkEnd()
        } else {
            turn.sentBody.stage(bytes.count, at: place(in: out))
            out.append(bytes)
        }
        heldCount += out.count - before
    }

    func stageEnd() {
        guard turn.answerIsChunked else { return }
        let out = output
        let before = out.count
        out.appendLastChunk()
        heldCount += out.count - before
    }

    func stage(_ answer: OwnAnswer) {
        if answer.closesConnection { turn.mustClose = true }
        let out = output
        let before = out.count
        out.appendStatusLine(UInt16(clamping: answer.status))
        out.append(answer.fields)
        out.append("Content-Length: ")
        out.append(decimal: UInt64(answer.body.count))
        out.append("\r\n")
        turn.answerStaged = true
        endHead(out)
        if !turn.isHead {
            turn.sentBody.stage(answer.body.count, at: place(in: out))
            out.append(answer.body)
        }
        heldCount += out.count - before
    }

    func unstage() {
        guard let buffer = outbound else { return }
        buffer.truncate(to: buffer.count - heldCount)
        heldCount = 0
        turn.sentBody.forget()
        turn.answerStaged = false
        turn.answerIsChunked = false
    }

    func release() {
        heldCount = 0
        flush()
    }

    func resumeBody() {
        guard phase == .exchanging, !turn.bodyIsComplete else { return }
        understand()
        if phase == .exchanging, !turn.bodyIsComplete { watchInput() }
        if session.hasPending { worker.resumeLater(token) }
    }
}
