// ServerPool.swift: one worker's connections to one identity server, kept for reuse.
//
// Health is passive: an endpoint that cannot be reached is left alone for a while, longer each
// time, unless no other is left.

internal import Policy
internal import Reactor
internal import Wire

/// Connections to the endpoints of one identity server.
final class ServerPool {
    private struct EndpointHealth {
        var failures: UInt64 = 0
        /// Milliseconds of the monotonic clock before which it is not tried.
        var restsUntil: UInt64 = 0
        /// When it last failed and last answered, by the same clock; 0: never.
        var failedAt: UInt64 = 0
        var answeredAt: UInt64 = 0
    }

    let worker: WorkerCore
    let material: ServerMaterial
    let connectMilliseconds: UInt64
    let answerMilliseconds: UInt64
    let idleMilliseconds: UInt64
    private let connectionsMax: Int
    private let tls: [TLSClientContext?]
    private var health: [EndpointHealth]
    private var idle: [ServerConnection] = []
    private var openCount = 0
    private var waiting: [Exchange] = []
    private var nextEndpoint = 0

    /// Exchanges that may wait for a connection; more are told to come back.
    static let waitingMax = 1024
    private static let restMillisecondsMax: UInt64 = 10_000

    init(_ material: ServerMaterial, contexts: [TLSClientContext?], worker: WorkerCore) {
        self.material = material
        self.worker = worker
        tls = contexts
        health = Array(repeating: EndpointHealth(), count: material.endpoints.count)
        connectMilliseconds = milliseconds(material.definition.connectTimeout)
        answerMilliseconds = milliseconds(material.definition.answerTimeout)
        idleMilliseconds = milliseconds(material.definition.idleTimeout)
        connectionsMax = material.definition.connectionsMax
    }

    var definition: IdentityServer { material.definition }

    /// What `herse status` shows of an endpoint.
    func report() -> [ServerReport] {
        material.endpoints.indices.map { index in
            let one = health[index]
            return ServerReport(
                server: definition.name, endpoint: material.endpoints[index].name,
                isUp: one.answeredAt >= one.failedAt, failures: one.failures,
                failedAt: one.failedAt, answeredAt: one.answeredAt)
        }
    }

    var connectionCount: Int { openCount }

    /// Sends an exchange on an idle connection, a fresh one, or lets it wait for one.
    func serve(_ exchange: Exchange) {
        if let connection = idle.popLast() {
            connection.serve(exchange, isFresh: false)
            return
        }
        guard openCount < connectionsMax else {
            guard waiting.count < Self.waitingMax else {
                exchange.serverFailed(.overloaded)
                return
            }
            waiting.append(exchange)
            return
        }
        connect(for: exchange)
    }

    /// An exchange that waits no longer.
    func forget(_ exchange: Exchange) {
        waiting.removeAll { $0 === exchange }
    }

    /// Opens a connection to the next endpoint that is not resting.
    func connect(for exchange: Exchange) {
        var attempts = 0
        while attempts < material.endpoints.count {
            attempts += 1
            guard let index = chooseEndpoint(attempt: attempts) else { break }
            if open(index, for: exchange) { return }
            failed(index)
        }
        exchange.serverFailed(.serverUnreachable)
    }

    private func open(_ index: Int, for exchange: Exchange) -> Bool {
        let made = ServerConnection.open(
            pool: self, endpoint: index, address: material.endpoints[index].address,
            tls: tls[index])
        guard let connection = made else { return false }
        openCount += 1
        connection.serve(exchange, isFresh: true)
        return true
    }

    private func chooseEndpoint(attempt: Int) -> Int? {
        let now = worker.clock.milliseconds
        for _ in material.endpoints.indices {
            let index = nextEndpoint % material.endpoints.count
            nextEndpoint &+= 1
            if health[index].restsUntil <= now { return index }
        }
        // All rest: the one whose rest ends first is better than none.
        guard attempt == 1 else { return nil }
        return health.indices.min { health[$0].restsUntil < health[$1].restsUntil }
    }

    func failed(_ index: Int) {
        health[index].failures += 1
        health[index].failedAt = worker.clock.milliseconds
        let shift = min(health[index].failures, 6)
        let rest = min(Self.restMillisecondsMax, 100 << shift)
        health[index].restsUntil = worker.clock.milliseconds + rest
        worker.log.serverFailed(definition.name, material.endpoints[index].name)
    }

    func answered(_ index: Int) {
        health[index].failures = 0
        health[index].restsUntil = 0
        health[index].answeredAt = worker.clock.milliseconds
    }

    /// A connection is free again.
    func returned(_ connection: ServerConnection) {
        if let next = takeWaiting() {
            connection.serve(next, isFresh: false)
        } else {
            idle.append(connection)
        }
    }

    /// A connection is gone.
    func closed(_ connection: ServerConnection) {
        openCount -= 1
        idle.removeAll { $0 === connection }
        if openCount < connectionsMax, let next = takeWaiting() { connect(for: next) }
    }

    private func takeWaiting() -> Exchange? {
        waiting.isEmpty ? nil : waiting.removeFirst()
    }

    /// Closes what is idle; the rest closes when its exchange is over.
    func retire() {
        isRetired = true
        for connection in idle { connection.close() }
        idle.removeAll()
    }

    private(set) var isRetired = false
}

/// The state of one endpoint as a worker sees it.
package struct ServerReport: Sendable, Codable {
    package let server: String
    package let endpoint: String
    package let isUp: Bool
    /// Failures since it last answered.
    package let failures: UInt64
    /// Milliseconds of the monotonic clock; 0: never.
    package let failedAt: UInt64
    package let answeredAt: UInt64
}
