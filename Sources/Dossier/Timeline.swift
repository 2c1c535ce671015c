// Timeline.swift: what happened besides requests: sign-ins, orders of administrators.

internal import RecordReading

/// Events that may belong to a dossier; which do is known at the end.
struct Timeline {
    /// Orders about subjects, and reloads.
    private(set) var orders: [RecordedEntry] = []
    /// Sign-ins and what else happened at the gate's own pages.
    private(set) var signIns: [RecordedEntry] = []
    private(set) var signInKinds = Ledger()
    private(set) var dropped = 0

    static let eventsMax = 20_000

    private static let acts: Set<String> = ["neutralize", "reinstate", "grant"]

    mutating func note(_ entry: borrowing RecordedEntry, _ scope: DossierScope) {
        if entry.event == "administration" {
            guard Self.acts.contains(entry.act) || entry.act.hasPrefix("grant") else { return }
            guard orders.count < Self.eventsMax else {
                dropped += 1
                return
            }
            orders.append(copy entry)
            return
        }
        guard !entry.professional.isEmpty || !entry.account.isEmpty || !entry.session.isEmpty,
            entry.time >= scope.from, scope.covers(entry)
        else { return }
        signInKinds.note(entry.event, entry.time)
        guard signIns.count < Self.eventsMax else {
            dropped += 1
            return
        }
        signIns.append(copy entry)
    }
}

extension Reckoning {
    /// Orders about whoever this dossier is about, in their order.
    var orders: [RecordedEntry] {
        timeline.orders.filter { order in
            scope.isEverybody || order.subjects.contains { concerns($0) }
        }
    }

    /// The orders that cut somebody off.
    var neutralizations: [RecordedEntry] {
        orders.filter { $0.act == "neutralize" && $0.outcome != "refused" }
    }

    /// Whether an order's subject is somebody or something seen here.
    private func concerns(_ subject: String) -> Bool {
        guard let colon = subject.firstIndex(of: ":") else { return isAccount(subject) }
        let value = String(subject[subject.index(after: colon)...])
        switch subject[..<colon] {
        case "account": return isAccount(value)
        case "certificate":
            return scope.certificates.contains(value)
                || credentials[.certificate]?.entries[value] != nil
        case "structure":
            return scope.structures.contains(value) || structures.names.contains(value)
        case "session":
            return scope.sessions.contains(value) || credentials[.session]?.entries[value] != nil
                || credentials[.providerSession]?.entries[value] != nil
        case "token":
            return scope.sessions.contains(value) || credentials[.token]?.entries[value] != nil
        case "client": return credentials[.client]?.entries[value] != nil
        case "network":
            let bare = value.split(separator: "/").first.map(String.init) ?? value
            return scope.networks.contains(value) || origins.entries[bare] != nil
        // By serial number, or all that was proven before a moment: said, and left to the reader.
        default: return true
        }
    }

    private func isAccount(_ value: String) -> Bool {
        scope.professionals.contains(value) || scope.professionals.contains(value.uppercased())
            || accounts.names.contains(value)
    }
}
