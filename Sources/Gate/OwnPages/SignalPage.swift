// SignalPage.swift: events that are pushed, RFC 8935: who may push, and what they are answered.

internal import Glibc
internal import JSON
internal import Policy
internal import SignIn
internal import Signals
internal import Tokens

extension Generation {
    /// The stream a request pushes an event to.
    func receiver(of request: OwnRequest) -> ReceiverDesk? {
        ways.signals.receivers.first { $0.takes(request.path, on: request.listener) }
    }
}

extension ReceiverDesk {
    /// Answers a push once its event is carried out and durable, and not before; blocks where keys
    /// are fetched.
    func takePush(_ request: OwnRequest, answer: @escaping @Sendable (OwnReply) -> Void) {
        guard request.method == .post else {
            return answer(OwnReply(status: 405, fields: [("Allow", "POST")]))
        }
        guard let path = rule.push?.token.path, let secret = bearerSecret(path) else {
            return answer(Self.notNow)
        }
        guard isTransmitter(request, secret) else {
            let error = DeliveryError(.authenticationFailed, "the bearer token is not the one")
            var reply = Self.refusal(error, status: 401)
            reply.fields.append(("WWW-Authenticate", "Bearer"))
            return answer(reply)
        }
        let type = request.contentType.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard type == "application/secevent+jwt" else {
            let error = DeliveryError(
                .invalidRequest, "the media type is not `application/secevent+jwt`")
            return answer(Self.refusal(error))
        }
        var token = request.body
        while let last = token.last, last == 0x0A || last == 0x0D { token.removeLast() }
        take(token, now: request.now) { outcome in
            switch outcome {
            case .applied, .ignored, .unresolved, .repeated: answer(OwnReply(status: 202))
            case .refused(let error): answer(Self.refusal(error))
            case .failed: answer(Self.notNow)
            }
        }
    }

    /// Compared by digests, in the same time wherever they differ.
    private func isTransmitter(_ request: OwnRequest, _ secret: [UInt8]) -> Bool {
        let shown = Array(request.authorization.utf8)
        guard shown.count > 7,
            String(decoding: shown.prefix(7), as: UTF8.self).lowercased() == "bearer "
        else { return false }
        let token = Array(shown.dropFirst(7))
        return areSame(sha256(token.span), sha256(secret.span))
    }

    private static let notNow = OwnReply(
        status: 503, fields: [("Retry-After", "10"), ("Cache-Control", "no-store")])

    private static func refusal(_ error: DeliveryError, status: Int = 400) -> OwnReply {
        OwnReply(
            status: status,
            fields: [
                ("Content-Type", "application/json"), ("Content-Language", "en"),
                ("Cache-Control", "no-store"),
            ], body: error.json.encoded)
    }
}
