// AuditEvents.swift: an entry as FHIR R4 AuditEvents, by IHE's Basic Audit Log Patterns (BALP 1.1).

internal import JSON
package import RecordReading

/// Makes AuditEvents of entries.
package struct AuditEvents: Sendable {
    private let source: AuditSource
    private let origin: String

    /// - Parameters:
    ///   - source: Who is said to have seen it.
    ///   - origin: The record's name, which makes ids unique.
    package init(source: AuditSource, origin: String) {
        self.source = source
        self.origin = origin
    }

    /// Gives the events of an entry to `take`, one at a time: one for each patient it showed, as
    /// BALP demands of PatientQuery, or one without; none for the line that only ends a delivery.
    package func each<Failure>(
        of entry: borrowing RecordedEntry, _ take: (AuditEvent) throws(Failure) -> Void
    ) throws(Failure) {
        guard let description = AuditDescription(entry) else { return }
        guard !entry.persons.isEmpty else { return try take(event(entry, description, nil, 0)) }
        for (index, person) in entry.persons.enumerated() {
            try take(event(entry, description, person, index))
        }
    }

    /// All events of an entry.
    package func events(of entry: borrowing RecordedEntry) -> [AuditEvent] {
        var events: [AuditEvent] = []
        each(of: entry) { events.append($0) }
        return events
    }

    private func event(
        _ entry: borrowing RecordedEntry, _ description: AuditDescription,
        _ person: RecordedPerson?, _ index: Int
    ) -> AuditEvent {
        let id = auditID(origin, entry, index)
        var event: JSONObject = [
            "resourceType": .string("AuditEvent"), "id": .string(id),
        ]
        let profiles = balpProfiles(entry, description, hasPatient: person != nil)
        if !profiles.isEmpty {
            event["meta"] = .object(["profile": .array(profiles.map { .string($0) })])
        }
        event["type"] = description.type.json
        event["subtype"] = .array(description.subtypes.map(\.json))
        event["action"] = .string(description.action)
        event["recorded"] = .string(Moment(milliseconds: entry.time).stamp)
        event["outcome"] = .string(String(description.outcome.rawValue))
        if !description.outcomeText.isEmpty {
            event["outcomeDesc"] = .string(description.outcomeText)
        }
        event["agent"] = .array(AuditAgents(entry, description, source).all)
        event["source"] = .object([
            "site": .string(source.site), "observer": source.who,
            "type": .array([
                AuditCode.terminology("security-source-type", "6", "Security Server").json
            ]),
        ])
        event["entity"] = .array(
            auditEntities(entry, description, person, id: id, origin: origin))
        return AuditEvent(id: id, number: entry.sequence, bytes: JSONValue.object(event).encoded)
    }
}

/// One AuditEvent as it leaves.
package struct AuditEvent: Equatable, Sendable {
    /// The same whenever it is made anew.
    package let id: String
    /// The entry it is of.
    package let number: UInt64
    /// JSON on one line.
    package let bytes: [UInt8]
}

/// The profiles that an event keeps to; those of IHE are for what succeeded.
private func balpProfiles(
    _ entry: borrowing RecordedEntry, _ description: AuditDescription, hasPatient: Bool
) -> [String] {
    guard description.isSuccess, description.type == .rest, !entry.interaction.isEmpty else {
        return []
    }
    let ihe = "https://profiles.ihe.net/ITI"
    let balp = ihe + "/BALP/StructureDefinition/IHE.BasicAudit."
    let patient = hasPatient ? "Patient" : ""
    var profiles: [String] = []
    switch description.pattern {
    case .query: profiles.append(balp + patient + "Query")
    case .read: profiles.append(balp + patient + "Read")
    case .change, .event: return []
    }
    if !entry.token.isEmpty, !entry.professional.isEmpty {
        profiles.append(balp + "OAUTHaccessTokenUse.Minimal")
    }
    guard description.pattern == .query else { return profiles }
    switch entry.transaction {
    case "ITI-78":
        profiles.append(ihe + "/PDQm/StructureDefinition/IHE.PDQm.Query.Audit.Supplier")
    case "ITI-119":
        profiles.append(ihe + "/PDQm/StructureDefinition/IHE.PDQm.Match.Audit.Supplier")
    case "ITI-83" where hasPatient:
        profiles.append(ihe + "/PIXm/StructureDefinition/IHE.PIXm.Query.Audit.Manager")
    default: break
    }
    return profiles
}
