// Staging.swift: a worker's half of a reload: everything is made beside what is in force, then
// put in force at once; or dropped, and nothing has changed.

internal import Neutralization
internal import Policy
internal import Reactor
internal import Wire

/// What a worker makes of a generation and shares with no other worker.
struct Staged {
    let generation: Generation
    let contexts: [TLSServerContext]
    let serverContexts: [[TLSClientContext?]?]
    /// For each identity server the pool that goes on serving it, if nothing of it changed.
    let keptPools: [ServerPool?]
    /// Sockets of addresses that were not listened on before.
    let sockets: [ListenerSocket]
    /// The new index of each old listener; nil for one that is gone.
    let listenerPlaces: [Int?]
    let rereadsIdentities: Bool
}

/// Why a worker cannot make what a generation needs.
enum StagingError: Error {
    case material(TLSMaterialError)
    /// The listener's index, and what the system said.
    case listener(Int, SystemError)
}

extension WorkerCore {
    /// Makes everything `next` needs; `ports` has the port of each listener that another worker has
    /// bound already.
    ///
    /// Returns the ports bound now.
    func stage(
        _ next: Generation, tickets: TicketKeys, ports: [Int: UInt16]
    ) throws(StagingError) -> [Int: UInt16] {
        let before = contexts.isEmpty ? nil : generation
        let fresh: [TLSServerContext]
        let servers: (contexts: [[TLSClientContext?]?], kept: [ServerPool?])
        do throws(TLSMaterialError) {
            fresh = try stagedContexts(next, before, tickets)
            servers = try stagedServers(next, before)
        } catch {
            throw .material(error)
        }
        var bound = ports
        let sockets = try stagedSockets(next, &bound)
        let rule = before?.configuration.certificateAuthentication.rule
        staged = Staged(
            generation: next, contexts: fresh, serverContexts: servers.contexts,
            keptPools: servers.kept, sockets: sockets,
            listenerPlaces: places(from: before, to: next),
            rereadsIdentities: rule.map {
                $0 != next.configuration.certificateAuthentication.rule
                    || before?.ways.directory !== next.ways.directory
            } ?? false)
        return bound
    }

    private func stagedContexts(
        _ next: Generation, _ before: Generation?, _ tickets: TicketKeys
    ) throws(TLSMaterialError) -> [TLSServerContext] {
        var made: [TLSServerContext] = []
        for (index, material) in next.listeners.enumerated() {
            let name = next.configuration.listeners[index].name
            let old = before?.configuration.listeners.firstIndex { $0.name == name }
            if let old, before?.listeners[old].digest == material.digest {
                made.append(contexts[old])
            } else {
                made.append(try TLSServerContext(material.settings, tickets: tickets))
            }
        }
        return made
    }

    private func stagedServers(
        _ next: Generation, _ before: Generation?
    ) throws(TLSMaterialError) -> ([[TLSClientContext?]?], [ServerPool?]) {
        var serverContexts: [[TLSClientContext?]?] = []
        var kept: [ServerPool?] = []
        for material in next.servers {
            if let old = pools.first(where: { $0.material.digest == material.digest }) {
                kept.append(old)
                serverContexts.append(nil)
                continue
            }
            var made: [TLSClientContext?] = []
            for endpoint in material.endpoints {
                if let settings = endpoint.tls {
                    made.append(try TLSClientContext(settings))
                } else {
                    made.append(nil)
                }
            }
            kept.append(nil)
            serverContexts.append(made)
        }
        return (serverContexts, kept)
    }

    private func stagedSockets(
        _ next: Generation, _ ports: inout [Int: UInt16]
    ) throws(StagingError) -> [ListenerSocket] {
        var made: [ListenerSocket] = []
        for (index, listener) in next.configuration.listeners.enumerated() {
            if listeners.contains(where: { isFor($0, listener) }) { continue }
            let port = ports[index] ?? listener.address.port
            let address: SocketAddress
            switch listener.address.host {
            case .ipv4(let bytes): address = SocketAddress(ipv4: bytes, port: port)
            case .ipv6(let bytes): address = SocketAddress(ipv6: bytes, port: port)
            case .name: throw .listener(index, SystemError("bind", code: 99))
            }
            do throws(SystemError) {
                // The first worker to bind finds out whether another program has the port.
                let isFirst = ports[index] == nil && !listeners.contains { $0.port == port }
                if isFirst, port != 0 { try ListenerSocket.expectFree(address) }
                let socket = try ListenerSocket(index: index, address: address)
                ports[index] = socket.port
                made.append(socket)
            } catch {
                throw .listener(index, error)
            }
        }
        return made
    }

    /// Whether a socket that listens already serves `listener`: same name, same address.
    private func isFor(_ socket: ListenerSocket, _ listener: Listener) -> Bool {
        let old = generation.configuration.listeners[socket.index]
        return old.name == listener.name && old.address == listener.address
    }

    private func places(from before: Generation?, to next: Generation) -> [Int?] {
        guard let before else { return [] }
        return before.configuration.listeners.map { old in
            next.configuration.listeners.firstIndex {
                $0.name == old.name && $0.address == old.address
            }
        }
    }

    /// Puts what was staged in force, at once and whole.
    ///
    /// What is under way goes on under the generation it began with.
    func commit(_ state: NeutralizationState) {
        guard let staged else { return }
        self.staged = nil
        // Under the old numbers still: cutting one connection may set another going.
        closeDoors(staged.listenerPlaces)
        let oldPools = pools
        generation = staged.generation
        neutralization = state
        neutralizationEpoch += 1
        contexts = staged.contexts
        pools = staged.keptPools.indices.map { index in
            staged.keptPools[index]
                ?? ServerPool(
                    staged.generation.servers[index],
                    contexts: staged.serverContexts[index] ?? [], worker: self)
        }
        for pool in oldPools where !pools.contains(where: { $0 === pool }) { pool.retire() }
        renumberListeners(staged.listenerPlaces)
        // The addresses were bound when they were staged: only epoll could still refuse.
        try? open(staged.sockets)
        forgetFreeExchanges()
        if staged.rereadsIdentities { rereadIdentities() }
    }

    /// Drops what was staged.
    func discardStaged() { staged = nil }

    /// Closes the doors that are no more: what is under way through them ends, nothing follows.
    private func closeDoors(_ places: [Int?]) {
        if places.isEmpty { return }
        for socket in listeners where places[socket.index] == nil { close(socket) }
        for index in 0..<slots.count {
            guard case .client(let connection) = slots.occupant(at: index) else { continue }
            guard let listener = connection.listener, places[listener] == nil else { continue }
            if connection.phase == .handshaking { connection.cut() } else { connection.leave() }
            connection.listener = nil
        }
    }

    private func renumberListeners(_ places: [Int?]) {
        if places.isEmpty { return }
        for socket in listeners { socket.index = places[socket.index] ?? socket.index }
        for index in 0..<slots.count {
            guard case .client(let connection) = slots.occupant(at: index) else { continue }
            connection.listener = connection.listener.flatMap { places[$0] }
            if let listener = connection.listener {
                connection.timeouts = generation.deadlines[listener]
            }
        }
    }

    /// Reads every certificate's holder again, by the rule now in force.
    private func rereadIdentities() {
        registry.forgetIdentities()
        for index in 0..<slots.count {
            guard case .client(let connection) = slots.occupant(at: index),
                let card = connection.identity?.card
            else { continue }
            let identity = registry.identity(.certificate(card.fingerprint)) {
                makeIdentity(card.leaf)
            }
            registry.show(identity, on: connection)
        }
    }
}
