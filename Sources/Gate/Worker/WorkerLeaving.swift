// WorkerLeaving.swift: how a worker stops: what is under way ends first, then everything.

internal import Policy
internal import Reactor

extension WorkerCore {
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
        desk.tellLeftOut(by: self, isLast: true)
        desk.submit()
        desk.stop()
        isStopped = true
        loop.wake()
    }
}
