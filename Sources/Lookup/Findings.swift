// Findings.swift: what an inspector has gathered of one answer so far, whatever its format.

/// Which protocol an answer is inspected by.
package enum Dialect: Sendable {
    case fhir
    case hl7v3
    case insi
}

/// What inspection knows of an answer before its body comes.
package struct AnswerExpectation: Sendable {
    package var dialect: Dialect
    /// HTTP status of the answer.
    package var status: Int
    /// Value of its Content-Type; empty when there is none.
    package var contentType: [UInt8]
    /// What was asked.
    package var interaction: Interaction

    package init(
        dialect: Dialect, status: Int, contentType: [UInt8], interaction: Interaction
    ) {
        self.dialect = dialect
        self.status = status
        self.contentType = contentType
        self.interaction = interaction
    }
}

/// Gathered while an answer streams by; every inspector fills one of these.
package struct Findings: Sendable {
    /// Persons met so far; merged when the answer is whole.
    package var persons = Persons()
    /// Page links and query ids that the answer gives, as keyed hashes; bound to who gets them.
    package var pages: [UInt64] = []
    /// Whether the answer is of a kind that answers this protocol's lookups.
    package var isExpected = false
    /// Whether it says by itself that nobody was found, or that it refuses.
    package var saysNobody = false

    /// Page links kept of one answer.
    package static let pagesMax = 1000

    package init() {}

    package mutating func removeAll() {
        persons.removeAll()
        pages.removeAll(keepingCapacity: true)
        isExpected = false
        saysNobody = false
    }
}
