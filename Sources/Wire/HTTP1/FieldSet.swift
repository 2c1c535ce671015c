// FieldSet.swift: sets of known fields, to say what is not forwarded.

/// A set of known fields, one bit each.
package struct FieldSet: Sendable, Equatable, ExpressibleByArrayLiteral {
    private var bits: UInt64

    package init(arrayLiteral fields: KnownField...) {
        bits = 0
        for field in fields { bits |= 1 << UInt64(field.rawValue) }
    }

    @inline(__always)
    package func contains(_ field: KnownField) -> Bool {
        bits & (1 &<< UInt64(field.rawValue)) != 0
    }

    package func union(_ other: FieldSet) -> FieldSet {
        var both = self
        both.bits |= other.bits
        return both
    }

    /// Fields of one connection only, RFC 9110 §7.6.1, and names a lenient server might take for
    /// a known one.
    package static let hopByHop: FieldSet = [
        .connection, .keepAlive, .te, .trailer, .upgrade, .http2Settings, .transferEncoding,
        .proxyAuthenticate, .proxyAuthorization, .proxyConnection, .proxyOther, .lookalike,
    ]

    /// Fields that whoever forwards writes afresh from what it understood.
    package static let rewritten: FieldSet = [.host, .contentLength, .expect]

    /// What would make an answer less than whole to a reader who has some of it already.
    package static let conditional: FieldSet = [
        .range, .ifRange, .ifNoneMatch, .ifModifiedSince,
    ]

    /// Fields by which the gate tells the identity server who asks: a copy sent by the client is
    /// a forgery.
    package static let identity: FieldSet = [
        .herse, .forwarded, .forwardedFor, .forwardedProto, .forwardedHost, .forwardedOther,
        .requestID, .clientCertificate, .clientCertificateChain,
    ]
}
