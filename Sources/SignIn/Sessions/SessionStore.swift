// SessionStore.swift: every session there is, found by the digest of its cookie.

internal import Identity
internal import Synchronization
internal import Tokens

/// How long sessions last, and how many there may be.
package struct SessionLifetimes: Equatable, Sendable {
    /// Seconds without a request after which a session is over.
    package var idle: Int64 = 1800
    /// Seconds from its beginning.
    package var absolute: Int64 = 8 * 3600
    /// Sessions of one professional at once; the oldest ends.
    package var perProfessionalMax = 16

    package init() {}
}

/// Why no session began.
package enum SessionRefusal: Error, Equatable, Sendable {
    /// As many as there may be; those that live go on living.
    case full
}

/// Every session; shared by all workers and the errands.
///
/// INVARIANT: of a cookie's value only the SHA-256 is kept, so that nobody who reads this memory
/// later, or a dump of it, can show the cookie.
package final class SessionStore: Sendable {
    private let shards: [Shard]
    private let register = Mutex(Register())

    /// Sessions in all: at some 2 KiB each with its id token, a quarter of a GiB at most.
    package static let countMax = 100_000
    /// Bytes of the secret in a cookie.
    static let secretLength = 32
    /// Characters of it in base64url.
    static let cookieLength = 43
    /// A power of two.
    private static let shardCount = 64

    private let countMax: Int

    package init(_ lifetimes: SessionLifetimes = SessionLifetimes(), countMax: Int = countMax) {
        shards = (0..<Self.shardCount).map { _ in Shard() }
        self.countMax = countMax
        register.withLock { $0.lifetimes = lifetimes }
    }

    /// The session of a cookie, if it lives and is shown with the certificate it is bound to.
    ///
    /// One SHA-256 and one lock held for a look into a table.
    package func session(
        _ cookieValue: Span<UInt8>, certificate: Span<UInt8>?, now: Int64
    ) -> LiveSession? {
        guard cookieValue.count == Self.cookieLength, let key = Digest(of: cookieValue),
            let session = shard(key).sessions.withLock({ $0[key] }),
            session.isBound(to: certificate), session.use(now: now)
        else { return nil }
        return session
    }

    /// Begins a session; what is returned goes into the cookie and is nowhere else.
    package func begin(
        _ proof: SignInProof, idToken: String? = nil, now: Int64
    ) throws(SessionRefusal) -> (cookieValue: String, session: LiveSession) {
        let value = secretText(Self.secretLength)
        guard let key = Digest(of: value) else { throw .full }
        let publicID = "s-" + hexadecimal(randomBytes(8))
        if count >= countMax { sweep(now: now) }
        let (session, oldest) = register.withLock { register -> (LiveSession?, LiveSession?) in
            guard register.byID.count < countMax else { return (nil, nil) }
            let session = LiveSession(
                publicID: publicID, key: key, proof: proof, idToken: idToken,
                now: now, lifetimes: register.lifetimes)
            guard register.byID[session.publicID] == nil else { return (nil, nil) }
            // Under both locks: whoever ends it finds it in both.
            shard(key).sessions.withLock { $0[key] = session }
            return (session, register.add(session))
        }
        guard let session else { throw .full }
        if let oldest { end(oldest, .tooMany) }
        return (value, session)
    }

    /// Ends one; false when it was over already.
    @discardableResult
    package func end(_ session: LiveSession, _ why: SessionEnd) -> Bool {
        let ended = session.finish(why)
        forget(session)
        return ended
    }

    /// Ends all that `which` is true of, and says how many that were.
    ///
    /// One that begins meanwhile may not be among them: who begins sessions asks the neutralization
    /// list once more after it has begun one.
    @discardableResult
    package func endAll(_ why: SessionEnd, where which: (LiveSession) -> Bool) -> Int {
        all().count { which($0) && end($0, why) }
    }

    /// All that have not ended, in no order.
    package func all() -> [LiveSession] { kept().filter { !$0.isOver } }

    /// The one that `session:ID` names.
    package func session(named publicID: String) -> LiveSession? {
        register.withLock { $0.byID[publicID] }.flatMap { $0.isOver ? nil : $0 }
    }

    /// Those that have ended and were not swept yet among them.
    package var count: Int { register.withLock { $0.byID.count } }

    /// Takes out what has outlived itself, and says which those were; for a timer.
    @discardableResult
    package func sweep(now: Int64) -> [LiveSession] {
        kept().filter { session in
            if !session.isOver {
                guard let why = session.outlived(now: now) else { return false }
                session.finish(why)
            }
            forget(session)
            return true
        }
    }

    /// Lifetimes of a new configuration: those that live may only get shorter ones.
    package func apply(_ lifetimes: SessionLifetimes) {
        let live = register.withLock { register in
            register.lifetimes = lifetimes
            return Array(register.byID.values)
        }
        for session in live { session.shorten(to: lifetimes) }
    }

    private func kept() -> [LiveSession] { register.withLock { Array($0.byID.values) } }

    private func shard(_ key: Digest) -> Shard { shards[key.place(among: Self.shardCount)] }

    private func forget(_ session: LiveSession) {
        shard(session.key).sessions.withLock { $0[session.key] = nil }
        register.withLock { $0.remove(session) }
    }

    private final class Shard: Sendable {
        let sessions = Mutex<[Digest: LiveSession]>([:])
    }

    /// Who has which.
    private struct Register {
        var lifetimes = SessionLifetimes()
        var byID: [String: LiveSession] = [:]
        var byProfessional: [ProfessionalID: [LiveSession]] = [:]

        /// Adds one, and says which other is one too many.
        mutating func add(_ session: LiveSession) -> LiveSession? {
            byID[session.publicID] = session
            var own = byProfessional[session.professional] ?? []
            own.append(session)
            byProfessional[session.professional] = own
            // They stand in the order in which they began.
            return own.count > max(lifetimes.perProfessionalMax, 1) ? own.first : nil
        }

        mutating func remove(_ session: LiveSession) {
            guard byID.removeValue(forKey: session.publicID) != nil else { return }
            let rest = (byProfessional[session.professional] ?? []).filter { $0 !== session }
            byProfessional[session.professional] = rest.isEmpty ? nil : rest
        }
    }
}
