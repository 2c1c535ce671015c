// ControlMessages.swift: what the command line and the running gate say to each other.
//
// One line of JSON each way over the admin socket, then the connection ends. The command line
// prints answers; it decides nothing.

package import Foundation

/// What an administrator asks of the running gate.
package enum ControlRequest: Codable, Sendable {
    case status
    /// Loads the configuration, lists and certificates again. With `confirmWithinSeconds` the
    /// former generation comes back by itself unless `confirm` is said in time.
    case reload(confirmWithinSeconds: Int?)
    case confirm
    case rollback
    case neutralize(NeutralizeOrder)
    case reinstate(subjects: [String], reason: String, ticket: String?)
    /// All entries in force, or those that concern one subject.
    case neutralized(subject: String?)
    case sessions(professional: String?)
    case limits(professional: String)
    /// A bounded exception to a professional's limits.
    case grant(GrantOrder)
    /// Signed lists of others, as they are.
    case lists
    /// Fetches one of them, or all, now.
    case fetchLists(name: String?)
    case addList(ListDelivery)
    case trustKey(TrustOrder)
    /// Orders that wait for a second administrator.
    case orders
    case approve(Approval)
    /// Forgets an order that waits.
    case decline(String)
    /// Where alerts go, and how that fares.
    case alerts
    /// Sends a test to every destination of alerts, or to one.
    case testAlerts(name: String?)
    /// Tells what a drill on this host found.
    case drilled(DrillReport)
    /// Purges the oldest segments of the record.
    case purge(PurgeRequest)
    /// Tells that the record is read; answered once that is in the record.
    case recordRead(RecordReadNotice)
}

/// A second administrator's consent to an order that waits.
package struct Approval: Codable, Sendable {
    /// The order, as `herse orders` names it.
    package var order: String
    /// The approver, as the configuration names them.
    package var approver: String
    /// Ed25519, over the order's text.
    package var signature: Data

    package init(order: String, approver: String, signature: Data) {
        self.order = order
        self.approver = approver
        self.signature = signature
    }
}

/// An order that waits for a second administrator.
package struct WaitingOrder: Codable, Sendable {
    package var id: String
    /// What is ordered, line by line.
    package var lines: [String]
    package var by: String
    /// RFC 3339, both; at `until` it lapses.
    package var at: String
    package var until: String
    /// Who approved it so far, and how many more it needs.
    package var approvals: [String]
    package var missing: Int
    /// What an approval signs.
    package var text: Data
}

/// So many more, for so long, and why.
package struct GrantOrder: Codable, Sendable {
    /// The professional, as typed.
    package var professional: String
    /// What is counted: `requests`, `lookups`, `patients`, `disclosures` or `misses`.
    package var count: String
    /// Added to every ceiling of that count, 1 to 1,000,000.
    package var extra: Int
    /// 1 second to 30 days.
    package var seconds: Int
    package var reason: String

    package init(
        professional: String, count: String, extra: Int, seconds: Int, reason: String
    ) {
        self.professional = professional
        self.count = count
        self.extra = extra
        self.seconds = seconds
        self.reason = reason
    }
}

/// A grant in force, as `herse limits grant` and `limits show` print it.
package struct GrantReport: Codable, Sendable {
    package var professional: String
    package var count: String
    package var extra: Int
    /// RFC 3339.
    package var until: String
    package var reason: String
    /// `uid:N`, who asked.
    package var by: String

    package init(
        professional: String, count: String, extra: Int, until: String, reason: String, by: String
    ) {
        self.professional = professional
        self.count = count
        self.extra = extra
        self.until = until
        self.reason = reason
        self.by = by
    }
}

/// Whom to cut off, until when and why.
package struct NeutralizeOrder: Codable, Sendable {
    /// As typed: `account:ID`, `certificate:sha256:HEX`, `network:CIDR`, or a bare ID.
    package var subjects: [String]
    package var reason: String
    /// RFC 3339; nil for good.
    package var until: String?
    package var ticket: String?
    /// Only say what would be cut.
    package var preview: Bool

    package init(
        subjects: [String], reason: String, until: String?, ticket: String?, preview: Bool
    ) {
        self.subjects = subjects
        self.reason = reason
        self.until = until
        self.ticket = ticket
        self.preview = preview
    }
}

/// What the gate answers.
package enum ControlAnswer: Codable, Sendable {
    case status(StatusReport)
    case reloaded(ReloadReport)
    case neutralized(NeutralizeReport)
    case entries([NeutralizedReport])
    case sessions([SessionReport])
    case limits([LimitReport])
    case granted(GrantReport)
    case alerts([AlertSinkStatus])
    case alertsTested([AlertTestReport])
    /// What was told is kept.
    case noted
    case lists([SignedListStatus])
    case listsChanged([ListChange])
    case orders([WaitingOrder])
    case purged(PurgeReport)
    /// Nothing was changed yet: a second administrator must approve it.
    case waiting(WaitingOrder)
    /// Nothing was changed. Each problem is one line, a configuration's as `FILE:LINE:COLUMN: …`.
    case refused([String])
    /// The order is in force in memory, but it is not known to be on disk: it holds until the gate
    /// stops.
    case notDurable(String, NeutralizeReport)
}

