// HeadLimits.swift: how large a head may be, and how a body is delimited.

/// Bounds of a head; past them 431, or 414 for the request line.
package struct HeadLimits: Sendable, Equatable {
    /// Bytes a head may take, its final empty line included.
    package let headLengthMax: Int
    /// Field lines a head may hold.
    package let fieldsMax: Int

    /// Bytes a line may take, CRLF excluded; RFC 9112 §3 asks for at least 8,000.
    package static let lineLengthMax = 8192
    /// Bytes a method may take; the longest registered one has 17.
    package static let methodLengthMax = 32
    /// Field names `Connection` may nominate: each costs a comparison with every field.
    package static let nominatedMax = 16

    package init(headLengthMax: Int = 32 * 1024, fieldsMax: Int = 100) {
        precondition((64...(1 << 20)).contains(headLengthMax), "a head has 64 bytes to 1 MiB")
        precondition((1...10_000).contains(fieldsMax), "a head has 1 to 10,000 fields")
        self.headLengthMax = headLengthMax
        self.fieldsMax = fieldsMax
    }
}

/// How the end of a body is known, RFC 9112 §6.3.
package enum BodyFraming: Equatable, Sendable {
    /// There is no body, and none was announced.
    case none
    /// So many bytes, as `Content-Length` said; possibly zero.
    case length(UInt64)
    case chunked
    /// Answers only: the body ends where the connection does.
    case untilClose

    /// Whether no byte of body follows the head.
    package var isEmpty: Bool { self == .none || self == .length(0) }
}
