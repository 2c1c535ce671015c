// RequestPath.swift: the path of a request target; every part of it means one thing or is refused.

extension RequestTarget {
    /// Takes in the path whose slash is at `start`, and the query; returns where the space after
    /// them is, or `limit`.
    ///
    /// Refused: dot segments and empty segments however written, also before a `;` (Tomcat drops
    /// path parameters before it resolves dots), encoded slashes, backslashes and controls, and
    /// percent-encoded bytes that are no UTF-8 (`%C0%AE` is a dot to a careless decoder).
    @inline(__always)
    mutating func parsePath(
        _ bytes: Span<UInt8>, from start: Int, to limit: Int
    ) throws(HeadError) -> Int {
        var index = start &+ 1
        var segment = Segment()
        while index < limit {
            let byte = bytes[index]
            if ByteSet.segment.contains(byte) {
                segment.takeOther()
                index &+= 1
                continue
            }
            switch byte {
            case Ascii.slash:
                guard !segment.isDots else { throw .pathDotSegment }
                guard !segment.isEmpty else { throw .pathEmptySegment }
                segment = Segment()
            case Ascii.dot:
                segment.takeDot()
            case Ascii.percent:
                pathHasEscapes = true
                guard let next = try parseEscape(bytes, at: index, to: limit, &segment) else {
                    return limit
                }
                index = next
                continue
            case Ascii.semicolon:
                pathHasParameters = true
                segment.hasParameters = true
            case Ascii.space, Ascii.questionMark:
                guard !segment.isDots else { throw .pathDotSegment }
                path = start..<index
                return byte == Ascii.space
                    ? index : try parseQuery(bytes, from: index &+ 1, to: limit)
            default:
                throw RequestTarget.refusal(of: byte, .pathForbiddenByte)
            }
            index &+= 1
        }
        return limit
    }

    /// Takes in the character that is percent-encoded at `start`, of one to four bytes; returns
    /// where it ends, or nil when it goes on past `limit`.
    @inline(never)
    private func parseEscape(
        _ bytes: Span<UInt8>, at start: Int, to limit: Int, _ segment: inout Segment
    ) throws(HeadError) -> Int? {
        guard let (first, next) = try escape(bytes, at: start, to: limit, .pathEscapeInvalid)
        else { return nil }
        if first < 0x80 {
            switch first {
            case Ascii.slash, Ascii.backslash, Ascii.delete, 0..<Ascii.space:
                throw .pathForbiddenByte
            case Ascii.dot: segment.takeDot()
            default: segment.takeOther()
            }
            return next
        }
        segment.takeOther()
        // UTF-8, RFC 3629 §4: the first byte tells how many follow and how low the second may be.
        let following: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0xC2...0xDF: following = 1
        case 0xE0: (following, second) = (2, 0xA0...0xBF)
        case 0xED: (following, second) = (2, 0x80...0x9F)
        case 0xE1...0xEF: following = 2
        case 0xF0: (following, second) = (3, 0x90...0xBF)
        case 0xF4: (following, second) = (3, 0x80...0x8F)
        case 0xF1...0xF3: following = 3
        default: throw .pathEscapeInvalid
        }
        var index = next
        for position in 0..<following {
            guard index < limit else { return nil }
            guard let (byte, end) = try escape(bytes, at: index, to: limit, .pathEscapeInvalid)
            else { return nil }
            let allowed = position == 0 ? second : 0x80...0xBF
            guard allowed.contains(byte) else { throw .pathEscapeInvalid }
            index = end
        }
        return index
    }
}

/// The path segment being read: whether it is empty, one dot, two dots or something else.
private struct Segment {
    /// Dots so far; 3 stands for anything that is no dot segment.
    private var dots: UInt8 = 0
    /// Whether a `;` has come: what follows does not change what the segment is.
    var hasParameters = false

    var isEmpty: Bool { dots == 0 }
    var isDots: Bool { dots == 1 || dots == 2 }

    @inline(__always)
    mutating func takeDot() {
        if !hasParameters && dots < 3 { dots &+= 1 }
    }

    @inline(__always)
    mutating func takeOther() {
        if !hasParameters { dots = 3 }
    }
}
