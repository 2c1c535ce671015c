// RecordQuery.swift: which entries are asked for.

internal import KeyedHash
internal import Lookup
package import RecordReading

/// What a patient is known by, any of it.
package struct PatientNames: Hashable, Sendable {
    /// The gate's own keyed hashes.
    package var keys: Set<UInt64>
    /// `system|value` each; a matricule INS may have its two key digits or not.
    package var identifiers: [String]

    package init(keys: Set<UInt64> = [], identifiers: [String] = []) {
        self.keys = keys
        self.identifiers = identifiers
    }

    /// Compares identifiers, in whatever way they are written.
    private static let comparing = TermHasher(indexKey: [UInt8](repeating: 0, count: 16))

    /// The identifiers as they compare.
    var compared: Set<UInt64> {
        Set(identifiers.compactMap { Self.comparing.hash(identifier: $0) })
    }

    /// Whether `person` is this patient.
    package func names(_ person: RecordedPerson) -> Bool { matcher(person) }

    /// Whether someone is this patient, for many someones.
    var matcher: @Sendable (RecordedPerson) -> Bool {
        let (keys, compared) = (keys, compared)
        return { person in
            keys.contains(person.key)
                || !compared.isEmpty
                    && person.identifiers.contains {
                        Self.comparing.hash(identifier: $0).map(compared.contains) ?? false
                    }
        }
    }
}

/// Entries that are asked for: all that is set must hold.
///
/// A value that is empty is not set.
package struct RecordQuery: Sendable {
    /// Any of them.
    package var professionals: [String] = []
    /// Shown, or withheld.
    package var patient: PatientNames?
    package var structures: [String] = []
    package var session = ""
    package var certificate = ""
    package var client = ""
    package var token = ""
    package var request = ""
    /// `allow`, `deny` or `reject`.
    package var decision = ""
    package var event = ""
    package var route = ""
    /// `begun`, `whole` or `aborted`.
    package var delivery = ""
    /// From then on and before: milliseconds since 1970.
    package var since: UInt64 = 0
    package var until: UInt64 = .max

    package init() {}

    /// Whether it asks for everything there is, times aside.
    package var asksForAll: Bool {
        professionals.isEmpty && patient == nil && structures.isEmpty
            && [session, certificate, client, token, request, decision, event, route, delivery]
                .allSatisfy(\.isEmpty)
    }

    /// Tells for one entry after another whether it is asked for.
    func matcher() -> (borrowing RecordedEntry) -> Bool {
        let isPatient = patient?.matcher
        let query = self
        return { entry in
            func holds(_ wanted: String, _ value: String) -> Bool {
                wanted.isEmpty || wanted == value
            }
            func holds(_ wanted: [String], _ value: String) -> Bool {
                wanted.isEmpty || wanted.contains(value)
            }
            guard entry.time >= query.since, entry.time < query.until,
                holds(query.professionals, entry.professional),
                holds(query.structures, entry.structure), holds(query.session, entry.session),
                holds(query.certificate, entry.certificate), holds(query.client, entry.client),
                holds(query.token, entry.token), holds(query.request, entry.request),
                holds(query.decision, entry.decision), holds(query.event, entry.event),
                holds(query.route, entry.route), holds(query.delivery, entry.delivery)
            else { return false }
            guard let isPatient else { return true }
            return entry.persons.contains(where: isPatient)
                || entry.withheld.contains(where: isPatient)
        }
    }

    /// What an entry must be found by: at least one of each list.
    ///
    /// Empty when an index is no help.
    func terms(_ hasher: TermHasher) -> [[TermHash]] {
        var all: [[TermHash]] = []
        func add(_ kind: TermKind, _ values: [String]) {
            let values = values.filter { !$0.isEmpty }
            if !values.isEmpty { all.append(values.map { hasher.hash(kind, $0) }) }
        }
        if let patient {
            all.append(
                patient.keys.map(hasher.hash(person:))
                    + patient.identifiers.compactMap(hasher.hash(identifier:)))
        }
        add(.session, [session])
        add(.token, [token])
        add(.certificate, [certificate])
        add(.professional, professionals)
        add(.client, [client])
        add(.structure, structures)
        add(.event, [event])
        if decision != "allow" { add(.decision, [decision]) }
        if delivery == "aborted" { add(.delivery, [delivery]) }
        return all
    }
}
