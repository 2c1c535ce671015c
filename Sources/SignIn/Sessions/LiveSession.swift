// LiveSession.swift: one session of one professional, as every worker sees it at once.

package import Identity
internal import Synchronization

/// Who signed in, how, when and from where.
package struct SignInProof: Equatable, Sendable {
    package var professional: ProfessionalID
    package var structure: String?
    /// `session` when an identity provider proved it, `pam+…` when a local account did.
    package var method: ProofMethod
    package var level: AssuranceLevel
    /// Seconds since 1970; for an identity provider its `auth_time`, and 0 when it gave none: then
    /// no proof is fresh enough for `max_age`, and asking for one makes the provider tell.
    package var provenAt: Int64
    /// `iss` of the identity provider.
    package var issuer: String?
    /// `sub` there.
    package var subject: String?
    /// `sid` there.
    package var providerSession: String?
    /// `acr` there.
    package var context: String?
    /// Our own `client_id` there.
    package var client: String?
    /// Name of the local account.
    package var account: String?
    /// What ends the session when the account changes.
    package var accountEpoch: UInt64?
    /// Address it was signed in from.
    package var peer = ""
    package var userAgent = ""
    /// SHA-256 of the TLS client certificate shown at sign-in: the session is worth nothing without.
    package var certificate: [UInt8]?

    package init(
        professional: ProfessionalID, method: ProofMethod, level: AssuranceLevel, provenAt: Int64
    ) {
        self.professional = professional
        self.method = method
        self.level = level
        self.provenAt = provenAt
    }
}

/// Why a session is over.
package enum SessionEnd: UInt8, CaseIterable, Sendable {
    /// The professional signed out.
    case signedOut = 1
    /// The same browser signed in anew.
    case replaced
    /// The identity provider says so, OpenID Connect Back-Channel Logout.
    case provider
    case idle
    case absolute
    /// More sessions of one professional than may be; this was the oldest.
    case tooMany
    case neutralized
    /// The local account was removed.
    case account
    /// The operator took the way it was signed in out of the configuration.
    case configuration

    /// For logs.
    package var word: String {
        switch self {
        case .signedOut: "signed-out"
        case .replaced: "replaced"
        case .provider: "provider"
        case .idle: "idle"
        case .absolute: "absolute"
        case .tooMany: "too-many"
        case .neutralized: "neutralized"
        case .account: "account"
        case .configuration: "configuration"
        }
    }
}

/// A session; lives in memory only, so that a restart ends it.
///
/// A worker keeps it with the connection that showed its cookie, and asks `use(now:)` for each
/// request: loads of atomics, no lock.
package final class LiveSession: Sendable {
    /// What `session:ID` names, `s-` and 16 hexadecimal digits; nothing follows from it for the
    /// cookie.
    package let publicID: String
    package let proof: SignInProof
    /// Seconds since 1970.
    package let beganAt: Int64
    /// What `id_token_hint` tells the provider at sign-out; a secret of the session's.
    let idToken: String?
    /// Where the store finds it.
    let key: Digest

    // Relaxed everywhere: each stands for itself, and who ends a session does not wait for readers.
    private let ended = Atomic<UInt8>(0)
    private let seen: Atomic<Int64>
    private let idleMax: Atomic<Int64>
    private let endsAt: Atomic<Int64>

    init(
        publicID: String, key: Digest, proof: SignInProof, idToken: String?, now: Int64,
        lifetimes: SessionLifetimes
    ) {
        self.publicID = publicID
        self.key = key
        self.proof = proof
        self.idToken = idToken
        beganAt = now
        seen = Atomic(now)
        idleMax = Atomic(lifetimes.idle)
        endsAt = Atomic(later(now, by: lifetimes.absolute))
    }

    package var professional: ProfessionalID { proof.professional }
    package var structure: String? { proof.structure }
    package var method: ProofMethod { proof.method }
    package var level: AssuranceLevel { proof.level }
    package var provenAt: Int64 { proof.provenAt }
    package var issuer: String? { proof.issuer }
    package var providerSession: String? { proof.providerSession }
    package var client: String? { proof.client }
    package var account: String? { proof.account }
    package var peer: String { proof.peer }

    package var isOver: Bool { ended.load(ordering: .relaxed) != 0 }
    /// Why it is over; nil while it is not.
    package var end: SessionEnd? { SessionEnd(rawValue: ended.load(ordering: .relaxed)) }
    /// Seconds since 1970 of the last request.
    package var lastSeen: Int64 { seen.load(ordering: .relaxed) }
    /// Seconds since 1970 at which it ends whatever happens.
    package var absoluteEnd: Int64 { endsAt.load(ordering: .relaxed) }

    /// Whether it is good for a request now; counts as one if so.
    ///
    /// What has outlived itself ends here, and the store takes it out at its next sweep.
    package func use(now: Int64) -> Bool {
        guard !isOver else { return false }
        if let why = outlived(now: now) {
            finish(why)
            return false
        }
        // Workers' clocks are a turn apart; the last request is the latest one.
        if now > lastSeen { seen.store(now, ordering: .relaxed) }
        return true
    }

    /// Whether it is shown by whom it was given to.
    package func isBound(to certificate: Span<UInt8>?) -> Bool {
        guard let bound = proof.certificate else { return true }
        guard let certificate, certificate.count == bound.count else { return false }
        for index in bound.indices where bound[index] != certificate[index] { return false }
        return true
    }

    /// Which lifetime it has outlived, if any.
    func outlived(now: Int64) -> SessionEnd? {
        if now >= absoluteEnd { return .absolute }
        if now >= later(lastSeen, by: idleMax.load(ordering: .relaxed)) { return .idle }
        return nil
    }

    /// Ends it; false when it was over already.
    @discardableResult
    func finish(_ why: SessionEnd) -> Bool {
        ended.compareExchange(expected: 0, desired: why.rawValue, ordering: .relaxed).exchanged
    }

    /// Takes lifetimes of a new configuration, which may only shorten what was promised.
    func shorten(to lifetimes: SessionLifetimes) {
        idleMax.store(
            min(idleMax.load(ordering: .relaxed), lifetimes.idle), ordering: .relaxed)
        let end = min(absoluteEnd, later(beganAt, by: lifetimes.absolute))
        endsAt.store(end, ordering: .relaxed)
    }
}

/// A time some seconds after another; the latest there is rather than an overflow.
func later(_ time: Int64, by seconds: Int64) -> Int64 {
    let (sum, overflows) = time.addingReportingOverflow(seconds)
    return overflows ? (seconds > 0 ? .max : .min) : sum
}
