// ExchangeEntry.swift: one exchange as a line of JSON: who asked, what was decided, what left.
//
// No patient data: neither path nor query nor body is ever in it.

internal import Wire

/// What the gate did with a request.
package enum Decision: UInt8, Sendable {
    case allow
    case deny
    /// Not a request that could be decided: malformed, or its connection broke.
    case reject

    var word: StaticString {
        switch self {
        case .allow: "allow"
        case .deny: "deny"
        case .reject: "reject"
        }
    }
}

/// How the delivery of an answer ended.
package enum Delivery: UInt8, Sendable {
    /// About to leave; for an answer that fits in memory this is the only line.
    case begun
    /// All of it was handed to the client's connection.
    case whole
    /// The connection ended first.
    case aborted

    var word: StaticString {
        switch self {
        case .begun: "begun"
        case .whole: "whole"
        case .aborted: "aborted"
        }
    }
}

/// Numbers of an exchange; the texts come as fragments of JSON prepared once and kept.
package struct ExchangeEntry: Sendable {
    package var decision: Decision
    package var delivery: Delivery
    package var status: Int
    /// Bytes of the answer's body; nil when they are not known before it leaves.
    package var bytes: UInt64?
    /// Microseconds from the request's head to this line, and to the identity server's answer.
    package var totalMicroseconds: UInt64
    package var serverMicroseconds: UInt64?
    package var generation: UInt64

    package init(
        decision: Decision, delivery: Delivery, status: Int, bytes: UInt64?,
        totalMicroseconds: UInt64, serverMicroseconds: UInt64?, generation: UInt64
    ) {
        self.decision = decision
        self.delivery = delivery
        self.status = status
        self.bytes = bytes
        self.totalMicroseconds = totalMicroseconds
        self.serverMicroseconds = serverMicroseconds
        self.generation = generation
    }
}

extension LineWriter {
    /// Appends the fields of `entry` after what stands in the line already.
    package func append(_ entry: ExchangeEntry) {
        raw(",\"decision\":\"")
        raw(entry.decision.word)
        raw("\",\"status\":")
        number(UInt64(clamping: entry.status))
        raw(",\"delivery\":\"")
        raw(entry.delivery.word)
        raw("\"")
        if let bytes = entry.bytes {
            raw(",\"bytes\":")
            number(bytes)
        }
        raw(",\"microseconds\":")
        number(entry.totalMicroseconds)
        if let server = entry.serverMicroseconds {
            raw(",\"server_microseconds\":")
            number(server)
        }
        raw(",\"generation\":")
        number(entry.generation)
    }
}
