// IssuerEndpoints.swift: what an issuer is asked about one token, one code, one person.

internal import COpenSSL
package import JSON
internal import Outbound
internal import Synchronization
internal import Tokens

/// What an issuer gave for a code.
package struct IssuerTokens: Sendable {
    package let idToken: [UInt8]
    /// Only one that is used as it is, RFC 6750.
    package let accessToken: [UInt8]?
}

/// What is known of an issuer's endpoints between calls.
final class EndpointState: Sendable {
    struct Introspections {
        var active: AnswerCache<JSONValue>
        /// Apart, so that invented tokens push out no real ones.
        var inactive: AnswerCache<JSONValue>
    }

    let introspections = Mutex(
        Introspections(
            active: AnswerCache(countMax: 16_384, bytesMax: 16 << 20),
            inactive: AnswerCache(countMax: 4_096, bytesMax: 1 << 20)))
    let pause = FailurePause()
    let locks = QuestionLocks()
    let cacheSeconds: Int64

    /// Seconds for which "no" is believed at most.
    static let inactiveSeconds: Int64 = 10

    init(cacheSeconds: Int64) { self.cacheSeconds = max(0, cacheSeconds) }

    func known(_ key: [UInt8], now: Int64) -> JSONValue? {
        guard cacheSeconds > 0 else { return nil }
        return introspections.withLock { caches in
            caches.active.answer(for: key, now: now) ?? caches.inactive.answer(for: key, now: now)
        }
    }

    func keep(_ answer: JSONValue, bytes: Int, for key: [UInt8], now: Int64) {
        let isActive = answer["active"]?.flag == true
        let seconds = isActive ? cacheSeconds : min(cacheSeconds, Self.inactiveSeconds)
        var until = now.addingReportingOverflow(seconds).partialValue
        if isActive, let end = answer["exp"]?.wholePart { until = min(until, end) }
        introspections.withLock { caches in
            if isActive {
                caches.active.keep(answer, bytes: bytes, for: key, from: now, until: until)
            } else {
                caches.inactive.keep(answer, bytes: bytes, for: key, from: now, until: until)
            }
        }
    }
}

extension Issuer {
    /// Bytes of an answer about one token or person.
    private static let answerMax = 256 * 1024
    /// Milliseconds that somebody waits who signs in, or sends a token.
    private static let deadline = 5_000
    private static let connectDeadline = 3_000
    /// Bytes of a token that is asked about.
    package static let tokenBytesMax = 16 * 1024

    /// What is known already of a token, without asking; never blocks.
    package func knownIntrospection(_ token: [UInt8], now: Int64) -> JSONValue? {
        endpoints.known(sha256(token.span), now: now)
    }

    /// What the issuer says of a token, RFC 7662, now or a moment ago; an object with `active`.
    ///
    /// Believed for `settings.introspectionCache` seconds, and no longer than the token's `exp`.
    package func introspect(_ token: [UInt8], now: Int64) throws(IssuerError) -> JSONValue {
        let key = sha256(token.span)
        if let known = endpoints.known(key, now: now) { return known }
        guard
            let url = settings.introspectionEndpoint ?? metadata(now: now)?.introspection
        else { throw .noEndpoint(issuer: settings.name, name: "introspection_endpoint") }
        guard token.count <= Self.tokenBytesMax else {
            throw .malformed(address: shown(url), what: "is not asked about so large a token")
        }
        // Where nothing is kept, nobody has anything from waiting.
        guard endpoints.cacheSeconds > 0 else { return try introspect(token, key, url, now: now) }
        return try endpoints.locks.withLock(for: key) { () throws(IssuerError) in
            if let known = endpoints.known(key, now: now) { return known }
            return try introspect(token, key, url, now: now)
        }
    }

    private func introspect(
        _ token: [UInt8], _ key: [UInt8], _ url: String, now: Int64
    ) throws(IssuerError) -> JSONValue {
        let form = [
            (name: "token", value: String(decoding: token, as: UTF8.self)),
            (name: "token_type_hint", value: "access_token"),
        ]
        let answer = try ask(url, form, now: now)
        guard answer.status == 200 else { throw refusal(url, answer) }
        let value = try json(of: answer, from: url)
        guard value["active"]?.flag != nil else {
            throw .malformed(address: shown(url), what: "its answer has no `active`")
        }
        endpoints.keep(value, bytes: answer.body.count, for: key, now: now)
        return value
    }

