// Worker.swift: a data-plane thread as an actor: what the control plane may ask of it.

internal import Limits
internal import Neutralization
internal import Reactor
internal import Record
internal import Wire

/// One thread, one epoll, one share of the connections.
actor Worker: LoopOwner {
    private let loop: EventLoop
    private let core: WorkerCore

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe loop.asUnownedSerialExecutor()
    }

    init(
        number: Int, loop: EventLoop, _ services: Services, generation: Generation
    ) throws(SystemError) {
        self.loop = loop
        core = try WorkerCore(
            number: number, loop: loop, services, generation: generation)
    }

    func turn() -> Bool { core.turn() }

    func stage(
        _ next: Generation, tickets: TicketKeys, ports: [Int: UInt16]
    ) throws(StagingError) -> [Int: UInt16] {
        try core.stage(next, tickets: tickets, ports: ports)
    }

    func commit(_ state: NeutralizationState) { core.commit(state) }
    func discardStaged() { core.discardStaged() }

    /// Puts `state` in force; returns when every live object of `subjects` is cut.
    func neutralize(_ state: NeutralizationState, cutting subjects: [Subject]) -> CutCount {
        core.neutralize(state, cutting: subjects)
    }

    /// Cuts what runs for an account by a proof that counts no more.
    func cutRevoked(_ account: SubjectKey) -> CutCount { core.cutRevoked(account) }

    /// Whom `orders`, and nothing else, would concern.
    func preview(_ orders: NeutralizationState) -> [Concerned] { core.concerned(by: orders) }

    /// Looks at every live connection again; returns when all were.
    func sweep() async -> CutCount {
        await withCheckedContinuation { core.beginSweep($0) }
    }

    func replaceTicketKeys(_ keys: TicketKeys) {
        for context in core.contexts { context.replaceTicketKeys(keys) }
    }

    /// Whom a professional's requests are counted for, if one is connected here.
    func limitSubjects(of professional: String) -> LimitSubjects? {
        core.limitSubjects(of: professional)
    }

    /// Writes administrators' acts into the record; whether all of them are there.
    func record(_ acts: [AdministrativeAct]) async -> Bool {
        await withCheckedContinuation { core.desk.record(acts, by: core, $0) }
    }

    func putInForce(_ grants: Grants) { core.grants = grants }

    func report() -> WorkerReport { core.report() }
    func sessions(of professional: String?) -> [SessionReport] { core.sessions(of: professional) }
    func drain() { core.drain() }
    func stop() { core.stop() }

    /// Connections with something under way.
    var busyCount: Int { core.exchangesRunning }
    var connectionCount: Int { core.registry.connectionCount }
}
