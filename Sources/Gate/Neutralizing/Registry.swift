// Registry.swift: the live objects of one worker, by everything that can be neutralized.
//
// The one index that neutralization walks: whatever carries bytes to somebody stands in it from
// the moment it is known who that is until it is closed.

internal import Neutralization
internal import Wire

/// Live connections of a worker, by identity and account.
struct Registry {
    private var identities: [Fingerprint: ProvenIdentity] = [:]
    private var accounts: [SubjectKey: [ProvenIdentity]] = [:]
    private(set) var connectionCount = 0

    /// Identities kept although nobody shows them now, so that the next connection is cheap.
    private static let identitiesMax = 65_536

    mutating func add(_ connection: ClientConnection) { connectionCount += 1 }

    mutating func remove(_ connection: ClientConnection) {
        connectionCount -= 1
        guard let identity = connection.identity else { return }
        let last = identity.connections.count - 1
        let place = connection.placeInIdentity
        guard place <= last else { return }
        let moved = identity.connections[last]
        identity.connections[place] = moved
        moved.placeInIdentity = place
        identity.connections.removeLast()
    }

    /// The identity of a certificate, made when it is not known yet.
    mutating func identity(
        _ fingerprint: Fingerprint, make: () -> ProvenIdentity
    ) -> ProvenIdentity {
        if let known = identities[fingerprint] { return known }
        if identities.count >= Self.identitiesMax { forgetUnshown() }
        let identity = make()
        identities[fingerprint] = identity
        if let account = identity.account { accounts[account, default: []].append(identity) }
        return identity
    }

    /// Notes that `connection` shows `identity`.
    func show(_ identity: ProvenIdentity, on connection: ClientConnection) {
        connection.identity = identity
        connection.placeInIdentity = identity.connections.count
        identity.connections.append(connection)
    }

    private mutating func forgetUnshown() {
        identities = identities.filter { !$0.value.connections.isEmpty }
        accounts = accounts.compactMapValues { known in
            let shown = known.filter { !$0.connections.isEmpty }
            return shown.isEmpty ? nil : shown
        }
    }

    /// Forgets every identity, so that each is made anew under another rule; connections keep
    /// theirs until they are shown one again.
    mutating func forgetIdentities() {
        identities.removeAll()
        accounts.removeAll()
    }

    /// What is known of an account's holder, by one of their certificates.
    func identity(account: SubjectKey) -> ProvenIdentity? { accounts[account]?.first }

    /// The live connections of an account.
    func connections(account: SubjectKey) -> [ClientConnection] {
        (accounts[account] ?? []).flatMap(\.connections)
    }

    /// The live connections of every identity that `isMeant`.
    func connections(where isMeant: (ProvenIdentity) -> Bool) -> [ClientConnection] {
        identities.values.filter(isMeant).flatMap(\.connections)
    }

    /// The live connections that show a certificate.
    func connections(certificate: Fingerprint) -> [ClientConnection] {
        connections { $0.fingerprint == certificate || $0.leaf.twin == certificate }
    }
}
