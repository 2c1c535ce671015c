// OCSPClient.swift: asks a responder about certificates, and keeps what it says for a while.

internal import Outbound
internal import Synchronization

/// A responder behind the network; every call may be made from many threads at once.
package final class OCSPClient: Sendable {
    package let settings: OCSPSettings
    private let cache: Mutex<AnswerCache<OCSPStatus>>
    private let pause = FailurePause()
    private let locks = QuestionLocks()

    /// Certificates whose status is kept.
    package static let countMax = 65_536
    /// Bytes of a response, the responder's certificates in it included.
    private static let answerMax = 64 * 1024
    /// Seconds for which `unknown` is kept at most: it may be a certificate made just now.
    private static let unknownSeconds: Int64 = 60

    /// Knows nothing yet.
    package init(_ settings: OCSPSettings) {
        self.settings = settings
        cache = Mutex(AnswerCache(countMax: Self.countMax))
    }

    /// What is known already; never blocks.
    package func known(_ question: OCSPQuestion, now: Int64) -> OCSPStatus? {
        cache.withLock { $0.answer(for: question.key, now: now) }
    }

    /// Asks, unless it is known; blocks until there is an answer, or the deadline has passed.
    package func status(_ question: OCSPQuestion, now: Int64) -> OCSPStatus {
        if let known = known(question, now: now) { return known }
        return locks.withLock(for: question.key) {
            known(question, now: now) ?? ask(question, now: now)
        }
    }

    private func ask(_ question: OCSPQuestion, now: Int64) -> OCSPStatus {
        let status: OCSPStatus
        let until: Int64
        do throws(OCSPProblem) {
            let exchange = try ask(question, nonce: true, now: now)
            until = try exchange.answer.until(cache: settings.cache, now: now)
            switch exchange.answer.verdict {
            case .good: status = .good(until: until)
            case .revoked(let time): status = .revoked(at: time)
            case .unknown: status = .unknown
            }
        } catch {
            // Not kept: the next may succeed.
            return .unavailable(error)
        }
        let end = status == .unknown ? min(until, now + Self.unknownSeconds) : until
        cache.withLock { $0.keep(status, for: question.key, from: now, until: end) }
        return status
    }

    /// Asks about our own certificate, and returns the response itself; blocks.
    package func staple(_ question: OCSPQuestion, now: Int64) throws(OCSPProblem) -> OCSPStaple {
        // Clients sent no nonce, so one in it would be nobody's.
        let exchange = try ask(question, nonce: false, now: now)
        let until = try exchange.answer.until(cache: settings.cache, now: now)
        guard exchange.answer.verdict == .good else { throw .notGood }
        let end = exchange.answer.nextUpdate ?? until
        let renewAt = min(until, now + max(60, (end - now) / 2))
        return OCSPStaple(response: exchange.response, until: end, renewAt: renewAt)
    }

    private struct Exchange {
        let answer: OCSPAnswer
        let response: [UInt8]
    }

    private func ask(
        _ question: OCSPQuestion, nonce: Bool, now: Int64
    ) throws(OCSPProblem) -> Exchange {
        guard !pause.isOn(now: now) else { throw .paused }
        guard let asked = question.request(nonce: nonce) else { throw .malformed }
        var request = FetchRequest(url: settings.url)
        request.method = .post
        request.fields = [
            ("Content-Type", "application/ocsp-request"), ("Accept", "application/ocsp-response"),
        ]
        request.body = asked.bytes
        request.tls = settings.tls
        request.deadline = settings.deadline
        request.answerMax = Self.answerMax
        do throws(OCSPProblem) {
            let fetched: FetchAnswer
            do throws(FetchError) { fetched = try fetch(request) } catch { throw .fetch(error) }
            guard fetched.status == 200 else { throw .httpStatus(fetched.status) }
            let answer = try question.read(
                fetched.body, to: asked, requiresNonce: nonce && settings.requiresNonce, now: now)
            pause.note(failed: false, now: now)
            return Exchange(answer: answer, response: fetched.body)
        } catch {
            // An answer that is no good came quickly: nobody waited for it.
            if case .fetch = error { pause.note(failed: true, now: now) }
            throw error
        }
    }
}
