// Forwarding.swift: the request as its identity server gets it, written afresh from what was parsed.

internal import Identity
internal import Policy
internal import SignIn
internal import Wire

extension Exchange {
    /// Writes the request afresh: all but the framing of a body that is held.
    func write(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, of client: ClientConnection
    ) {
        guard let index = route else { return }
        let route = generation.routes[index]
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
        // An encoded, partial or unchanged answer could not be inspected.
        var without: FieldSet = route.isInspected ? [.acceptEncoding, .range] : []
        if route.isInspected, head.method == .get || head.method == .head {
            without = without.union(.conditional)
        }
        // A token is for this gate: whoever reads it further on could ask in the same name.
        let isByField = identity?.method == .token || client.shownAccount != nil
        if isByField { without = without.union([.authorization, .dpop]) }
        let cookies = othersCookies(head, bytes)
        if cookies != nil { without = without.union([.cookie]) }
        out.appendEndToEndFields(of: head, in: bytes, without: without)
        if let cookies { out.append(cookies) }
        if route.isInspected { out.append("Accept-Encoding: identity\r\n") }
        appendFraming(head, out)
        if let identity {
            out.append(identity.fields)
            if route.forwardsClientCertificate {
                out.append(identity.clientCertificateField)
            }
            if route.forwardsAssertion {
                out.append(worker.assertion(of: identity, for: route, generation))
            }
        }
        out.append(route.field)
        out.append("X-Request-Id: ")
        requestID.append(to: out)
        appendForwarded(head, bytes, client.peer, out)
        out.append(awaitsBody ? "\r\n" : "\r\n\r\n")
    }

    /// The lines `Cookie` without the gate's own; nil when none of its own is among them.
    ///
    /// A server that could read the session's cookie could speak for the professional.
    private func othersCookies(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>
    ) -> [UInt8]? {
        guard generation.configuration.authentication.signIn != nil else { return nil }
        var lines: [UInt8] = []
        var hasOwn = false
        for index in 0..<head.fields.count where head.fields[index].known == .cookie {
            let value = bytes.extracting(head.fields[index].value)
            let kept = withoutOwnCookies(value)
            if kept != nil { hasOwn = true }
            let others = kept ?? copy(value)
            if !others.isEmpty { lines += Array("Cookie: ".utf8) + others + [0x0D, 0x0A] }
        }
        return hasOwn ? lines : nil
    }

    private func appendFraming(_ head: borrowing RequestHead, _ out: Buffer) {
        requestBody = head.framing
        requestIsWhole = head.framing.isEmpty
        guard !awaitsBody else { return }
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

    /// Writes the framing and the bytes of a body that was held until it was understood.
    func writeHeldBody(_ body: Span<UInt8>) {
        guard let request else { return }
        requestBody = .length(UInt64(body.count))
        request.append("Content-Length: ")
        request.append(decimal: UInt64(body.count))
        request.append("\r\n\r\n")
        request.append(body)
    }
}

/// Whether a person in a browser asks: `text/html` among what is accepted.
func prefersHTML(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Bool {
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
