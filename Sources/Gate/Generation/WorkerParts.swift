// WorkerParts.swift: what one worker needs of a generation and cannot share with another.

internal import Neutralization
internal import Policy
internal import Reactor
internal import Wire

/// What a worker begins with.
struct WorkerStart {
    let generation: Generation
    let contexts: [TLSServerContext]
    let serverContexts: [[TLSClientContext?]]
    let sockets: [ListenerSocket]
    let neutralization: NeutralizationState
}

/// What a worker goes on with after a reload; built beside the one in force.
struct WorkerParts {
    /// A thing of the new generation: made anew, or the same as one of the old, by its index.
    enum Part<Thing> {
        case fresh(Thing)
        case kept(Int)
    }

    let generation: Generation
    let contexts: [Part<TLSServerContext>]
    let servers: [Part<[TLSClientContext?]>]
    /// Sockets of addresses that were not listened on before.
    let sockets: [ListenerSocket]
    /// The new index of each old listener; nil for one that is gone.
    let listenerPlaces: [Int?]
    let rereadsIdentities: Bool
}

extension WorkerCore {
    /// Puts the next generation in force, at once and whole. What is under way goes on under the
    /// generation it began with.
    func adopt(_ parts: consuming WorkerParts, _ state: NeutralizationState) {
        let places = parts.listenerPlaces
        let oldContexts = contexts
        let oldPools = pools
        generation = parts.generation
        neutralization = state
        neutralizationEpoch += 1
        contexts = parts.contexts.map { part in
            switch part {
            case .fresh(let context): context
            case .kept(let index): oldContexts[index]
            }
        }
        pools = zip(parts.servers, generation.servers).map { part, material in
            switch part {
            case .fresh(let contexts):
                ServerPool(material, contexts: contexts, worker: self)
            case .kept(let index): oldPools[index]
            }
        }
        for pool in oldPools where !pools.contains(where: { $0 === pool }) { pool.retire() }
        renumberListeners(places)
        // The addresses were bound when the parts were made: only epoll could still refuse.
        try? open(parts.sockets)
        if parts.rereadsIdentities { rereadIdentities() }
    }

    private func renumberListeners(_ places: [Int?]) {
        for socket in listeners {
            if let place = places[socket.index] { socket.index = place } else { close(socket) }
        }
        for index in 0..<slots.count {
            guard case .client(let connection) = slots.occupant(at: index) else { continue }
            if let place = places[connection.listener] {
                connection.listener = place
            } else {
                // Its door is gone: what is under way ends, nothing follows.
                connection.leave()
            }
        }
        registry.renumber(places, count: generation.configuration.listeners.count)
    }

    /// Reads every certificate's holder again, by the rule now in force.
    private func rereadIdentities() {
        registry.forgetIdentities()
        for index in 0..<slots.count {
            guard case .client(let connection) = slots.occupant(at: index),
                let old = connection.identity
            else { continue }
            let identity = registry.identity(old.fingerprint) { makeIdentity(old.leaf) }
            registry.show(identity, on: connection)
        }
    }

    /// Takes no more connections or requests; what is under way goes on.
    func drain() {
        isDraining = true
        for socket in listeners { close(socket) }
        for index in 0..<slots.count {
            if case .client(let connection) = slots.occupant(at: index) { connection.leave() }
        }
        loop.wake()
    }

    /// Cuts what is left and ends the thread.
    func stop() {
        for index in 0..<slots.count {
            switch slots.occupant(at: index) {
            case .client(let connection): connection.cut()
            case .server(let connection): connection.close()
            case .listener(let socket): close(socket)
            case .wake, .none: break
            }
        }
        desk.submit()
        isStopped = true
        loop.wake()
    }
}
