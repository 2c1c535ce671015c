// RequestHead.swift: the head of a request, RFC 9112 §2 to §5, parsed in place.
//
// One value is kept per connection and parsed into again, so that it allocates nothing once warm.

/// A request's first line and fields, as byte ranges into the bytes that were parsed.
///
/// Refuses whatever a lenient server would guess at; see `HeadError`.
package struct RequestHead: Sendable {
    package private(set) var method = Method.other
    /// Where the method's name lies.
    package private(set) var methodName = 0..<0
    package private(set) var target = RequestTarget()
    package private(set) var isHTTP10 = false
    package private(set) var section = FieldSection()

    package init() {}

    /// Parses the head that `bytes` begin with.
    ///
    /// - Returns: the length of the head, its empty line included, or nil when it is not whole
    ///   yet; then everything else here is meaningless.
    /// - Throws: why it is refused; the same for any longer run of bytes that begins so.
    package mutating func parse(
        _ bytes: Span<UInt8>, limits: HeadLimits
    ) throws(HeadError) -> Int? {
        section.removeAll()
        let available = min(bytes.count, limits.headLengthMax)
        guard let fields = try parseLine(bytes, available: available, limits) else { return nil }
        let length = try section.parse(
            bytes, from: fields, available: available, limits: limits, kind: .request)
        guard let length else { return nil }
        try check(bytes)
        return length
    }

    /// Parses the request line; returns where the first field begins.
    @inline(__always)
    private mutating func parseLine(
        _ bytes: Span<UInt8>, available: Int, _ limits: HeadLimits
    ) throws(HeadError) -> Int? {
        guard let start = try skipEmptyLine(bytes, available: available) else { return nil }
        let line = HeadLine(start: start, available: available)

        var index = start
        while index < line.limit, ByteSet.token.contains(bytes[index]) { index &+= 1 }
        guard index &- start <= HeadLimits.methodLengthMax else { throw .methodTooLong }
        guard index < line.limit else {
            return try line.unfinished(limits, tooLong: .requestLineTooLong)
        }
        guard bytes[index] == Ascii.space, index > start else {
            throw bytes[index] == Ascii.lineFeed ? .bareLineFeed : .methodInvalid
        }
        methodName = start..<index
        method = Method(bytes, methodName)

        index = try target.parse(bytes, from: index &+ 1, to: line.limit, method: method)
        guard index < line.limit else {
            return try line.unfinished(limits, tooLong: .requestLineTooLong)
        }
        // The space that ends the target, then "HTTP/1.1" CRLF.
        guard let end = try parseVersion(bytes, from: index &+ 1, to: line.limit) else {
            return try line.unfinished(limits, tooLong: .requestLineTooLong)
        }
        return end
    }

    /// RFC 9112 §2.2: one empty line before a request line is let through, since old clients send
    /// one after a body; nil when it is not whole.
    @inline(__always)
    private func skipEmptyLine(
        _ bytes: Span<UInt8>, available: Int
    ) throws(HeadError) -> Int? {
        guard available > 0 else { return nil }
        guard bytes[0] == Ascii.carriageReturn else { return 0 }
        guard available > 1 else { return nil }
        guard bytes[1] == Ascii.lineFeed else { throw .bareCarriageReturn }
        return 2
    }

    /// Parses `HTTP/1.1` or `HTTP/1.0` and CRLF; returns where the line ends, nil when past `limit`.
    @inline(__always)
    private mutating func parseVersion(
        _ bytes: Span<UInt8>, from start: Int, to limit: Int
    ) throws(HeadError) -> Int? {
        let name: StaticString = "HTTP/"
        for offset in 0..<5 {
            guard start &+ offset < limit else { return nil }
            // Safe because offset is below the length of the text, which lives for ever.
            let wanted = unsafe name.utf8Start[offset]
            guard bytes[start &+ offset] == wanted else {
                throw RequestTarget.refusal(of: bytes[start &+ offset], .versionInvalid)
            }
        }
        let digits = start &+ 5
        guard digits &+ 2 < limit else { return nil }
        let (major, minor) = (bytes[digits], bytes[digits &+ 2])
        guard Ascii.isDigit(major), bytes[digits &+ 1] == Ascii.dot, Ascii.isDigit(minor) else {
            throw .versionInvalid
        }
        guard digits &+ 4 < limit else { return nil }
        guard bytes[digits &+ 3] == Ascii.carriageReturn else {
            throw bytes[digits &+ 3] == Ascii.lineFeed ? .bareLineFeed : .versionInvalid
        }
        guard bytes[digits &+ 4] == Ascii.lineFeed else { throw .bareCarriageReturn }
        guard major == Ascii.zero &+ 1, minor &- Ascii.zero < 2 else { throw .versionUnsupported }
        isHTTP10 = minor == Ascii.zero
        return digits &+ 5
    }

    /// What can be judged only once every field is known.
    @inline(__always)
    private mutating func check(_ bytes: Span<UInt8>) throws(HeadError) {
        if let host = section.host {
            if let authority = target.authority, !Ascii.same(bytes, authority, host) {
                throw .targetNotHost
            }
        } else {
            guard isHTTP10 else { throw .hostMissing }
            section.host = target.authority
        }
        if isHTTP10 && section.isChunked { throw .transferEncodingInOldVersion }
    }

    /// The fields, in the order they came.
    package var fields: [Field] { section.fields }
    /// The value of `Host`, or on HTTP/1.0 the target's authority, if any.
    package var host: Range<Int>? { section.host }
    /// The path, which begins with a slash unless the target is `*` or `host:port`.
    package var path: Range<Int> { target.path }
    package var query: Range<Int>? { target.query }

    /// How the body that follows is delimited; never `untilClose`.
    package var framing: BodyFraming {
        if section.isChunked { return .chunked }
        return section.contentLength.map { .length($0) } ?? .none
    }

    /// Whether the client wants to send another request on this connection, RFC 9112 §9.3.
    package var keepAlive: Bool {
        !section.connection.close && (!isHTTP10 || section.connection.keepAlive)
    }

    /// Whether the client waits for 100 before it sends its body; never on HTTP/1.0,
    /// RFC 9110 §10.1.1.
    package var expectsContinue: Bool { section.expectsContinue && !isHTTP10 }

    /// Whether the client offers another protocol; HTTP/1.0 cannot, RFC 9110 §7.8.
    package var wantsUpgrade: Bool {
        (section.hasUpgrade || section.connection.upgrade) && !isHTTP10
    }
}
