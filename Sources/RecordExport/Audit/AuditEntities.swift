// AuditEntities.swift: what an event is about: the patient, the query, the request, the entry.

internal import JSON
internal import RecordReading

private let person = AuditCode.terminology("audit-entity-type", "1", "Person")
private let systemObject = AuditCode.terminology("audit-entity-type", "2", "System Object")
private let other = AuditCode.terminology("audit-entity-type", "4", "Other")
private let requestID = AuditCode(
    system: "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType",
    code: "XrequestId", display: "X-Request-Id")

private func role(_ code: String, _ display: String) -> JSONValue {
    AuditCode.terminology("object-role", code, display).json
}

/// The entities of one event; `patient` is the one it is about.
func auditEntities(
    _ entry: borrowing RecordedEntry, _ description: AuditDescription, _ patient: RecordedPerson?,
    id: String, origin: String
) -> [JSONValue] {
    var entities: [JSONValue] = []
    if let patient { entities.append(patientEntity(patient)) }
    switch description.pattern {
    case .query:
        entities.append(
            .object([
                "type": systemObject.json, "role": role("24", "Query"),
                "query": .string(base64(queryWords(entry))),
            ]))
    case .read, .change:
        let what: JSONObject = ["display": .string("\(entry.interaction) on route \(entry.route)")]
        entities.append(
            .object([
                "what": .object(what), "type": systemObject.json,
                "role": role("4", "Domain Resource"),
            ]))
    case .event:
        for subject in entry.subjects { entities.append(subjectEntity(subject)) }
    }
    if !entry.request.isEmpty {
        entities.append(
            .object([
                "what": who(AuditName(system: "", value: entry.request)), "type": requestID.json,
            ]))
    }
    entities.append(entryEntity(entry, id: id, origin: origin))
    return entities
}

private func patientEntity(_ patient: RecordedPerson) -> JSONValue {
    var entity: JSONObject = [
        "what": .object([
            "type": .string("Patient"), "identifier": .object(identifier(AuditName(patient))),
        ]),
        "type": person.json, "role": role("1", "Patient"),
    ]
    var details = [("patient-key", spelled(patient.key))]
    for other in patient.identifiers.dropFirst() { details.append(("identifier", other)) }
    if !patient.fields.isEmpty { details.append(("fields", patient.fields.joined(separator: " "))) }
    entity["detail"] = detailValues(details)
    return .object(entity)
}

/// Somebody whom an administrator's act is about.
private func subjectEntity(_ subject: String) -> JSONValue {
    let isProfessional = subject.utf8.allSatisfy { (0x30...0x39).contains($0) }
    let name = AuditName(
        system: isProfessional ? AuditName.professionals : "", value: subject)
    return .object([
        "what": who(name), "type": person.json, "role": role("11", "Security User Entity"),
    ])
}

/// The entry itself, by which its proof is asked for, and what it says that has no other place.
private func entryEntity(
    _ entry: borrowing RecordedEntry, id: String, origin: String
) -> JSONValue {
    var details: [(String, String)] = []
    func add(_ name: String, _ value: String) {
        if !value.isEmpty { details.append((name, value)) }
    }
    add("entry", String(entry.sequence))
    add("clock", entry.clock)
    add("event", entry.event)
    add("act", entry.act)
    add("ticket", entry.ticket)
    add("what", entry.what)
    add("request-in", entry.requestIn)
    add("peer", entry.peer)
    add("forwarded", entry.forwarded)
    add("tls", entry.tls)
    add("cipher", entry.cipher)
    add("method", entry.method)
    add("level", entry.level)
    add("certificate", entry.certificate)
    add("session", entry.session)
    add("route", entry.route)
    add("decision", entry.decision)
    add("why", entry.why)
    add("rule", entry.rule)
    add("list", entry.list)
    add("status", entry.status > 0 ? String(entry.status) : "")
    add("delivery", entry.delivery)
    add("bytes", entry.bytes.map { String($0) } ?? "")
    add("finding", entry.finding)
    add("vague", entry.vague)
    add("assumed", entry.assumed > 0 ? String(entry.assumed) : "")
    // Whom it would have shown is told to nobody: only how many.
    add("withheld", entry.withheld.isEmpty ? "" : String(entry.withheld.count))
    add("page", entry.page.map { String($0) } ?? "")
    add("break-glass", entry.breakGlass ?? "")
    return .object([
        "what": .object([
            "identifier": .object([
                "system": .string("urn:ietf:rfc:3986"), "value": .string("urn:uuid:" + id),
            ]),
            "display": .string(
                "entry \(entry.sequence) of \(origin.isEmpty ? "the record" : origin)"),
        ]),
        "type": other.json, "role": role("13", "Security Resource"), "name": .string(id),
        "detail": detailValues(details),
    ])
}

private func detailValues(_ details: [(String, String)]) -> JSONValue {
    .array(
        details.map { .object(["type": .string($0.0), "valueString": .string($0.1)]) })
}