    /// Exchanges a code for tokens, RFC 6749 §4.1.3 with RFC 7636 §4.5.
    package func exchange(
        code: String, verifier: String, redirect: String, now: Int64
    ) throws(IssuerError) -> IssuerTokens {
        guard let url = metadata(now: now)?.token else {
            throw .noEndpoint(issuer: settings.name, name: "token_endpoint")
        }
        let form = [
            (name: "grant_type", value: "authorization_code"), (name: "code", value: code),
            (name: "redirect_uri", value: redirect), (name: "code_verifier", value: verifier),
        ]
        let answer = try ask(url, form, now: now)
        guard answer.status == 200 else { throw refusal(url, answer) }
        let value = try json(of: answer, from: url)
        guard let idToken = value["id_token"]?.text else {
            throw .malformed(address: shown(url), what: "its answer has no `id_token`")
        }
        // One of a kind that is not known must not be used, RFC 6749 §7.1.
        let isBearer = value["token_type"]?.text?.lowercased() == "bearer"
        let accessToken = isBearer ? value["access_token"]?.text : nil
        return IssuerTokens(
            idToken: Array(idToken.utf8), accessToken: accessToken.map { Array($0.utf8) })
    }

    /// What the issuer says of whom an access token is for, OpenID Connect Core 1.0 §5.3.
    package func userInfo(
        accessToken: [UInt8], now: Int64
    ) throws(IssuerError) -> JSONValue {
        guard let url = metadata(now: now)?.userInfo else {
            throw .noEndpoint(issuer: settings.name, name: "userinfo_endpoint")
        }
        var request = FetchRequest(url: url)
        request.fields = [
            ("Accept", "application/json"),
            ("Authorization", "Bearer " + String(decoding: accessToken, as: UTF8.self)),
        ]
        let answer = try ask(request, now: now)
        guard answer.status == 200 else { throw refusal(url, answer) }
        let value = try json(of: answer, from: url)
        guard value["sub"]?.text != nil else {
            throw .malformed(address: shown(url), what: "its answer has no `sub`")
        }
        return value
    }

    /// Posts a form, and who we are.
    private func ask(
        _ url: String, _ form: [(name: String, value: String)], now: Int64
    ) throws(IssuerError) -> FetchAnswer {
        var form = form
        var authorization: String?
        if let client = settings.clientID {
            let secret = try clientSecret()
            if let secret, metadata(now: now)?.wantsSecretInBody != true {
                authorization = basicAuthorization(client: client, secret: secret)
            } else {
                // Also with a certificate, RFC 8705 §2, and for those who have neither.
                form.append((name: "client_id", value: client))
                if let secret { form.append((name: "client_secret", value: secret)) }
            }
        }
        var request = FetchRequest(posting: form, to: url)
        request.fields.append(("Accept", "application/json"))
        if let authorization { request.fields.append(("Authorization", authorization)) }
        return try ask(request, now: now)
    }

    private func ask(
        _ request: FetchRequest, now: Int64
    ) throws(IssuerError) -> FetchAnswer {
        guard !endpoints.pause.isOn(now: now) else { throw .paused(issuer: settings.name) }
        var request = request
        request.tls = settings.tls
        request.answerMax = Self.answerMax
        request.connectDeadline = Self.connectDeadline
        request.deadline = Self.deadline
        do throws(FetchError) {
            let answer = try fetch(request)
            endpoints.pause.note(failed: answer.status >= 500, now: now)
            return answer
        } catch {
            endpoints.pause.note(failed: true, now: now)
            throw .unavailable(error)
        }
    }

    private func refusal(_ url: String, _ answer: FetchAnswer) -> IssuerError {
        guard [400, 401, 403].contains(answer.status) else {
            return .status(address: shown(url), answer.status)
        }
        let body = answer.body
        let word = (try? JSONValue(body.span))?["error"]?.text
        // Anything else would be the issuer's text in our log.
        let isWord =
            word.map { word in
                (1...64).contains(word.utf8.count)
                    && word.utf8.allSatisfy {
                        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                            || $0 == UInt8(ascii: "_")
                    }
            } ?? false
        return .refused(address: shown(url), status: answer.status, word: isWord ? word : nil)
    }

    /// Read anew each time: whoever changes it need not restart the gate.
    private func clientSecret() throws(IssuerError) -> String? {
        guard let path = settings.clientSecretFile else { return nil }
        var bytes = try readFile(path, bytesMax: 4096)
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.isEmpty, bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            throw .file(path: path, problem: "is no secret: one line of printable ASCII")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// RFC 6749 §2.3.1: both are encoded as in a form before they are put together.
func basicAuthorization(client: String, secret: String) -> String {
    let pair = Array("\(formEncoded(client)):\(formEncoded(secret))".utf8)
    var text = [UInt8](repeating: 0, count: (pair.count + 2) / 3 * 4 + 1)
    // Safe because base64 of n bytes, and the zero behind it, take exactly this room.
    let count = unsafe EVP_EncodeBlock(&text, pair, Int32(clamping: pair.count))
    return "Basic " + String(decoding: text.prefix(Int(count)), as: UTF8.self)
}