/// What `herse reload`, `confirm` and `rollback` print.
package struct ReloadReport: Codable, Sendable {
    package var generation: UInt64
    package var milliseconds: Double
    /// Warnings of the configuration, one line each.
    package var warnings: [String]
    /// Live connections cut, since their subject is neutralized or no longer believed.
    package var cut: CutCount
    /// Seconds after which the former generation comes back unless confirmed.
    package var confirmWithinSeconds: Int?
}

/// What `herse neutralize` and `herse reinstate` print.
package struct NeutralizeReport: Codable, Sendable {
    /// The subjects as understood, in their full form.
    package var subjects: [String]
    package var cut: CutCount
    /// From the order's arrival to the last cut; `durableMilliseconds` of it for the disk.
    package var milliseconds: Double
    package var durableMilliseconds: Double
    package var isPreview: Bool
    /// Subjects already in the state asked for.
    package var unchanged: [String]
    /// Of a preview: whom it concerns, and what they asked in the last hour.
    package var concerned: [Concerned] = []
}

/// One entry in force.
package struct NeutralizedReport: Codable, Sendable {
    package var subject: String
    /// `list:LINE` or `command:WHO`.
    package var source: String
    package var since: String?
    package var until: String?
    package var reason: String?
    package var ticket: String?
    /// Whether it is in force now, or will be.
    package var inForce: Bool
}

/// One window of one set of limits, as used by a professional.
package struct LimitReport: Codable, Sendable {
    package var set: String
    package var count: String
    package var perSeconds: Int
    package var limit: UInt64
    package var used: UInt64
    package var remaining: UInt64
    package var resetSeconds: UInt64
    /// `deny`, `shadow` or `step-up`.
    package var enforce: String
    /// `professional` or `structure`: whose disclosures are counted together.
    package var each: String
    /// Added by grants in force.
    package var extra: UInt64
    /// Whether `used` is an estimate, and then its relative standard error; 0 when exact.
    package var error: Double
    /// The grants behind `extra`.
    package var grants: [GrantReport]
}

/// How the gate is.
package struct StatusReport: Codable, Sendable {
    package var version: String
    package var generation: UInt64
    package var uptimeSeconds: UInt64
    package var listeners: [ListenerReport]
    package var servers: [ServerReport]
    package var lists: [ListReport]
    package var record: RecordReport
    package var issuers: [IssuerStatus] = []
    package var directory: DirectoryStatus?
    package var signIn: SignInStatus?
    package var alerts: [AlertSinkStatus] = []
    package var probing = ProbingReport()
    package var signals: SignalStatus?
    package var neutralizations = NeutralizationTimes()
    package var lastDrill: DrillReport?
    package var workers: [WorkerReport]
    /// Everything that is not as it should be, one sentence each; empty when healthy.
    package var degraded: [String]
    package var awaitingConfirmationSeconds: Int?
}

/// A listener and the address it is bound to.
package struct ListenerReport: Codable, Sendable {
    package var name: String
    package var address: String
    package var connections: Int
    /// RFC 3339 end of the certificate shown.
    package var certificateEnds: String
}

/// An issuer of tokens, and how its keys are.
package struct IssuerStatus: Codable, Sendable {
    package var name: String
    /// `fresh`, `stale` (believed still, fetched no more) or `unknown` (none of its tokens passes).
    package var state: String
    package var keys: Int
    package var ageSeconds: Int64?
    /// Until its keys are believed no more.
    package var remainingSeconds: Int64?
    package var problem: String?
}

/// The professionals' directory in memory.
package struct DirectoryStatus: Codable, Sendable {
    package var people: Int
    package var left: Int
    package var ageSeconds: Int64
}

/// Signing in with a browser, and what is found out off the workers.
package struct SignInStatus: Codable, Sendable {
    package var sessions: Int
    /// What waits for its turn now, and what was refused for want of room since the start.
    package var waiting: Int
    package var refused: UInt64
}

/// A neutralization or revocation list.
package struct ListReport: Codable, Sendable {
    /// `neutralized`, `commands` or `revocation`.
    package var kind: String
    package var name: String
    /// `fresh`, `stale`, `empty` or `unknown`.
    package var state: String
    package var entries: Int
    package var ageSeconds: Int64?
    package var nextUpdate: String?
}

/// A destination of alerts.
package struct AlertSinkStatus: Codable, Sendable {
    package var name: String
    /// `syslog`, `webhook` or `mail`.
    package var kind: String
    /// `fresh` (the last message was taken), `failing` or `unknown` (none was ever sent).
    package var state: String
    package var waiting: Int
    package var sent: Int
    /// Too many or too old: never sent.
    package var dropped: Int
    package var problem: String?
    package var secondsSinceSuccess: Int64?
}

/// What a destination said to a test.
package struct AlertTestReport: Codable, Sendable {
    package var name: String
    package var kind: String
    package var isTaken: Bool
    /// Its own words, or what went wrong.
    package var answer: String
}
