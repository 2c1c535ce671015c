// ExchangeEntry.swift: one exchange as a line of JSON: who asked, what was decided, what left.
//
// No patient data: neither path nor query nor body is ever in it.

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

/// Builds lines of JSON in one growing array that is kept between lines.
package struct LineWriter: ~Copyable {
    package private(set) var bytes: [UInt8] = []

    package init() { bytes.reserveCapacity(64 * 1024) }

    package var isEmpty: Bool { bytes.isEmpty }

    /// Gives away what was written, taking `empty`'s storage for what comes next.
    package mutating func exchange(for empty: consuming [UInt8]) -> [UInt8] {
        var taken = empty
        swap(&taken, &bytes)
        return taken
    }

    package mutating func begin() { raw("{") }

    package mutating func byte(_ byte: UInt8) { bytes.append(byte) }

    package mutating func end() { raw("}\n") }

    package mutating func raw(_ text: StaticString) {
        // Safe because a StaticString's bytes live as long as the program.
        let text = unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        unsafe bytes.append(contentsOf: text)
    }

    package mutating func raw(_ fragment: [UInt8]) { bytes.append(contentsOf: fragment) }

    package mutating func number(_ value: UInt64) {
        if value < 10 {
            bytes.append(UInt8(value) + 0x30)
            return
        }
        var digits: InlineArray<20, UInt8> = .init(repeating: 0)
        var index = 20
        var rest = value
        while rest > 0 {
            index -= 1
            digits[index] = UInt8(truncatingIfNeeded: rest % 10) + 0x30
            rest /= 10
        }
        while index < 20 {
            bytes.append(digits[index])
            index += 1
        }
    }

    /// Appends text that is ASCII without quote, backslash or control byte; any other byte
    /// becomes `?`, so that a line is always one JSON object.
    package mutating func plain(_ text: Span<UInt8>) {
        for index in text.indices {
            let byte = text[index]
            let isPlain = byte >= 0x20 && byte < 0x7F && byte != 0x22 && byte != 0x5C
            bytes.append(isPlain ? byte : 0x3F)
        }
    }

    /// Appends the fields of `entry` after what stands in the line already.
    package mutating func append(_ entry: ExchangeEntry) {
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
