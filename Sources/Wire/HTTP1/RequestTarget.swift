// RequestTarget.swift: the target of a request line, RFC 9112 §3.2, and what its path may hold.
//
// A path that two readers could take for different ones is how access rules are walked around, so
// everything that a server behind might normalise is refused rather than normalised here.

/// The four forms of a request target.
package enum TargetForm: Sendable, Equatable {
    /// A path and perhaps a query: the only form that can match a route.
    case origin
    /// A whole URI, whose authority is that of `Host`.
    case absolute
    /// `host:port`, of CONNECT only.
    case authority
    /// `*`, of OPTIONS only.
    case asterisk
}

/// Where the parts of a request target lie.
package struct RequestTarget: Sendable, Equatable {
    package var form = TargetForm.origin
    /// The target as it was sent.
    package var whole = 0..<0
    /// The path, which begins with a slash; empty for `*` and `host:port`.
    package var path = 0..<0
    /// What follows the question mark.
    package var query: Range<Int>?
    /// The authority of an absolute or authority form.
    package var authority: Range<Int>?
    /// Whether the path holds a percent-encoding: compare it with nothing before decoding it.
    package var pathHasEscapes = false
    /// Whether the path holds a `;`: servers disagree on whether a segment ends there.
    package var pathHasParameters = false

    init() {}

    /// Parses from `start` to the space that ends the target; returns where that space is, or
    /// `limit` when it lies beyond.
    @inline(__always)
    mutating func parse(
        _ bytes: Span<UInt8>, from start: Int, to limit: Int, method: Method
    ) throws(HeadError) -> Int {
        self = RequestTarget()
        guard start < limit else { return limit }
        let end: Int
        if bytes[start] == Ascii.slash && method != .connect {
            end = try parsePath(bytes, from: start, to: limit)
        } else {
            end = try parseUnusual(bytes, from: start, to: limit, method: method)
        }
        whole = start..<end
        return end
    }

    @inline(never)
    private mutating func parseUnusual(
        _ bytes: Span<UInt8>, from start: Int, to limit: Int, method: Method
    ) throws(HeadError) -> Int {
        if method == .connect {
            form = .authority
            let end = try parseAuthority(bytes, from: start, to: limit)
            guard end < limit else { return limit }
            guard bytes[end] == Ascii.space else { throw .targetInvalid }
            return end
        }
        if bytes[start] == Ascii.asterisk {
            form = .asterisk
            guard method == .options else { throw .targetInvalid }
            guard start + 1 < limit else { return limit }
            guard bytes[start + 1] == Ascii.space else { throw .targetInvalid }
            return start + 1
        }
        form = .absolute
        guard let scheme = try endOfScheme(bytes, from: start, to: limit) else { return limit }
        let end = try parseAuthority(bytes, from: scheme, to: limit)
        guard end < limit else { return limit }
        if bytes[end] == Ascii.slash { return try parsePath(bytes, from: end, to: limit) }
        // An empty path is "/" (RFC 9110 §4.2.3): the slash before the authority stands in.
        path = (scheme - 1)..<scheme
        return bytes[end] == Ascii.space
            ? end : try parseQuery(bytes, from: end + 1, to: limit)
    }

    /// Where `http://` or `https://` ends; nil when it goes on past `limit`.
    private func endOfScheme(
        _ bytes: Span<UInt8>, from start: Int, to limit: Int
    ) throws(HeadError) -> Int? {
        let scheme: StaticString = "https://"
        var index = start
        var offset = 0
        while offset < scheme.utf8CodeUnitCount {
            guard index < limit else { return nil }
            // Safe because offset is below the length of the text, which lives for ever.
            let wanted = unsafe scheme.utf8Start[offset]
            if Ascii.lowercased(bytes[index]) == wanted {
                index += 1
            } else if offset != 4 {
                // Only the "s" may be absent.
                throw bytes[index] == Ascii.lineFeed ? .bareLineFeed : .targetInvalid
            }
            offset += 1
        }
        return index
    }

    /// Takes in an authority; returns where the slash, space or question mark after it is, or
    /// `limit`.
    private mutating func parseAuthority(
        _ bytes: Span<UInt8>, from start: Int, to limit: Int
    ) throws(HeadError) -> Int {
        var end = start
        while end < limit {
            let byte = bytes[end]
            if byte == Ascii.slash || byte == Ascii.questionMark || byte == Ascii.space { break }
            if byte == Ascii.carriageReturn || byte == Ascii.lineFeed { throw .versionMissing }
            end += 1
        }
        guard end < limit else { return limit }
        guard isHost(bytes, start..<end) else { throw .targetInvalid }
        authority = start..<end
        return end
    }

    /// Takes in the query; returns where the space after it is, or `limit`.
    ///
    /// Every printable byte may stand in it but `#`: RFC 3986 §3.4 has fewer, browsers and
    /// clients send the others as they are, and no reader gives them a meaning.
    @inline(__always)
    mutating func parseQuery(
        _ bytes: Span<UInt8>, from start: Int, to limit: Int
    ) throws(HeadError) -> Int {
        var index = start
        while index < limit {
            let byte = bytes[index]
            if byte == Ascii.percent {
                guard let (_, next) = try escape(bytes, at: index, to: limit, .queryEscapeInvalid)
                else { return limit }
                index = next
            } else if byte > Ascii.space && byte < Ascii.delete && byte != Ascii.numberSign {
                index &+= 1
            } else if byte == Ascii.space {
                break
            } else {
                throw RequestTarget.refusal(of: byte, .queryForbiddenByte)
            }
        }
        query = start..<index
        return index
    }

    /// What to call a byte that no target holds.
    @inline(never)
    static func refusal(of byte: UInt8, _ other: HeadError) -> HeadError {
        switch byte {
        case Ascii.carriageReturn: .versionMissing
        case Ascii.lineFeed: .bareLineFeed
        default: other
        }
    }

    /// The byte that the percent-encoding at `index` stands for, and where it ends; nil when it
    /// goes on past `limit`.
    func escape(
        _ bytes: Span<UInt8>, at index: Int, to limit: Int, _ error: HeadError
    ) throws(HeadError) -> (UInt8, Int)? {
        guard index + 1 < limit else { return nil }
        guard bytes[index] == Ascii.percent, let high = Ascii.hexValue(bytes[index + 1]) else {
            throw error
        }
        guard index + 2 < limit else { return nil }
        guard let low = Ascii.hexValue(bytes[index + 2]) else { throw error }
        return (high << 4 | low, index + 3)
    }
}
