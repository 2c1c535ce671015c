// AuditMessages.swift: an entry as audit messages of DICOM PS3.15 A.5, which IHE ATNA takes.

package import RecordReading

/// How codes are spelled: DICOM and RFC 3881 differ, and repositories know one or the other.
package enum AuditSpelling: Sendable {
    /// `csd-code` and `originalText`.
    case dicom
    /// `code` and `displayName`, and no description of the outcome.
    case rfc3881
}

/// Makes audit messages of entries.
package struct AuditMessages: Sendable {
    private let source: AuditSource
    private let origin: String
    private let spelling: AuditSpelling

    /// Patients of one message: 32 KiB is what every receiver takes (ITI TF-2 §3.20.4.1.2).
    package static let patientsMax = 50

    /// - Parameters:
    ///   - source: Who is said to have seen it.
    ///   - origin: The record's name, which makes ids unique.
    ///   - spelling: How codes are spelled.
    package init(source: AuditSource, origin: String, spelling: AuditSpelling = .dicom) {
        self.source = source
        self.origin = origin
        self.spelling = spelling
    }

    /// The messages of an entry, each a document on one line, without a declaration.
    ///
    /// There is one, more where many patients were shown, none for the line that only ends a
    /// delivery.
    package func messages(of entry: borrowing RecordedEntry) -> [String] {
        guard let description = AuditDescription(entry) else { return [] }
        var messages: [String] = []
        var first = 0
        repeat {
            let end = min(entry.persons.count, first + Self.patientsMax)
            messages.append(
                message(entry, description, entry.persons[first..<end], messages.count))
            first = end
        } while first < entry.persons.count
        return messages
    }

    private func message(
        _ entry: borrowing RecordedEntry, _ description: AuditDescription,
        _ patients: ArraySlice<RecordedPerson>, _ index: Int
    ) -> String {
        var message = XMLElement("AuditMessage")
        message.children.append(eventIdentification(entry, description))
        message.children += participants(entry, description)
        message.children.append(auditSource)
        message.children += patients.map(patientObject)
        message.children += objects(entry, description, index)
        return message.spelled
    }

    private func eventIdentification(
        _ entry: borrowing RecordedEntry, _ description: AuditDescription
    ) -> XMLElement {
        var event = XMLElement(
            "EventIdentification",
            [
                ("EventActionCode", description.action),
                ("EventDateTime", Moment(milliseconds: entry.time).stamp),
                ("EventOutcomeIndicator", String(description.outcome.rawValue)),
            ])
        event.children.append(coded("EventID", description.eventID))
        // With a transaction of IHE nothing else is wanted.
        let transactions = description.subtypes.filter { $0.systemName == "IHE Transactions" }
        let emergencies = description.subtypes.filter { $0 == .emergency }
        let types = transactions.isEmpty ? description.subtypes : transactions + emergencies
        event.children += types.map { coded("EventTypeCode", $0) }
        if spelling == .dicom, !description.outcomeText.isEmpty {
            event.children.append(
                XMLElement("EventOutcomeDescription", text: description.outcomeText))
        }
        return event
    }

    private func participants(
        _ entry: borrowing RecordedEntry, _ description: AuditDescription
    ) -> [XMLElement] {
        let sourceRole = AuditCode.dicom(110153, "Source Role ID")
        let destinationRole = AuditCode.dicom(110152, "Destination Role ID")
        let isRead = description.pattern == .read
        let address = address(ofPeer: entry.peer)
        let user = [entry.professional, entry.account, entry.by].first { !$0.isEmpty }
        var participants: [XMLElement] = []
        if !address.isEmpty || !entry.client.isEmpty {
            var client = participant(
                entry.client.isEmpty ? address : entry.client, isRequestor: user == nil,
                role: isRead ? destinationRole : sourceRole)
            if !address.isEmpty {
                client.attributes += [
                    ("NetworkAccessPointID", address), ("NetworkAccessPointTypeCode", "2"),
                ]
            }
            participants.append(client)
        }
        if let user {
            let alternative = entry.account.isEmpty || entry.account == user ? "" : entry.account
            participants.append(participant(user, alternative, isRequestor: true))
        }
        if !entry.structure.isEmpty {
            participants.append(participant(entry.structure, isRequestor: false))
        }
        var gate = participant(
            source.site, isRequestor: false, role: isRead ? sourceRole : destinationRole)
        gate.attributes += [
            ("NetworkAccessPointID", source.host), ("NetworkAccessPointTypeCode", "1"),
        ]
        return participants + [gate]
    }

    private func participant(
        _ user: String, _ alternative: String = "", isRequestor: Bool, role: AuditCode? = nil
    ) -> XMLElement {
        var participant = XMLElement("ActiveParticipant", [("UserID", user)])
        if !alternative.isEmpty {
            participant.attributes.append(("AlternativeUserID", alternative))
        }
        participant.attributes.append(("UserIsRequestor", isRequestor ? "true" : "false"))
        if let role { participant.children.append(coded("RoleIDCode", role)) }
        return participant
    }

    private var auditSource: XMLElement {
        var element = XMLElement("AuditSourceIdentification", [("AuditSourceID", source.site)])
        element.children.append(XMLElement("AuditSourceTypeCode", [(codeAttribute, "6")]))
        return element
    }

    private func patientObject(_ person: RecordedPerson) -> XMLElement {
        var details = [("patient-key", spelled(person.key))]
        for other in person.identifiers.dropFirst() {
            details.append(("identifier", AuditName(recorded: other).cx))
        }
        if !person.fields.isEmpty {
            details.append(("fields", person.fields.joined(separator: " ")))
        }
        return object(
            AuditName(person).cx, type: "1", role: "1", code: ("2", "Patient Number"), name: "",
            details)
    }

    private func objects(
        _ entry: borrowing RecordedEntry, _ description: AuditDescription, _ index: Int
    ) -> [XMLElement] {
        var details: [(String, String)] = []
        if !entry.request.isEmpty { details.append(("X-Request-Id", entry.request)) }
        details += [
            ("record", origin), ("entry", String(entry.sequence)),
            ("id", "urn:uuid:" + auditID(origin, entry, index)),
        ].filter { !$0.1.isEmpty }
        if !entry.route.isEmpty { details.append(("route", entry.route)) }
        if !entry.decision.isEmpty { details.append(("decision", entry.decision)) }
        if !entry.why.isEmpty { details.append(("why", entry.why)) }
        if let reason = entry.breakGlass, !reason.isEmpty {
            details.append(("break-glass", reason))
        }
        guard description.pattern == .event else {
            var object = object(
                entry.request.isEmpty ? "entry \(entry.sequence)" : entry.request, type: "2",
                role: "24", code: nil, name: nil, [])
            let kind = description.subtypes.last { $0.systemName == "IHE Transactions" }
            object.children.append(
                coded("ParticipantObjectIDTypeCode", kind ?? description.eventID))
            object.children.append(
                XMLElement("ParticipantObjectQuery", text: base64(queryWords(entry))))
            object.children += details.map(detail)
            return [object]
        }
        let subjects = entry.subjects.map {
            self.object(
                $0, type: "1", role: "11", code: ("11", "User Identifier"), name: $0, [])
        }
        let name = entry.act.isEmpty ? entry.event : entry.act
        return subjects + [
            object(
                "entry \(entry.sequence)", type: "2", role: "13", code: ("12", "URI"), name: name,
                details)
        ]
    }

    private func object(
        _ id: String, type: String, role: String, code: (String, String)?, name: String?,
        _ details: [(String, String)]
    ) -> XMLElement {
        var object = XMLElement(
            "ParticipantObjectIdentification",
            [
                ("ParticipantObjectID", id), ("ParticipantObjectTypeCode", type),
                ("ParticipantObjectTypeCodeRole", role),
            ])
        if let code {
            object.children.append(
                coded("ParticipantObjectIDTypeCode", code.0, "RFC-3881", code.1))
        }
        if let name {
            // DICOM's schema demands one; the record knows no patient's name.
            object.children.append(XMLElement("ParticipantObjectName", text: name))
        }
        object.children += details.map(detail)
        return object
    }

    private func detail(_ detail: (name: String, value: String)) -> XMLElement {
        XMLElement(
            "ParticipantObjectDetail", [("type", detail.name), ("value", base64(detail.value))])
    }

    private var codeAttribute: String { spelling == .dicom ? "csd-code" : "code" }

    private func coded(_ name: String, _ code: AuditCode) -> XMLElement {
        coded(name, code.code, code.systemName, code.display)
    }

    private func coded(
        _ name: String, _ code: String, _ system: String, _ display: String
    ) -> XMLElement {
        XMLElement(
            name,
            [
                (codeAttribute, code), ("codeSystemName", system),
                (spelling == .dicom ? "originalText" : "displayName", display),
            ])
    }
}
