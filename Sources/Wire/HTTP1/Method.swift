// Method.swift: the method of a request, RFC 9110 §9.

/// A method the gate knows by name, or another token.
package enum Method: UInt8, Sendable, Equatable, CaseIterable {
    case get, head, post, put, delete, options, patch, trace, connect
    /// Any other token: its bytes are in the head it came with.
    case other

    /// The name on the wire; nil for `other`.
    package var name: StaticString? {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .patch: "PATCH"
        case .trace: "TRACE"
        case .connect: "CONNECT"
        case .other: nil
        }
    }

    /// Whether it only asks, RFC 9110 §9.2.1.
    package var isSafe: Bool {
        switch self {
        case .get, .head, .options, .trace: true
        case .post, .put, .delete, .patch, .connect, .other: false
        }
    }

    /// Whether sending it twice is as sending it once, RFC 9110 §9.2.2.
    package var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .trace: true
        case .post, .patch, .connect, .other: false
        }
    }

    /// The method of these bytes; names are case-sensitive, RFC 9110 §9.1.
    @inline(__always)
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        switch range.count {
        case 3 where Method.spells(bytes, range, "GET"): self = .get
        case 3 where Method.spells(bytes, range, "PUT"): self = .put
        case 4 where Method.spells(bytes, range, "POST"): self = .post
        case 4 where Method.spells(bytes, range, "HEAD"): self = .head
        case 5 where Method.spells(bytes, range, "PATCH"): self = .patch
        case 5 where Method.spells(bytes, range, "TRACE"): self = .trace
        case 6 where Method.spells(bytes, range, "DELETE"): self = .delete
        case 7 where Method.spells(bytes, range, "OPTIONS"): self = .options
        case 7 where Method.spells(bytes, range, "CONNECT"): self = .connect
        default: self = .other
        }
    }

    /// The method of this name.
    package init(_ name: some StringProtocol) {
        self = Method.allCases.first { $0.name.map { "\($0)" == name } ?? false } ?? .other
    }

    @inline(__always)
    private static func spells(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ name: StaticString
    ) -> Bool {
        for offset in 0..<range.count {
            // Safe because the caller compared the lengths.
            let wanted = unsafe name.utf8Start[offset]
            if bytes[range.lowerBound + offset] != wanted { return false }
        }
        return true
    }
}
