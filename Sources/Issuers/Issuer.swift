// Issuer.swift: one issuer of tokens: its keys and endpoints, fetched ahead and believed for a time.

internal import JSON
internal import Outbound
internal import Synchronization
package import Tokens

/// An issuer behind the network; every call may be made from many threads at once.
///
/// Nothing is fetched but in `refresh` and in what asks its endpoints, which block. When fetching
/// fails, what was fetched before stays until it is `settings.keep` seconds old, and no longer.
package final class Issuer: Sendable {
    package let settings: IssuerSettings

    private struct State {
        var keys: KeySet?
        /// When the keys at hand were fetched, in the last fetch that worked.
        var keysAt: Int64?
        /// Their text, until it is written down.
        var unkept: [UInt8]?
        var metadata: IssuerMetadata?
        var metadataAt: Int64?
        var attemptAt: Int64?
        /// Fetches that ended.
        var attempts: UInt64 = 0
        /// Whether the last fetch must be tried again soon.
        var hasFailed = false
        var problem: String?
    }

    private let state: Mutex<State>
    /// Held while something is fetched.
    private let isFetching = Mutex(())
    private let kept: KeptCopy?
    let endpoints: EndpointState

    /// Seconds between two fetches at least, whoever asks for them.
    package static let attemptSeconds: Int64 = 10
    /// Seconds until a fetch that failed is tried again.
    package static let retrySeconds: Int64 = 15

    /// Knows nothing yet but what was kept from before, if `settings` has a folder for that.
    package init(_ settings: IssuerSettings, now: Int64) {
        self.settings = settings
        endpoints = EndpointState(cacheSeconds: settings.introspectionCache)
        kept = keptCopy(settings)
        var state = State()
        if let copy = kept?.read(now: now) {
            let bytes = copy.bytes
            if let keys = try? KeySet(json: bytes.span) {
                state.keys = keys
                state.keysAt = copy.fetchedAt
            }
        }
        self.state = Mutex(state)
    }

    /// Its keys; nil when none are believed at this time.
    package func keys(now: Int64) -> KeySet? {
        state.withLock { state in
            isBelieved(state.keysAt, now) ? state.keys : nil
        }
    }

    /// Where its endpoints are; nil when that is not known, or not believed any more.
    package func metadata(now: Int64) -> IssuerMetadata? {
        state.withLock { state in
            isBelieved(state.metadataAt, now) ? state.metadata : nil
        }
    }

    private func isBelieved(_ time: Int64?, _ now: Int64) -> Bool {
        guard let time else { return false }
        return secondsSince(time, now) <= settings.keep
    }

    /// Whether its time to be fetched has come; nothing is done about it here.
    package func isDue(now: Int64) -> Bool {
        state.withLock { state in
            guard let attemptAt = state.attemptAt else { return true }
            let wait =
                state.hasFailed ? min(settings.refresh, Self.retrySeconds) : settings.refresh
            return mayAttempt(attemptAt, now, after: wait)
        }
    }

    /// Whether `refresh` would fetch for the sake of a key that is not known: whoever sends tokens
    /// with invented ones makes for one fetch in a while, not for one each.
    package func mayRefreshForUnknownKey(now: Int64) -> Bool {
        state.withLock { mayAttempt($0.attemptAt, now, after: attemptSeconds) }
    }

    private var attemptSeconds: Int64 { min(Self.attemptSeconds, settings.refresh) }

    private func mayAttempt(_ attemptAt: Int64?, _ now: Int64, after wait: Int64) -> Bool {
        // A clock set back must not keep anybody waiting.
        guard let attemptAt, now >= attemptAt else { return true }
        return secondsSince(attemptAt, now) >= wait
    }

    /// Fetches metadata and keys anew, and waits for them; does nothing when that was done a moment
    /// ago, and when somebody else does it already waits for that.
    package func refresh(now: Int64) {
        let seen = state.withLock { $0.attempts }
        isFetching.withLock { _ in
            let isWanted = state.withLock { state in
                guard state.attempts == seen,
                    mayAttempt(state.attemptAt, now, after: attemptSeconds)
                else { return false }
                state.attemptAt = now
                return true
            }
            guard isWanted else { return }
            let problem = fetchAll(now: now)
            // That a copy cannot be kept is said, but fetching anew would not help.
            let keeping = keep()
            state.withLock { state in
                state.attempts += 1
                state.hasFailed = problem != nil
                state.problem = problem ?? keeping
            }
        }
    }

    /// What went wrong, if anything.
    private func fetchAll(now: Int64) -> String? {
        var problem: String?
        if let address = settings.discovery {
            do throws(IssuerError) {
                let metadata = try fetchMetadata(settings, from: address)
                state.withLock { state in
                    state.metadata = metadata
                    state.metadataAt = now
                }
            } catch {
                problem = error.description
            }
        }
        // Where the keys are is still known when only the metadata cannot be fetched.
        let named = metadata(now: now)?.keys.map(IssuerSettings.KeySource.url)
        guard let source = settings.keys ?? named else {
            return problem
                ?? IssuerError.noEndpoint(issuer: settings.name, name: "jwks_uri")
                .description
        }
        do throws(IssuerError) {
            let fetched = try fetchKeys(settings, source)
            state.withLock { state in
                state.keys = fetched.keys
                state.keysAt = now
                state.unkept = kept == nil ? nil : fetched.text
            }
        } catch {
            problem = problem ?? error.description
        }
        return problem
    }

    /// Writes down what was fetched just now; the problem in words.
    private func keep() -> String? {
        guard let kept else { return nil }
        let contents = state.withLock { state -> KeptCopy.Contents? in
            guard let text = state.unkept, let time = state.keysAt else { return nil }
            state.unkept = nil
            return KeptCopy.Contents(fetchedAt: time, bytes: text)
        }
        return contents.flatMap(kept.write)
    }

    /// How its keys are.
    package func report(now: Int64) -> IssuerReport {
        state.withLock { state in
            let age = state.keysAt.map { max(0, secondsSince($0, now)) }
            var report = IssuerReport(
                name: settings.name, state: .unknown, age: age, remaining: nil, keys: 0,
                problem: state.problem)
            guard let age, age <= settings.keep else { return report }
            report.keys = state.keys?.count ?? 0
            report.remaining = settings.keep - age
            // Late by more than a fetch that is tried again takes, and while there is time to act.
            let slack = min(4 * Self.retrySeconds, max(0, settings.keep - settings.refresh) / 2)
            let isLate = age > settings.refresh + slack
            report.state = isLate ? .stale : .fresh
            return report
        }
    }
}

/// Seconds from one time to another, as far as an integer can say.
func secondsSince(_ time: Int64, _ now: Int64) -> Int64 {
    let (seconds, overflow) = now.subtractingReportingOverflow(time)
    guard overflow else { return seconds }
    return now > time ? .max : .min
}

private func keptCopy(_ settings: IssuerSettings) -> KeptCopy? {
    guard let folder = settings.stateFolder else { return nil }
    let source: String
    switch settings.keys {
    // What is a file already is not kept.
    case .file: return nil
    case .url(let url): source = url
    case nil: source = settings.discovery ?? ""
    }
    // Names are the operator's; a digest of both tells any from another.
    let digest = sha256("\(settings.name)\n\(settings.issuer)").prefix(16)
    return KeptCopy(
        folder: folder, name: "keys-" + encodeBase64URL(Array(digest)),
        origin: settings.issuer + " " + source, bytesMax: KeySet.bytesMax)
}
