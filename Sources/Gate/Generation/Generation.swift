// Generation.swift: one configuration in force, ready to be asked: the same for all workers.
//
// Immutable. A reload makes the next one beside it and hands it to every worker; an exchange
// keeps the one it began under.

internal import Administration
internal import Alerts
internal import Identity
internal import KeyedHash
package import Limits
package import Policy
internal import Record
internal import Revocation
internal import SignedLists
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
    let ways: Ways
    /// Who may approve what another administrator ordered.
    let approvers: [Approver]
    /// Neutralization lists of others.
    let signedLists: [ListSource]
    /// What is prepared for each route, by index.
    let routes: [PreparedRoute]
    /// What is prepared for each set of limits, by index.
    let limits: [PreparedLimits]

    /// Who is told of what.
    let alerts: [SinkSettings]
    /// For whom the record is sealed, and how it is looked after.
    let record: RecordMaterial

    private let key: SipKey

    /// `key` is that of the limits' table, under which patients are counted.
    init(
        number: UInt64, rulebook: Rulebook, _ material: Material, limits: [PreparedLimits],
        ways: Ways, key: SipKey, after former: Generation? = nil
    ) {
        self.number = number
        self.rulebook = rulebook
        let names = former?.configuration.listeners.map(\.name) ?? []
        self.listeners = material.listeners.enumerated().map { index, material in
            var kept = material.knowing(ways.revocation[index])
            let name = rulebook.configuration.listeners[index].name
            if let former, let old = names.firstIndex(of: name) {
                kept.connections = former.listeners[old].connections
            }
            return kept
        }
        servers = material.servers
        approvers = material.approvers
        signedLists = material.signedLists
        alerts = material.alerts
        record = material.record
        self.ways = ways
        self.limits = limits
        self.key = key
        let configuration = rulebook.configuration
        deadlines = configuration.listeners.map(Deadlines.init)
        routes = configuration.routes.enumerated().map { index, route in
            PreparedRoute(route, at: index, configuration, key)
        }
    }

    package var configuration: Configuration { rulebook.configuration }

    /// The same under another number: what a rollback puts in force.
    func renumbered(_ number: UInt64) -> Generation {
        Generation(
            number: number, rulebook: rulebook,
            Material(
                listeners: listeners, servers: servers, approvers: approvers,
                signedLists: signedLists, alerts: alerts, record: record),
            limits: limits,
            ways: ways, key: key)
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

/// A listener's TLS material, and the digest by which a reload sees that nothing changed.
struct ListenerMaterial: Sendable {
    /// What is in force: the files, and what was fetched.
    private(set) var settings: TLSServerSettings
    private(set) var digest: UInt64
    /// As the files say.
    let fileSettings: TLSServerSettings
    private let fileDigest: UInt64
    var connections = OpenConnections()

    init(settings: TLSServerSettings, digest: UInt64) {
        self.settings = settings
        self.digest = digest
        fileSettings = settings
        fileDigest = digest
    }

    /// Whether any of its certificates carries the name of a `Host`, with a port or without.
    func isNamed(_ host: String) -> Bool {
        settings.credentials.contains { $0.chain.first?.names(host) == true }
    }

    /// The same with what is known of revocation from others now.
    func knowing(_ desk: RevocationDesk?) -> ListenerMaterial {
        guard let desk else { return self }
        var known = self
        let lists = desk.lists
        known.settings = TLSServerSettings(
            credentials: fileSettings.credentials, demand: fileSettings.demand,
            anchors: fileSettings.anchors.adding(lists),
            ticketSeconds: fileSettings.ticketSeconds, staple: desk.stapling?.staple)
        var hasher = Hasher()
        hasher.combine(fileDigest)
        for source in desk.sources { hasher.combine(source.list) }
        hasher.combine(ObjectIdentifier(desk))
        known.digest = UInt64(bitPattern: Int64(hasher.finalize()))
        return known
    }
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

/// A set of limits as the counters take it.
final class PreparedLimits: Sendable {
    let set: Limits.LimitSet
    /// The policy's name in `RateLimit` and in messages, by limit.
    let names: [String]
    /// `,"rule":"herse.yaml:40"`, by limit.
    let rules: [[UInt8]]

    /// The rules behind it, to know for whom each holds.
    let limits: Policy.LimitSet
    /// How sure a proof must make that passes a limit which steps up.
    let stepUpLevel: AssuranceLevel

    init(
        _ set: Policy.LimitSet, isEmergency: Bool, table: LimitTable
    ) throws(LimitSetError) {
        limits = set
        stepUpLevel = set.limits.map(\.stepUpLevel).max() ?? .low
        self.set = try table.prepare(
            name: set.name, scope: isEmergency ? set.name : "",
            windows: set.limits.map { LimitWindow($0) })
        names = set.limits.map { limit in
            let each = limit.each == .structure ? "-structure" : ""
            return "\(set.name)-\(limit.count.rawValue)-\(limit.per.components.seconds)s\(each)"
        }
        rules = set.limits.map { ruleFragment($0.place) }
    }
}

func ruleFragment(_ place: SourceLocation) -> [UInt8] {
    Array(",\"rule\":".utf8) + jsonString("\(place.file):\(place.line)")
}

extension LimitWindow {
    /// A ceiling of the configuration, as the counters take it.
    package init(_ limit: Limit) {
        self.init(
            count: CountKind(limit.count), limit: UInt32(clamping: limit.limit),
            spanSeconds: UInt32(clamping: limit.per.components.seconds),
            enforcement: LimitEnforcement(limit),
            each: limit.each == .structure ? .structure : .professional)
    }
}

extension CountKind {
    init(_ count: Limit.Count) {
        switch count {
        case .requests: self = .requests
        case .lookups: self = .lookups
        case .patients: self = .patients
        case .disclosures: self = .disclosures
        case .misses: self = .misses
        }
    }

    /// Its word in the configuration and in reports.
    var word: String {
        switch self {
        case .requests: "requests"
        case .lookups: "lookups"
        case .patients: "patients"
        case .disclosures: "disclosures"
        case .misses: "misses"
        }
    }
}

extension LimitEnforcement {
    fileprivate init(_ limit: Limit) {
        switch limit.enforcement {
        case .deny: self = .deny
        case .shadow: self = .shadow
        case .stepUp:
            let seconds = limit.cardAgeMax?.components.seconds ?? 0
            self = .stepUp(maxAgeSeconds: UInt32(clamping: seconds))
        }
    }
}
