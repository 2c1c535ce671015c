// Registry.swift: the live objects of one worker, by everything that can be neutralized.
//
// The one index that neutralization walks: whatever carries bytes to somebody stands in it from
// the moment it is known who that is until it is closed.

internal import Neutralization
internal import Wire

/// Live connections and exchanges of a worker, by who has proven to ask.
struct Registry {
    /// What an identity was proven by.
    enum Name: Hashable {
        case certificate(Fingerprint)
        /// SHA-256 of a token.
        case credential(Fingerprint)
        /// A local account by its name, and which of its sign-ins.
        case account(String, String)
        /// A session of the gate's own, by the identifier operators see.
        case session(String)
    }

    private var identities: [Name: ProvenIdentity] = [:]
    private var accounts: [SubjectKey: [ProvenIdentity]] = [:]
    private(set) var connectionCount = 0

    /// Identities kept although nothing is under way for them now, so that the next request is
    /// cheap.
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

    /// What is known of whoever this name stands for.
    func identity(_ name: Name) -> ProvenIdentity? { identities[name] }

    /// The identity of a name, made when it is not known yet.
    mutating func identity(_ name: Name, make: () -> ProvenIdentity) -> ProvenIdentity {
        if let known = identities[name] { return known }
        return put(make(), as: name)
    }

    /// Knows an identity by this name from now on.
    @discardableResult
    mutating func put(_ identity: ProvenIdentity, as name: Name) -> ProvenIdentity {
        if identities.count >= Self.identitiesMax { forgetUnused() }
        if let former = identities.updateValue(identity, forKey: name) {
            forgetAccounts(of: former)
        }
        for account in identity.accounts { accounts[account, default: []].append(identity) }
        return identity
    }

    /// Knows a name no longer: its proof is over.
    mutating func forget(_ name: Name) {
        guard let identity = identities[name], identity.exchanges.isEmpty else { return }
        identities[name] = nil
        forgetAccounts(of: identity)
    }

    /// Whatever is under way for it stays to be found.
    private mutating func forgetAccounts(of identity: ProvenIdentity) {
        guard !identity.isInUse else { return }
        for account in identity.accounts {
            accounts[account]?.removeAll { $0 === identity }
            if accounts[account]?.isEmpty == true { accounts[account] = nil }
        }
    }

    /// Notes that `connection` shows `identity`.
    func show(_ identity: ProvenIdentity, on connection: ClientConnection) {
        connection.identity = identity
        connection.placeInIdentity = identity.connections.count
        identity.connections.append(connection)
    }

    /// Notes that `exchange` is under way in the name of `identity`.
    func begin(_ exchange: Exchange, for identity: ProvenIdentity) {
        exchange.placeInIdentity = identity.exchanges.count
        identity.exchanges.append(exchange)
    }

    /// Notes that it is over.
    func end(_ exchange: Exchange, for identity: ProvenIdentity) {
        let last = identity.exchanges.count - 1
        let place = exchange.placeInIdentity
        guard place <= last else { return }
        let moved = identity.exchanges[last]
        identity.exchanges[place] = moved
        moved.placeInIdentity = place
        identity.exchanges.removeLast()
    }

    private mutating func forgetUnused() {
        identities = identities.filter { $0.value.isInUse }
        accounts = accounts.compactMapValues { known in
            let used = known.filter(\.isInUse)
            return used.isEmpty ? nil : used
        }
    }

    /// Forgets every identity, so that each is made anew under another rule; connections and
    /// exchanges keep theirs until they are shown one again.
    mutating func forgetIdentities() {
        identities = [:]
        accounts = accounts.compactMapValues { known in
            let used = known.filter { !$0.exchanges.isEmpty }
            return used.isEmpty ? nil : used
        }
    }

    /// What is known of an account's holder, by one of their proofs.
    func identity(account: SubjectKey) -> ProvenIdentity? { accounts[account]?.first }

    /// Everybody who has proven who they are, as far as they are remembered.
    var known: Dictionary<Name, ProvenIdentity>.Values { identities.values }

    /// What carries bytes to an account.
    func connections(account: SubjectKey) -> [ClientConnection] {
        (accounts[account] ?? []).flatMap(\.liveConnections)
    }
}

extension ProvenIdentity {
    var isInUse: Bool { !connections.isEmpty || !exchanges.isEmpty }

    /// The connections that show it, and those that carry an exchange in its name.
    var liveConnections: [ClientConnection] { connections + exchanges.compactMap(\.client) }
}
