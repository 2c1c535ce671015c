// HeadError.swift: why a head was refused, what the peer is told and what the log is told.

/// Why a head was refused.
///
/// The connection it came on is closed whatever the case: where the next message would begin can
/// no longer be trusted. Whatever is wrong with an identity server's answer, the client gets 502.
package enum HeadError: UInt8, Error, Equatable, Sendable, CaseIterable {
    // The request line.
    case methodInvalid
    case methodTooLong
    case targetInvalid
    case targetNotHost
    case pathForbiddenByte
    case pathEscapeInvalid
    case pathDotSegment
    case pathEmptySegment
    case queryForbiddenByte
    case queryEscapeInvalid
    case versionMissing
    case versionInvalid
    case versionUnsupported
    case requestLineTooLong

    // The status line.
    case statusLineInvalid
    case statusLineTooLong
    case statusUnsupported
    case bodyForbidden

    // Lines and fields.
    case bareLineFeed
    case bareCarriageReturn
    case lineFolded
    case fieldPrecededByBlank
    case fieldNameEmpty
    case fieldNameInvalid
    case fieldNameFollowedByBlank
    case colonMissing
    case fieldValueInvalid
    case fieldTooLong
    case fieldsTooMany
    case headTooLong

    // Fields that rule the message.
    case hostMissing
    case hostRepeated
    case hostInvalid
    case contentLengthInvalid
    case contentLengthRepeated
    case contentLengthWithTransferEncoding
    case transferEncodingUnsupported
    case transferEncodingRepeated
    case transferEncodingInOldVersion
    case connectionInvalid
    case connectionNominatesFraming
    case connectionOptionsTooMany
    case expectationUnknown

    /// The status the client gets.
    package var status: UInt16 {
        switch self {
        case .requestLineTooLong: 414
        case .expectationUnknown: 417
        case .fieldTooLong, .fieldsTooMany, .headTooLong: 431
        // RFC 9112 §3: longer than any method implemented.
        case .methodTooLong: 501
        case .versionUnsupported: 505
        case .statusLineInvalid, .statusLineTooLong, .statusUnsupported, .bodyForbidden: 502
        case .methodInvalid, .targetInvalid, .targetNotHost, .pathForbiddenByte,
            .pathEscapeInvalid, .pathDotSegment, .pathEmptySegment, .queryForbiddenByte,
            .queryEscapeInvalid, .versionMissing, .versionInvalid, .bareLineFeed,
            .bareCarriageReturn, .lineFolded, .fieldPrecededByBlank, .fieldNameEmpty,
            .fieldNameInvalid, .fieldNameFollowedByBlank, .colonMissing, .fieldValueInvalid,
            .hostMissing, .hostRepeated, .hostInvalid, .contentLengthInvalid,
            .contentLengthRepeated, .contentLengthWithTransferEncoding,
            .transferEncodingUnsupported, .transferEncodingRepeated,
            .transferEncodingInOldVersion, .connectionInvalid, .connectionNominatesFraming,
            .connectionOptionsTooMany:
            400
        }
    }

    /// What the log is told: never a byte of the input.
    package var reason: StaticString {
        switch self {
        case .methodInvalid: "method is not a token"
        case .methodTooLong: "method is too long"
        case .targetInvalid: "request target has no known form"
        case .targetNotHost: "request target and Host name different authorities"
        case .pathForbiddenByte: "path holds a forbidden byte"
        case .pathEscapeInvalid: "path holds an invalid percent-encoding"
        case .pathDotSegment: "path holds a dot segment"
        case .pathEmptySegment: "path holds an empty segment"
        case .queryForbiddenByte: "query holds a forbidden byte"
        case .queryEscapeInvalid: "query holds an invalid percent-encoding"
        case .versionMissing: "request line has no version"
        case .versionInvalid: "version is malformed"
        case .versionUnsupported: "version is not supported"
        case .requestLineTooLong: "request line is too long"
        case .statusLineInvalid: "status line is malformed"
        case .statusLineTooLong: "status line is too long"
        case .statusUnsupported: "status is not supported"
        case .bodyForbidden: "body announced where none is allowed"
        case .bareLineFeed: "bare line feed"
        case .bareCarriageReturn: "bare carriage return"
        case .lineFolded: "folded field line"
        case .fieldPrecededByBlank: "white space before the first field"
        case .fieldNameEmpty: "field name is empty"
        case .fieldNameInvalid: "field name is not a token"
        case .fieldNameFollowedByBlank: "white space before a colon"
        case .colonMissing: "field line has no colon"
        case .fieldValueInvalid: "field value holds a control byte"
        case .fieldTooLong: "field line is too long"
        case .fieldsTooMany: "too many fields"
        case .headTooLong: "head is too long"
        case .hostMissing: "Host is missing"
        case .hostRepeated: "Host is repeated"
        case .hostInvalid: "Host is malformed"
        case .contentLengthInvalid: "Content-Length is malformed"
        case .contentLengthRepeated: "Content-Length is repeated"
        case .contentLengthWithTransferEncoding: "Content-Length beside Transfer-Encoding"
        case .transferEncodingUnsupported: "Transfer-Encoding is not exactly chunked"
        case .transferEncodingRepeated: "Transfer-Encoding is repeated"
        case .transferEncodingInOldVersion: "Transfer-Encoding in HTTP/1.0"
        case .connectionInvalid: "Connection is malformed"
        case .connectionNominatesFraming: "Connection nominates a framing field"
        case .connectionOptionsTooMany: "Connection nominates too many fields"
        case .expectationUnknown: "unknown expectation"
        }
    }
}
