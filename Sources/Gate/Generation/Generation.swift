// Generation.swift: one configuration in force, ready to be asked: the same for all workers.
//
// Immutable. A reload makes the next one beside it and hands it to every worker; an exchange
// keeps the one it began under.

internal import Limits
package import Policy
internal import Record
internal import Synchronization
internal import Wire

/// What all workers share of one configuration.
///
/// A class, so that an exchange keeps it for the price of one count.
package final class Generation: Sendable {
    /// Counts from 1 at the gate's start.
    package let number: UInt64
    package let rulebook: Rulebook
    /// How each listener speaks TLS, by index.
    let listeners: [ListenerMaterial]
    /// The deadlines of each listener, by index.
    let deadlines: [Deadlines]
    /// How each identity server is reached, by index.
    let servers: [ServerMaterial]
    /// What is prepared for each route, by index.
    let routes: [PreparedRoute]
    /// What is prepared for each set of limits, by index.
    let limits: [PreparedLimits]

    init(
        number: UInt64, rulebook: Rulebook, listeners: [ListenerMaterial],
        servers: [ServerMaterial], limits: [PreparedLimits], after former: Generation? = nil
    ) {
        self.number = number
        self.rulebook = rulebook
        let names = former?.configuration.listeners.map(\.name) ?? []
        self.listeners = listeners.enumerated().map { index, material in
            var kept = material
            let name = rulebook.configuration.listeners[index].name
            if let former, let old = names.firstIndex(of: name) {
                kept.connections = former.listeners[old].connections
            }
            return kept
        }
        self.servers = servers
        self.limits = limits
        deadlines = rulebook.configuration.listeners.map(Deadlines.init)
        routes = rulebook.configuration.routes.map(PreparedRoute.init)
    }

    package var configuration: Configuration { rulebook.configuration }

    /// The same under another number: what a rollback puts in force.
    func renumbered(_ number: UInt64) -> Generation {
        Generation(
            number: number, rulebook: rulebook, listeners: listeners, servers: servers,
            limits: limits)
    }
}

/// How long a client may take, in milliseconds, and how many may be there.
struct Deadlines: Sendable {
    let connectionsMax: Int
    let handshake: UInt64
    let head: UInt64
    let body: UInt64
    let idle: UInt64
    let total: UInt64

    init(_ listener: Listener) {
        let timeouts = listener.timeouts
        connectionsMax = listener.connectionsMax
        handshake = milliseconds(timeouts.handshake)
        head = milliseconds(timeouts.head)
        body = milliseconds(timeouts.body)
        idle = milliseconds(timeouts.idle)
        total = milliseconds(timeouts.total)
    }
}

/// Connections open through one listener, over all workers; kept over reloads by the listener's
/// name.
final class OpenConnections: Sendable {
    private let open = Atomic<Int>(0)

    var count: Int { open.load(ordering: .relaxed) }

    /// Counts one more, unless there are `max` already.
    func enter(max: Int) -> Bool {
        if open.wrappingAdd(1, ordering: .relaxed).newValue <= max { return true }
        leave()
        return false
    }

    func leave() { open.wrappingSubtract(1, ordering: .relaxed) }
}

/// A listener's TLS material, and the files' digest by which a reload sees that nothing changed.
struct ListenerMaterial: Sendable {
    let settings: TLSServerSettings
    let digest: UInt64
    var connections = OpenConnections()
}

/// An identity server as it is reached: addresses resolved, TLS material loaded.
struct ServerMaterial: Sendable {
    let definition: IdentityServer
    let endpoints: [Endpoint]
    let digest: UInt64

    struct Endpoint: Sendable {
        let address: SocketAddress
        /// Nil for cleartext.
        let tls: TLSClientSettings?
        let name: String
    }
}

/// What each request of a route needs, made once.
final class PreparedRoute: Sendable {
    let server: Int
    /// Index of its set of limits.
    let limits: Int?
    let bodyMax: UInt64
    let lookups: Route.Lookups
    let forwardsClientCertificate: Bool
    /// `Herse-Route: fhir` and CRLF.
    let field: [UInt8]
    /// `,"route":"fhir"`.
    let record: [UInt8]
    /// `,"rule":"herse.yaml:31"`.
    let rule: [UInt8]
    let asksForIdentityEncoding: Bool

    init(_ route: Route) {
        server = route.identityServer
        limits = route.limits
        bodyMax = UInt64(clamping: route.bodyMax)
        lookups = route.lookups
        forwardsClientCertificate = route.forwardsClientCertificate
        field = Array("Herse-Route: \(route.name)\r\n".utf8)
        record = Array(",\"route\":".utf8) + jsonString(route.name)
        rule = ruleFragment(route.place)
        asksForIdentityEncoding = route.lookups != .none
    }
}

/// A set of limits as the counters take it.
final class PreparedLimits: Sendable {
    let set: Limits.LimitSet
    /// The policy's name in `RateLimit` and in messages, by limit.
    let names: [String]
    /// `,"rule":"herse.yaml:40"`, by limit.
    let rules: [[UInt8]]

    init(_ set: Policy.LimitSet, table: LimitTable) throws(LimitSetError) {
        self.set = try table.prepare(
            name: set.name,
            windows: set.limits.map { limit in
                LimitWindow(
                    count: .requests, limit: UInt32(clamping: limit.limit),
                    spanSeconds: UInt32(clamping: limit.per.components.seconds),
                    enforcement: limit.enforcement == .shadow ? .shadow : .deny)
            })
        names = set.limits.map { "\(set.name)-\($0.count.rawValue)-\($0.per.components.seconds)s" }
        rules = set.limits.map { ruleFragment($0.place) }
    }
}

func ruleFragment(_ place: SourceLocation) -> [UInt8] {
    Array(",\"rule\":".utf8) + jsonString("\(place.file):\(place.line)")
}
