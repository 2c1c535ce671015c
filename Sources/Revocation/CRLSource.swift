// CRLSource.swift: a revocation list at an address, fetched ahead, the last good one kept.

internal import COpenSSL
package import Outbound
internal import Synchronization

/// Where a revocation list is, and how old it may grow.
package struct CRLSettings: Equatable, Sendable {
    /// As the operator wrote it, never from a certificate; http will do, since lists are signed.
    package var url: String
    /// Trust anchors of an https address.
    package var tls = FetchTLS()
    /// Seconds between two fetches.
    package var refresh: Int64 = 3600
    /// Seconds after the last fetch that worked, from which it is shown as stale.
    package var stale: Int64 = 36 * 3600
    /// Folder in which the last good list is kept over a restart; nil for not at all.
    package var stateFolder: String?
    /// Bytes of a list.
    package var bytesMax = 32 << 20

    package init(url: String) { self.url = url }
}

/// How a list is, for status and metrics.
package struct CRLReport: Equatable, Sendable {
    /// How much a list can be relied on to be the latest.
    package enum State: String, CaseIterable, Sendable {
        case fresh
        /// There, but not fetched for too long; whether it still counts, its `nextUpdate` says.
        case stale
        /// None was ever fetched.
        case missing
    }

    package var url: String
    package var state: State
    /// Seconds since the last fetch that worked.
    package var age: Int64?
    /// What the list says of itself, seconds since 1970.
    package var thisUpdate: Int64?
    package var nextUpdate: Int64?
    package var bytes: Int
    /// What went wrong in the last fetch.
    package var problem: String?
    /// Whether the last list that came was not taken: it may be somebody else's, or an old one.
    package var isRefused = false
}

