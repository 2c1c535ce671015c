// Sightings.swift: who saw a patient, and whom a professional saw, counted from entries.
//
// A patient was shown when an entry that allows names him. What a limit withheld was shown to
// nobody and is told apart; so is what was shown to a connection that ended before all of it left.

package import RecordReading

/// How often one was shown to another, and what.
package struct Sighting: Sendable {
    /// Milliseconds since 1970, of what was shown, or, where nothing was, of what was withheld.
    package var first = UInt64.max
    package var last: UInt64 = 0
    /// Requests that showed, those among them whose delivery was cut short, and those that would
    /// have shown, had a limit not refused them.
    package var requests = 0
    package var aborted = 0
    package var withheld = 0
    package var fields: Set<String> = []
    package var structures: Set<String> = []
    package var methods: Set<String> = []
    package var routes: Set<String> = []
    /// Of a patient: the best identifier the record names; empty where it holds none.
    package var identifier = ""

    fileprivate mutating func note(_ time: UInt64) {
        first = min(first, time)
        last = max(last, time)
    }

    fileprivate mutating func show(_ entry: borrowing RecordedEntry, _ person: RecordedPerson) {
        if requests == 0 { (first, last) = (.max, 0) }
        note(entry.time)
        requests += 1
        fields.formUnion(person.fields)
        if !entry.structure.isEmpty { structures.insert(entry.structure) }
        if !entry.method.isEmpty { methods.insert(entry.method) }
        if !entry.route.isEmpty { routes.insert(entry.route) }
    }

    fileprivate mutating func withhold(_ entry: borrowing RecordedEntry) {
        if requests == 0 { note(entry.time) }
        withheld += 1
    }
}

/// Who asked: the professional, or what else the record knows where it names none.
package struct RecordedAsker: Hashable, Comparable, Sendable {
    /// `professional`, `account`, `client`, `structure`, `certificate` or `nobody`.
    package let kind: String
    package let name: String

    package init(_ entry: borrowing RecordedEntry) {
        let known = [
            ("professional", entry.professional), ("account", entry.account),
            ("client", entry.client), ("structure", entry.structure),
            ("certificate", entry.certificate),
        ].first { !$0.1.isEmpty }
        (kind, name) = known ?? ("nobody", "")
    }

    package static func < (left: RecordedAsker, right: RecordedAsker) -> Bool {
        (left.kind, left.name) < (right.kind, right.name)
    }

    /// As a subject of the neutralization list, a professional being the plain one.
    package var shown: String {
        kind == "professional" ? name : kind == "nobody" ? "nobody known" : "\(kind):\(name)"
    }
}

/// Who saw one patient.
package struct WhoSaw: Sendable {
    package private(set) var sightings: [RecordedAsker: Sighting] = [:]
    /// What requests showed, as long as it is not known how their delivery ended.
    private var requests: [String: RecordedAsker] = [:]
    private let isPatient: @Sendable (RecordedPerson) -> Bool

    package init(_ patient: PatientNames) { isPatient = patient.matcher }

    /// Takes an entry that names the patient.
    package mutating func take(_ entry: borrowing RecordedEntry) {
        let asker = RecordedAsker(entry)
        if entry.decision == "allow", let person = entry.persons.first(where: isPatient) {
            // A request has one line that names patients, but never count one twice.
            guard entry.request.isEmpty || requests[entry.request] == nil else { return }
            sightings[asker, default: Sighting()].show(entry, person)
            if !entry.request.isEmpty { requests[entry.request] = asker }
            if entry.delivery == "aborted" { take(aborted: entry) }
        } else if entry.withheld.contains(where: isPatient) {
            sightings[asker, default: Sighting()].withhold(entry)
        }
    }

    /// Asks for the ends of deliveries that were cut short, among them those of what was taken.
    package var abortions: RecordQuery? {
        let shown = sightings.filter { $0.value.requests > 0 }
        guard let first = shown.values.map(\.first).min() else { return nil }
        var query = RecordQuery()
        query.delivery = "aborted"
        query.since = first
        if shown.keys.allSatisfy({ $0.kind == "professional" }) {
            query.professionals = shown.keys.map(\.name)
        }
        return query
    }

    /// Takes the end of a delivery that was cut short.
    package mutating func take(aborted entry: borrowing RecordedEntry) {
        guard let asker = requests.removeValue(forKey: entry.request) else { return }
        sightings[asker]?.aborted += 1
    }
}

/// Whom one professional saw.
package struct SeenBy: Sendable {
    package private(set) var sightings: [UInt64: Sighting] = [:]
    /// Answers that were let through though nobody could tell whom they showed, and how many
    /// patients they were counted for.
    package private(set) var unparsed = 0
    package private(set) var assumed = 0
    private var requests: [String: [UInt64]] = [:]

    package init() {}

    /// Takes an entry of the professional's, whatever it says; the oldest comes first.
    package mutating func take(_ entry: borrowing RecordedEntry) {
        if entry.decision == "allow", entry.assumed > 0 {
            unparsed += 1
            assumed += entry.assumed
        } else if entry.decision == "allow", !entry.persons.isEmpty {
            guard entry.request.isEmpty || requests[entry.request] == nil else { return }
            for person in entry.persons {
                sightings[person.key, default: Sighting()].show(entry, person)
                name(person)
            }
            if !entry.request.isEmpty { requests[entry.request] = entry.persons.map(\.key) }
        }
        // Nobody knows whom an answer that was not understood would have shown.
        for person in entry.withheld where entry.assumed == 0 {
            sightings[person.key, default: Sighting()].withhold(entry)
            name(person)
        }
        if entry.delivery == "aborted", let keys = requests.removeValue(forKey: entry.request) {
            for key in keys { sightings[key]?.aborted += 1 }
        }
    }

    private mutating func name(_ person: RecordedPerson) {
        guard let best = person.identifiers.first else { return }
        sightings[person.key]?.identifier = best
    }
}
