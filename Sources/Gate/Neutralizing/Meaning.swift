// Meaning.swift: whom a subject stands for among those a worker knows, and what they did lately.

internal import Neutralization
internal import Wire

/// Requests of the last hour, counted in steps of five minutes.
struct HourCount {
    private var periods = InlineArray<12, UInt64>(repeating: 0)
    private var counts = InlineArray<12, UInt32>(repeating: 0)
    private static let step: UInt64 = 300_000

    /// Counts one more; `now` is in milliseconds of a clock that is never set back.
    mutating func add(now: UInt64) {
        let period = now / Self.step + 1
        let place = Int(period % 12)
        if periods[place] != period {
            periods[place] = period
            counts[place] = 0
        }
        counts[place] &+= 1
    }

    func total(now: UInt64) -> UInt64 {
        let period = now / Self.step + 1
        var sum: UInt64 = 0
        for place in 0..<12 where periods[place] > 0 && period - periods[place] < 12 {
            sum += UInt64(counts[place])
        }
        return sum
    }
}

/// What an order would cut of one professional, and what they asked in the last hour.
package struct Concerned: Sendable, Codable, Equatable {
    /// Empty where nobody has proven who they are.
    package var professional: String
    package var structure: String
    package var connections = 0
    package var exchanges = 0
    package var sessions = 0
    package var requestsLastHour: UInt64 = 0

    package init(professional: String, structure: String = "") {
        self.professional = professional
        self.structure = structure
    }

    /// One line for each professional, those with the most requests first.
    static func merged(_ all: [Concerned]) -> [Concerned] {
        var known: [String: Concerned] = [:]
        for one in all {
            var sum = known[one.professional] ?? Concerned(professional: one.professional)
            if sum.structure.isEmpty { sum.structure = one.structure }
            sum.connections += one.connections
            sum.exchanges += one.exchanges
            sum.sessions += one.sessions
            sum.requestsLastHour += one.requestsLastHour
            known[one.professional] = sum
        }
        return known.values.sorted {
            ($1.requestsLastHour, $0.professional) < ($0.requestsLastHour, $1.professional)
        }
    }
}

extension WorkerCore {
    /// Whether an identity is what a subject names; where they connect from and when they proved
    /// themselves is not asked.
    func isMeant(_ subject: Subject) -> (ProvenIdentity) -> Bool {
        switch subject {
        case .account(let account):
            let key = SubjectKey(account: account)
            return { $0.accounts.contains(key) }
        case .hashedAccount:
            // Only lists name people so, and a list is followed by a sweep.
            let now = UnixSeconds(clock.wallSeconds)
            let state = neutralization
            return { state.verdict(hashing: $0.accountIDs, now: now)?.subject == subject }
        case .structure(let structure):
            let key = SubjectKey(structure: structure)
            return { $0.structureKey == key }
        case .serial(let serial):
            let key = SubjectKey(serial: serial)
            return { $0.card?.serial == key }
        case .certificate(let fingerprint):
            let print = Fingerprint(fingerprint.bytes.span)
            return { $0.card?.fingerprint == print || $0.card?.leaf.twin == print }
        case .session(let name):
            let key = SubjectKey(name)
            return { $0.sessionKey == key || $0.providerSessionKey == key }
        case .token(let name):
            let key = SubjectKey(name)
            return { $0.tokenKey == key }
        case .client(let name):
            let key = SubjectKey(name)
            return { $0.clientKey == key }
        case .network, .issuedBefore:
            return { _ in false }
        }
    }

    /// Everybody whom `orders`, a state of nothing but what was ordered, would concern; nobody is
    /// cut.
    ///
    /// One walk over identities and connections, however many subjects there are.
    func concerned(by orders: NeutralizationState) -> [Concerned] {
        var found: [Concerned] = []
        var counted: Set<ObjectIdentifier> = []
        let (now, wall) = (clock.milliseconds, UnixSeconds(clock.wallSeconds))
        func count(_ identity: ProvenIdentity) {
            guard counted.insert(ObjectIdentifier(identity)).inserted else { return }
            var one = Concerned(identity)
            one.requestsLastHour = identity.requests.total(now: now)
            found.append(one)
        }
        for identity in registry.known where verdict(on: identity, in: orders, wall) != nil {
            count(identity)
        }
        for index in 0..<slots.count {
            guard case .client(let connection) = slots.occupant(at: index) else { continue }
            let shown = [connection.exchange?.identity, connection.identity].compactMap(\.self)
            let isConcerned =
                orders.verdict(address: NetworkAddress(connection.peer), now: wall) != nil
                || shown.contains { identity in
                    verdict(on: identity, in: orders, wall) != nil
                        || orders.verdict(
                            provenAt: provenAt(identity, on: connection), now: wall) != nil
                }
            guard isConcerned else { continue }
            var one = shown.first.map { Concerned($0) } ?? Concerned(professional: "")
            one.connections = 1
            one.exchanges = connection.exchange == nil ? 0 : 1
            found.append(one)
            shown.first.map { count($0) }
        }
        return Concerned.merged(found)
    }
}

extension Concerned {
    fileprivate init(_ identity: ProvenIdentity) {
        self.init(
            professional: String(decoding: identity.professional, as: UTF8.self),
            structure: String(decoding: identity.structure, as: UTF8.self))
    }
}