/// A revocation list behind the network; every call may be made from many threads at once.
package final class CRLSource: Sendable {
    package let settings: CRLSettings

    private struct State {
        var list: FetchedCRL?
        /// When an address last gave this list, or said that there is no newer.
        var fetchedAt: Int64?
        var entityTag: String?
        var attemptAt: Int64?
        var attempts: UInt64 = 0
        /// Whether the last fetch must be tried again soon.
        var hasFailed = false
        var isRefused = false
        var problem: String?
    }

    private let state: Mutex<State>
    private let isFetching = Mutex(())
    private let kept: KeptCopy?
    private let check: @Sendable (_ der: [UInt8]) -> String?

    /// Seconds between two fetches at least, whoever asks for them.
    package static let attemptSeconds: Int64 = 10
    /// Seconds until a fetch is tried again that failed, or gave a list that is over.
    package static let retrySeconds: Int64 = 60
    /// Milliseconds for a whole list.
    private static let deadline = 60_000

    /// Knows nothing yet but what was kept from before.
    ///
    /// - Parameters:
    ///   - settings: Where the list is.
    ///   - now: Seconds since 1970.
    ///   - check: What is wrong with a list, if anything: its signature is nobody's here, say. One
    ///     that does not pass replaces none.
    package init(
        _ settings: CRLSettings, now: Int64,
        check: @escaping @Sendable (_ der: [UInt8]) -> String? = { _ in nil }
    ) {
        self.settings = settings
        self.check = check
        kept = settings.stateFolder.map { folder in
            KeptCopy(
                folder: folder, name: "list-" + shortDigest(settings.url), origin: settings.url,
                bytesMax: settings.bytesMax)
        }
        var state = State()
        if let copy = kept?.read(now: now), let list = try? FetchedCRL(copy.bytes),
            check(list.der) == nil
        {
            state.list = list
            state.fetchedAt = copy.fetchedAt
        }
        self.state = Mutex(state)
    }

    /// The last good list, DER; whether it still counts, whoever uses it must judge.
    package var list: [UInt8]? { state.withLock { $0.list?.der } }

    /// Whether its time to be fetched has come; nothing is done about it here.
    package func isDue(now: Int64) -> Bool {
        state.withLock { state in
            guard let attemptAt = state.attemptAt else { return true }
            let isOver = state.list?.nextUpdate.map { now >= $0 } ?? false
            let isUrgent = isOver || state.hasFailed || state.list == nil
            let wait = isUrgent ? min(settings.refresh, Self.retrySeconds) : settings.refresh
            return mayAttempt(attemptAt, now, after: wait)
        }
    }

    private func mayAttempt(_ attemptAt: Int64?, _ now: Int64, after wait: Int64) -> Bool {
        // A clock set back must not keep anybody waiting.
        guard let attemptAt, now >= attemptAt else { return true }
        return now - attemptAt >= wait
    }

    /// Fetches the list anew and waits for it, at most once in a moment; whether there is another
    /// one now.
    @discardableResult
    package func refresh(now: Int64) -> Bool {
        let seen = state.withLock { $0.attempts }
        return isFetching.withLock { _ in
            let wait = min(Self.attemptSeconds, settings.refresh)
            let isWanted = state.withLock { state in
                guard state.attempts == seen, mayAttempt(state.attemptAt, now, after: wait)
                else { return false }
                state.attemptAt = now
                return true
            }
            guard isWanted else { return false }
            var isOther = false
            var (problem, isRefused): (String?, Bool) = (nil, false)
            do throws(CRLProblem) {
                isOther = try fetchList(now: now)
            } catch {
                (problem, isRefused) = (error.description, error.isRefusal)
            }
            // That a copy cannot be kept is said, but fetching anew would not help.
            let keeping = problem == nil ? keep() : nil
            state.withLock { state in
                state.attempts += 1
                state.hasFailed = problem != nil
                state.isRefused = isRefused
                state.problem = problem ?? keeping
            }
            return isOther
        }
    }

    private func fetchList(now: Int64) throws(CRLProblem) -> Bool {
        var request = FetchRequest(url: settings.url)
        request.tls = settings.tls
        request.deadline = Self.deadline
        request.answerMax = settings.bytesMax
        let (current, tag) = state.withLock { ($0.list, $0.entityTag) }
        if current != nil, let tag { request.fields = [("If-None-Match", tag)] }
        let answer: FetchAnswer
        do throws(FetchError) { answer = try fetch(request) } catch { throw .fetch(error) }
        if answer.status == 304, current != nil, tag != nil {
            state.withLock { $0.fetchedAt = now }
            return false
        }
        guard answer.status == 200 else { throw .status(settings.url, answer.status) }
        let list: FetchedCRL
        do throws(CRLUnreadable) { list = try FetchedCRL(answer.body) } catch {
            throw .unreadable(settings.url)
        }
        // Whoever is on the way may send what was true once, and was signed then.
        if let current, current.issuer == list.issuer, list.thisUpdate < current.thisUpdate {
            throw .older(settings.url)
        }
        if let words = check(list.der) { throw .notAccepted(settings.url, words) }
        state.withLock { state in
            state.list = list
            state.fetchedAt = now
            state.entityTag = answer.field("etag")
        }
        return list.der != current?.der
    }

    /// Writes down what is known now; the problem in words.
    private func keep() -> String? {
        guard let kept else { return nil }
        let (list, fetchedAt) = state.withLock { ($0.list, $0.fetchedAt) }
        guard let list, let fetchedAt else { return nil }
        return kept.write(KeptCopy.Contents(fetchedAt: fetchedAt, bytes: list.der))
    }

    /// How the list is.
    package func report(now: Int64) -> CRLReport {
        state.withLock { state in
            let age = state.fetchedAt.map { max(0, now - $0) }
            var report = CRLReport(
                url: settings.url, state: .missing, age: age,
                thisUpdate: state.list?.thisUpdate, nextUpdate: state.list?.nextUpdate,
                bytes: state.list?.der.count ?? 0, problem: state.problem)
            report.isRefused = state.isRefused
            if let age, state.list != nil {
                report.state = age > settings.stale ? .stale : .fresh
            }
            return report
        }
    }
}

/// Why a list was not replaced.
private enum CRLProblem: Error {
    case fetch(FetchError)
    case status(String, Int)
    case unreadable(String)
    case older(String)
    case notAccepted(String, String)

    /// Whether something came that was not taken.
    var isRefusal: Bool {
        switch self {
        case .fetch, .status: false
        case .unreadable, .older, .notAccepted: true
        }
    }

    var description: String {
        switch self {
        case .fetch(let error): error.description
        case .status(let url, let status): "\(url): answers \(status) instead of 200"
        case .unreadable(let url):
            "\(url): is no revocation list, or more than one (expected DER, or one PEM block)"
        case .older(let url):
            "\(url): is older than the list at hand, which stays (somebody may replay it)"
        case .notAccepted(let url, let words): "\(url): \(words)"
        }
    }
}

/// The first sixteen bytes of SHA-256 in hexadecimal: a name for a file.
private func shortDigest(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var digest = [UInt8](repeating: 0, count: 32)
    // Safe because SHA-256 writes the 32 bytes there are.
    _ = unsafe SHA256(bytes, bytes.count, &digest)
    let digits = Array("0123456789abcdef".utf8)
    let text = digest.prefix(16).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: text, as: UTF8.self)
}
