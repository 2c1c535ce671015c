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

/// Builds lines of JSON in one growing buffer that is kept between lines.
package struct LineWriter: ~Copyable {
    private let buffer = Buffer(capacity: 64 * 1024)

    package init() {}

    package var isEmpty: Bool { buffer.isEmpty }
    package var count: Int { buffer.count }

    /// What was written, as a copy.
    package var bytes: [UInt8] {
        var copy: [UInt8] = []
        append(to: &copy)
        return copy
    }

    /// Appends what was written to `bytes`.
    package func append(to bytes: inout [UInt8]) {
        buffer.withBytes { lines in
            // Safe because the span's bytes are only read, within this call.
            unsafe lines.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        }
    }

    package func removeAll() { buffer.removeAll() }

    package func begin() { raw("{") }

    package func end() { raw("}\n") }

    package func byte(_ byte: UInt8) { buffer.append(byte) }

    package func raw(_ text: StaticString) { buffer.append(text) }

    package func raw(_ text: String) { buffer.append(text) }

    package func raw(_ fragment: [UInt8]) { buffer.append(fragment) }

    package func raw(_ fragment: Span<UInt8>) { buffer.append(fragment) }

    package func number(_ value: UInt64) { buffer.append(decimal: value) }

    /// Appends sixteen hexadecimal digits.
    package func hexadecimal(_ value: UInt64) {
        for place in 0..<16 {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * place) & 15)
            buffer.append(digit < 10 ? digit + 0x30 : digit + 0x57)
        }
    }

    /// Appends text that is ASCII without quote, backslash or control byte; any other byte
    /// becomes `?`, so that a line is always one JSON object.
    package func plain(_ text: Span<UInt8>) {
        for index in text.indices {
            let byte = text[index]
            let isPlain = byte >= 0x20 && byte < 0x7F && byte != 0x22 && byte != 0x5C
            buffer.append(isPlain ? byte : 0x3F)
        }
    }

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

/// `text` as a JSON string with its quotes, for fragments made once.
package func jsonString(_ text: String) -> [UInt8] {
    let hex = Array("0123456789abcdef".utf8)
    var out: [UInt8] = [0x22]
    for byte in text.utf8 {
        switch byte {
        case 0x22, 0x5C: out += [0x5C, byte]
        case 0..<0x20:
            out += Array("\\u00".utf8) + [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
        default: out.append(byte)
        }
    }
    out.append(0x22)
    return out
}
