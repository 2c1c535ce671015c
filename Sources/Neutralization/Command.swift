// Command.swift: what an operator ordered about one subject, as the journal keeps it.

/// One order, with who gave it and why; the journal keeps it, the state obeys it.
package struct Command: Equatable, Sendable {
    /// What was ordered.
    package enum Verb: Equatable, Sendable {
        /// Cut off, until a moment or for good.
        case neutralize(until: UnixSeconds?)
        /// Restore. `over` is a digest of the list's lines about the subject at that time (0 for
        /// none): the order holds against those very lines and no others.
        case reinstate(over: UInt64)
        /// Written by the gate: the list's lines about the subject are no longer those that a
        /// reinstatement spoke of, so the list decides alone again.
        case settle
    }

    package let verb: Verb
    package let subject: Subject
    package let at: UnixSeconds
    /// Why, in the operator's words; for operators only, never sent to a client.
    package let reason: String
    package let ticket: String?
    /// Who, as the control socket saw it.
    package let by: String

    package init(
        _ verb: Verb, _ subject: Subject, at: UnixSeconds, reason: String, ticket: String? = nil,
        by: String
    ) {
        self.verb = verb
        self.subject = subject
        self.at = at
        self.reason = reason
        self.ticket = ticket
        self.by = by
    }

    /// Bytes a reason, a ticket or an operator's name may take.
    package static let textMax = 512

    /// Days a neutralization is kept in the journal after its end, so that it can still be seen.
    static let keptDaysAfterEnd: Int64 = 30

    /// Whether the journal can forget this order without changing what is in force.
    func isForgettable(at now: UnixSeconds) -> Bool {
        switch verb {
        case .neutralize(nil): false
        case .neutralize(let until?):
            // A clock that is wrong by days must not lose an order.
            until.value.addingReportingOverflow(Self.keptDaysAfterEnd * 86400).partialValue
                < now.value
        case .reinstate(let over): over == 0
        case .settle: true
        }
    }
}
