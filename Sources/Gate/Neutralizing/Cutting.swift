// Cutting.swift: neutralized means gone: what a worker does the moment the list changes.

internal import Neutralization
internal import Policy
internal import Reactor
internal import Wire

/// What was cut, for the operator.
package struct CutCount: Sendable, Codable, Equatable {
    package var connections = 0
    package var exchanges = 0
    /// Sessions of people who had signed in with a browser.
    package var sessions = 0
    /// Addresses of what was cut, some of them.
    var origins: Set<String> = []

    /// Addresses that are told of one worker's cut.
    static let originsMax = 256

    private enum CodingKeys: String, CodingKey {
        case connections, exchanges, sessions
    }

    package static func + (one: CutCount, other: CutCount) -> CutCount {
        CutCount(
            connections: one.connections + other.connections,
            exchanges: one.exchanges + other.exchanges,
            sessions: one.sessions + other.sessions,
            origins: one.origins.union(other.origins))
    }
}

/// A walk over all live connections, some in each turn, after a change that may concern any.
struct Sweep {
    var next = 0
    var cut = CutCount()
    var waiting: [CheckedContinuation<CutCount, Never>] = []
}

extension WorkerCore {
    /// Connections looked at in one turn of a sweep, and certificates verified again in it: a
    /// request waits for one such slice at most.
    private static let sweepMax = 512
    private static let believeMax = 8

    /// Puts `state` in force and cuts every live object of `subjects`, before it returns.
    func neutralize(_ state: NeutralizationState, cutting subjects: [Subject]) -> CutCount {
        neutralization = state
        neutralizationEpoch += 1
        var count = CutCount()
        for subject in subjects {
            for connection in connections(of: subject) { cut(connection, &count) }
        }
        return count
    }

    /// The live connections a subject stands for.
    func connections(of subject: Subject) -> [ClientConnection] {
        switch subject {
        case .account(let account):
            return registry.connections(account: SubjectKey(account: account))
        case .issuedBefore(let moment):
            return live { identity, client in
                provenAt(identity, on: client).map { $0 < moment.value } ?? true
            }
        case .network(let network):
            var found: [ClientConnection] = []
            for index in 0..<slots.count {
                if case .client(let connection) = slots.occupant(at: index),
                    network.contains(NetworkAddress(connection.peer))
                {
                    found.append(connection)
                }
            }
            return found
        default:
            let isMeant = isMeant(subject)
            return live { identity, _ in isMeant(identity) }
        }
    }

    /// The connections that show a proof of somebody who `isMeant`, or carry a request in their
    /// name.
    private func live(
        _ isMeant: (ProvenIdentity, ClientConnection) -> Bool
    ) -> [ClientConnection] {
        var found: [ClientConnection] = []
        for index in 0..<slots.count {
            guard case .client(let connection) = slots.occupant(at: index) else { continue }
            let shown = [connection.identity, connection.exchange?.identity]
            if shown.contains(where: { $0.map { isMeant($0, connection) } ?? false }) {
                found.append(connection)
            }
        }
        return found
    }

    func cut(_ connection: ClientConnection, _ count: inout CutCount) {
        guard connection.phase != .closed else { return }
        count.connections += 1
        if connection.exchange != nil { count.exchanges += 1 }
        counters.connectionsCut += 1
        if count.origins.count < CutCount.originsMax { count.origins.insert(connection.peer.host) }
        connection.cut()
    }

    /// Begins to look at every live connection again; ends with what was cut.
    func beginSweep(_ waiting: CheckedContinuation<CutCount, Never>) {
        neutralizationEpoch += 1
        var next = sweep ?? Sweep()
        // A sweep under way begins anew: what it has passed may be concerned by this change.
        next.next = 0
        next.waiting.append(waiting)
        sweep = next
        loop.wake()
    }

    /// Looks at some connections: cuts those that are neutralized, or whose certificate is no
    /// longer believed.
    func sweepSome() {
        guard var sweep else { return }
        var looked = 0
        var believed = 0
        while sweep.next < slots.count, looked < Self.sweepMax, believed < Self.believeMax {
            if case .client(let connection) = slots.occupant(at: sweep.next),
                connection.phase != .handshaking
            {
                consult(connection)
                if connection.neutralized != nil || isAnybodyNeutralized(on: connection) {
                    cut(connection, &sweep.cut)
                } else if connection.identity != nil, connection.listener != nil,
                    connection.believedIn != generation.number
                {
                    believed += 1
                    if !believeAgain(connection) { cut(connection, &sweep.cut) }
                }
            }
            sweep.next += 1
            looked += 1
        }
        guard sweep.next >= slots.count else {
            self.sweep = sweep
            return
        }
        self.sweep = nil
        for continuation in sweep.waiting { continuation.resume(returning: sweep.cut) }
    }
}

extension WorkerCore {
    /// Whether a connection shows a proof that counts no more, or its exchange is under way for
    /// somebody who may ask no more.
    private func isAnybodyNeutralized(on connection: ClientConnection) -> Bool {
        if let shown = connection.identity, isProofVoid(shown, on: connection) { return true }
        guard let identity = connection.exchange?.identity else { return false }
        consult(identity)
        return identity.neutralized != nil || isProofVoid(identity, on: connection)
    }
}

extension NetworkAddress {
    init(_ peer: PeerAddress) { self.init(v6: peer.high, peer.low) }
}
