// AuditDescription.swift: what an entry is in the words of audit trails, whichever form they have.

internal import RecordReading

/// What happened, and how it ended.
struct AuditDescription: Equatable, Sendable {
    /// Which of IHE's Basic Audit Log Patterns it follows.
    enum Pattern: Sendable {
        /// The client asks, the server answers: the source of the query is the client.
        case query
        /// A resource goes to the client, who is its destination.
        case read
        /// A resource comes from the client.
        case change
        /// Not an exchange.
        case event
    }

    /// DICOM PS3.15 A.5.2: how bad a failure is; FHIR has the same codes.
    enum Outcome: Int, Sendable {
        case success = 0
        /// The client can mend it: not found, not understood, broken off.
        case minor = 4
        /// The gate refused, or the identity server failed.
        case serious = 8
    }

    var pattern: Pattern
    /// `AuditEvent.type`.
    var type: AuditCode
    /// `AuditEvent.subtype`.
    var subtypes: [AuditCode]
    /// C, R, U, D or E.
    var action: String
    var outcome = Outcome.success
    /// Why it did not succeed, in words of the record.
    var outcomeText = ""
    /// `EventID` of DICOM's messages.
    var eventID: AuditCode

    /// Nil for the line that says that a long answer has left: it is no event of its own.
    init?(_ entry: borrowing RecordedEntry) {
        if !entry.event.isEmpty {
            self = AuditDescription(event: entry)
            return
        }
        if entry.delivery == "whole", entry.persons.isEmpty { return nil }
        self = AuditDescription(exchange: entry)
        if entry.breakGlass != nil { subtypes.append(.emergency) }
        judge(entry)
    }

    init(
        _ pattern: Pattern, _ type: AuditCode, _ subtypes: [AuditCode], action: String,
        eventID: AuditCode
    ) {
        self.pattern = pattern
        self.type = type
        self.subtypes = subtypes
        self.action = action
        self.eventID = eventID
    }

    /// Whether a patient was shown.
    var isSuccess: Bool { outcome == .success }

    private mutating func judge(_ entry: borrowing RecordedEntry) {
        switch entry.decision {
        case "allow" where entry.delivery == "aborted":
            outcome = .minor
            outcomeText = "the connection ended before the whole answer had left"
        case "allow" where entry.status >= 400:
            outcome = entry.status >= 500 ? .serious : .minor
            outcomeText = "the identity server answered \(entry.status)"
        case "allow": outcome = .success
        case "reject":
            outcome = .minor
            outcomeText = "no request that could be decided" + because(entry)
        default:
            let isRefusal = [401, 403, 429].contains(entry.status) || entry.status >= 500
            outcome = isRefusal ? .serious : .minor
            outcomeText = "refused by the gate" + because(entry)
        }
    }

    private func because(_ entry: borrowing RecordedEntry) -> String {
        let why = entry.why.isEmpty ? "" : ": " + entry.why
        return why + (entry.status > 0 ? " (\(entry.status))" : "")
    }
}

extension AuditDescription {
    private static let query = AuditCode.dicom(110112, "Query")
    private static let patientRecord = AuditCode.dicom(110110, "Patient Record")

    fileprivate init(exchange entry: borrowing RecordedEntry) {
        let transaction =
            entry.transaction.isEmpty ? [] : [AuditCode.transaction(entry.transaction)]
        func asked(_ word: AuditCode) -> AuditDescription {
            AuditDescription(
                .query, .rest, [word] + transaction, action: "E", eventID: Self.query)
        }
        func read(_ word: String) -> AuditDescription {
            AuditDescription(
                .read, .rest, [.restful(word)] + transaction, action: "R",
                eventID: Self.patientRecord)
        }
        switch entry.interaction {
        case "read", "vread": self = read(entry.interaction)
        case "document": self = read("read")
        case "search", "page", "match", "cross-reference": self = asked(.restful("search"))
        case "search-system", "history-type", "history-system", "batch", "transaction",
            "capabilities":
            self = asked(.restful(entry.interaction))
        case "history": self = asked(.restful("history-instance"))
        case "everything", "everything-type", "export", "graphql", "operation":
            self = asked(.restful("operation"))
        case "feed", "subscription":
            self = AuditDescription(change: entry, transaction)
        case "":
            // Nothing is looked up on this route, or it was refused before anybody knew what it is.
            self = AuditDescription(
                .query, .rest, [.ours("action", entry.action.isEmpty ? "none" : entry.action)],
                action: "E", eventID: .dicom(110100, "Application Activity"))
        default:
            // HL7 v3, INSi and declared extractors: no RESTful API of FHIR.
            let words =
                transaction.isEmpty
                ? [AuditCode.ours("interaction", entry.interaction)]
                : transaction
            self = AuditDescription(
                .query, Self.query, words, action: "E", eventID: Self.query)
        }
    }

    private init(change entry: borrowing RecordedEntry, _ transaction: [AuditCode]) {
        let (word, action) =
            switch entry.action {
            case "PUT": ("update", "U")
            case "PATCH": ("patch", "U")
            case "DELETE": ("delete", "D")
            default: ("create", "C")
            }
        self = AuditDescription(
            .change, .rest, [.restful(word)] + transaction, action: action,
            eventID: Self.patientRecord)
    }

    fileprivate init(event entry: borrowing RecordedEntry) {
        let authentication = AuditCode.dicom(110114, "User Authentication")
        let alert = AuditCode.dicom(110113, "Security Alert")
        let (type, subtype): (AuditCode, AuditCode) =
            switch entry.event {
            case "signed-in", "halfway", "refused", "delayed":
                (authentication, .dicom(110122, "Login"))
            case "signed-out", "provider-logout": (authentication, .dicom(110123, "Logout"))
            case "handshake-refused": (alert, .dicom(110126, "Node Authentication"))
            case "enrolled": (alert, .dicom(110137, "User Security Attributes Changed"))
            case "administration" where changesUsers(entry.act):
                (alert, .dicom(110137, "User Security Attributes Changed"))
            case "administration": (alert, .dicom(110129, "Security Configuration"))
            case "record-read":
                (.dicom(110101, "Audit Log Used"), .ours("event", entry.event))
            default: (.dicom(110100, "Application Activity"), .ours("event", entry.event))
            }
        let isRead = entry.event == "record-read"
        self = AuditDescription(.event, type, [subtype], action: isRead ? "R" : "E", eventID: type)
        switch entry.event {
        case "refused", "handshake-refused": fail(.minor, entry)
        case "delayed": fail(.serious, entry)
        case "administration" where !["", "done"].contains(entry.outcome):
            outcome = .serious
            outcomeText = entry.outcome
        default: break
        }
    }

    private mutating func fail(_ outcome: Outcome, _ entry: borrowing RecordedEntry) {
        self.outcome = outcome
        outcomeText = entry.event + because(entry)
    }
}

/// Whether an administrator's act is about what somebody may do.
private func changesUsers(_ act: String) -> Bool {
    ["neutralize", "reinstate", "account", "end-sessions", "session"].contains { act.hasPrefix($0) }
}
