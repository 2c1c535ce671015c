// Services.swift: what all workers share, whatever configuration is in force.

internal import Accounts
internal import Alerts
internal import Directory
internal import Glibc
internal import Limits
internal import Neutralization
internal import Reactor
internal import Record
internal import RecordKeeping
internal import SignIn
internal import Synchronization

/// Made once, before the first worker; outlives every generation.
struct Services: Sendable {
    let log: GateLog
    let limits: LimitTable
    let record: RecordLog
    /// Witnesses, retention and ceilings of the record.
    let keeper: RecordKeeper
    let pages = PageBindings()
    let proofs = ProofDesk()
    let sessions = SessionStore()
    /// What is done off the workers.
    let lanes: ErrandLanes
    /// What sign-ins under way need, whatever configuration they began under.
    let signIns = SignInMemory()
    let lockout = Lockout()
    /// What happened at the gate's own pages, until it is recorded.
    let events = SignInEvents()
    /// Set when a revocation list was fetched that is not in force yet.
    let listsChanged = Flag()
    /// Set when a signed list was accepted that is not in force yet.
    let signedListsChanged = Flag()
    /// Events from elsewhere, and what is kept of them.
    let signals = SignalInbox()
    /// Who is told of what elsewhere; `raise` may be called by any thread.
    let alerts: AlertDesk
    /// The list in force, for whoever is not a worker.
    let neutralization = NeutralizationView()
    /// Who tries again after having been cut off.
    let probing: ProbingWatch

    init(
        log: GateLog, limits: LimitTable, record: RecordLog, keeper: RecordKeeper
    ) throws(SystemError) {
        self.log = log
        self.limits = limits
        self.record = record
        self.keeper = keeper
        let alerts = AlertDesk { log.say($0) }
        self.alerts = alerts
        probing = ProbingWatch { text, subject in
            log.say(text, kind: "probing")
            alerts.raise(Alert(.probing, .warning, subject: subject, text))
        }
        lanes = try ErrandLanes()
    }
}

/// Something to be done, set by any thread.
final class Flag: Sendable {
    private let isSet = Atomic<Bool>(false)

    func set() { isSet.store(true, ordering: .releasing) }

    /// Whether it was set; it no longer is.
    func take() -> Bool { isSet.exchange(false, ordering: .acquiring) }
}

/// The neutralization list in force, as errands see it; the control plane changes it before the
/// workers' own, so that nobody who is cut off begins a session meanwhile.
final class NeutralizationView: Sendable {
    private let state = Mutex(NeutralizationState())

    /// The state in force; a copy of one reference.
    var current: NeutralizationState {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }

    /// The entry that forbids what a sign-in proves.
    func verdict(on proof: SignInProof, _ directory: Directory?) -> Neutralized? {
        current.verdict(on: proof, directory, now: UnixSeconds(Int64(time(nil))))
    }
}
