// ResponseHead.swift: the head of an identity server's answer, parsed as strictly as a request.

/// An answer's status and fields, as byte ranges into the bytes that were parsed.
///
/// Whatever is thrown means 502 for the client, and the connection to the server is closed.
package struct ResponseHead: Sendable {
    /// From 100 to 599, never 101.
    package private(set) var status: UInt16 = 0
    package private(set) var isHTTP10 = false
    package private(set) var framing = BodyFraming.none
    package private(set) var section = FieldSection()

    package init() {}

    /// Parses the head that `bytes` begin with, answering a request of this method.
    ///
    /// - Returns: the length of the head, its empty line included, or nil when it is not whole yet.
    /// - Throws: why it is refused; the same for any longer run of bytes that begins so.
    package mutating func parse(
        _ bytes: Span<UInt8>, answering method: Method, limits: HeadLimits
    ) throws(HeadError) -> Int? {
        section.removeAll()
        let available = min(bytes.count, limits.headLengthMax)
        guard let fields = try parseLine(bytes, available: available, limits) else { return nil }
        let length = try section.parse(
            bytes, from: fields, available: available, limits: limits, kind: .response)
        guard let length else { return nil }
        try frame(answering: method)
        return length
    }

    /// Parses `HTTP/1.1 200 reason`; returns where the first field begins.
    ///
    /// A missing space after the status is let through: servers leave it out with an empty reason,
    /// and nothing turns on it.
    @inline(__always)
    private mutating func parseLine(
        _ bytes: Span<UInt8>, available: Int, _ limits: HeadLimits
    ) throws(HeadError) -> Int? {
        let line = HeadLine(start: 0, available: available)
        let prefix: StaticString = "HTTP/1."
        for offset in 0..<7 {
            guard offset < line.limit else {
                return try line.unfinished(limits, tooLong: .statusLineTooLong)
            }
            // Safe because offset is below the length of the text, which lives for ever.
            let wanted = unsafe prefix.utf8Start[offset]
            guard bytes[offset] == wanted else { throw .statusLineInvalid }
        }
        // "1 200", and a byte to see that the status has no fourth digit.
        guard line.limit > 12 else {
            return try line.unfinished(limits, tooLong: .statusLineTooLong)
        }
        guard bytes[7] &- Ascii.zero < 2, bytes[8] == Ascii.space else { throw .statusLineInvalid }
        isHTTP10 = bytes[7] == Ascii.zero
        status = 0
        for index in 9..<12 {
            guard Ascii.isDigit(bytes[index]) else { throw .statusLineInvalid }
            status = status * 10 + UInt16(bytes[index] - Ascii.zero)
        }
        // The gate forwards no upgrade, so a server that switches was not asked to.
        guard (100...599).contains(status), status != 101 else { throw .statusUnsupported }

        let reason = bytes[12]
        guard reason == Ascii.space || reason == Ascii.carriageReturn else {
            throw reason == Ascii.lineFeed ? .bareLineFeed : .statusLineInvalid
        }
        let end = endOfFieldText(bytes, from: 12, to: line.limit)
        guard end &+ 1 < line.limit else {
            if end < line.limit { try checkReasonEnd(bytes[end]) }
            return try line.unfinished(limits, tooLong: .statusLineTooLong)
        }
        try checkReasonEnd(bytes[end])
        guard bytes[end &+ 1] == Ascii.lineFeed else { throw .bareCarriageReturn }
        return end &+ 2
    }

    private func checkReasonEnd(_ byte: UInt8) throws(HeadError) {
        if byte == Ascii.carriageReturn { return }
        throw byte == Ascii.lineFeed ? .bareLineFeed : .statusLineInvalid
    }

    /// Decides how the body is delimited, RFC 9112 §6.3.
    @inline(__always)
    private mutating func frame(answering method: Method) throws(HeadError) {
        if isHTTP10 && section.isChunked { throw .transferEncodingInOldVersion }
        if status < 200 || status == 204 {
            // RFC 9110 §8.6, RFC 9112 §6.1; a length of zero does no harm, and some send it.
            guard !section.isChunked, section.contentLength ?? 0 == 0 else { throw .bodyForbidden }
            framing = .none
        } else if status == 304 || method == .head {
            // What is announced is what a GET would have had.
            framing = .none
        } else if section.isChunked {
            framing = .chunked
        } else if let length = section.contentLength {
            framing = .length(length)
        } else {
            framing = .untilClose
        }
    }

    /// The fields, in the order they came.
    package var fields: [Field] { section.fields }

    /// The length announced, also where no body follows (HEAD, 304).
    package var contentLength: UInt64? { section.contentLength }

    /// Whether this is an interim answer: another head follows.
    package var isInterim: Bool { status < 200 }

    /// Whether the connection can carry another request once the body is read.
    package var keepAlive: Bool {
        framing != .untilClose && !section.connection.close
            && (!isHTTP10 || section.connection.keepAlive)
    }
}
