// RequestPath.swift: whether all servers read a request's path alike, and how routes read it.
//
// A route must not be evaded by writing its path in another way that the identity server takes
// for the same. Two kinds of writing exist:
// - Percent-encoding of what needs none (`/%66hir/`, `/fhir/%24match`): routes compare the
//   decoded path, so every such writing meets the same route. The raw path is what is forwarded.
// - Bytes that some servers read as structure and others do not: an encoded slash, backslash,
//   dot segment, NUL or percent sign, a path parameter (`/..;/`, `/Patient;x/1`, which servlet
//   containers cut away), UTF-8 that is overlong. Such a path is refused: no route can say which
//   resource it names.

/// A path's bytes as far as routes are concerned.
enum RequestPath {
    /// No `%` in it: its bytes are what they mean.
    case plain
    /// Has percent-encoded bytes, all valid.
    case encoded
    /// Could be read in two ways.
    case ambiguous

    /// Looks once over a path, query excluded.
    static func read(_ path: Span<UInt8>) -> RequestPath {
        guard path.count > 0, path[0] == UInt8(ascii: "/") else { return .ambiguous }
        var hasEncoded = false
        var text = UTF8Check()
        // Bytes of the current segment, and whether all of them are dots.
        var segmentLength = 0
        var segmentDots = true
        var index = 1
        while index < path.count {
            var byte = path[index]
            var isEncoded = false
            if byte == UInt8(ascii: "%") {
                guard let decoded = decodedByte(path, at: index) else { return .ambiguous }
                guard !isStructure(decoded) else { return .ambiguous }
                byte = decoded
                isEncoded = true
                hasEncoded = true
                index += 3
            } else {
                guard isPathByte(byte) else { return .ambiguous }
                index += 1
            }
            guard text.accepts(byte) else { return .ambiguous }
            if !isEncoded, byte == UInt8(ascii: "/") {
                guard segmentLength > 0, !(segmentDots && segmentLength <= 2) else {
                    return .ambiguous
                }
                segmentLength = 0
                segmentDots = true
            } else {
                segmentLength += 1
                segmentDots = segmentDots && byte == UInt8(ascii: ".")
            }
        }
        let endsInDots = segmentDots && (1...2).contains(segmentLength)
        guard !endsInDots, text.isComplete else { return .ambiguous }
        return hasEncoded ? .encoded : .plain
    }

    /// The byte a `%XX` stands for; nil when it is none.
    @inline(__always)
    static func decodedByte(_ path: Span<UInt8>, at index: Int) -> UInt8? {
        guard index + 2 < path.count, let high = hexDigit(path[index + 1]),
            let low = hexDigit(path[index + 2])
        else { return nil }
        return high << 4 | low
    }
}

/// Bytes that must not come percent-encoded: some servers act on them, some do not.
@inline(__always)
private func isStructure(_ byte: UInt8) -> Bool {
    switch byte {
    case 0..<0x20, 0x7F, UInt8(ascii: "/"), UInt8(ascii: "\\"), UInt8(ascii: "%"),
        UInt8(ascii: ";"), UInt8(ascii: "?"), UInt8(ascii: "#"):
        true
    default: false
    }
}

/// Bytes a path may hold as they are: pchar of RFC 3986 §3.3 and "/", without ";".
@inline(__always)
func isPathByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        // "/" to "9" and ":" are neighbours.
        UInt8(ascii: "-")...UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: "~"),
        UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&")...UInt8(ascii: ","),
        UInt8(ascii: "="), UInt8(ascii: "@"):
        true
    default: false
    }
}

@inline(__always)
private func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

/// Well-formed UTF-8, byte by byte, RFC 3629 §4: no overlong form, no surrogate.
private struct UTF8Check {
    private var pending = 0
    private var low: UInt8 = 0x80
    private var high: UInt8 = 0xBF

    var isComplete: Bool { pending == 0 }

    @inline(__always)
    mutating func accepts(_ byte: UInt8) -> Bool {
        if pending == 0 { return byte < 0x80 || starts(byte) }
        guard byte >= low, byte <= high else { return false }
        pending -= 1
        low = 0x80
        high = 0xBF
        return true
    }

    private mutating func starts(_ byte: UInt8) -> Bool {
        switch byte {
        case 0xC2...0xDF: pending = 1
        case 0xE0...0xEF: pending = 2
        case 0xF0...0xF4: pending = 3
        default: return false
        }
        switch byte {
        case 0xE0: low = 0xA0
        case 0xED: high = 0x9F
        case 0xF0: low = 0x90
        case 0xF4: high = 0x8F
        default: break
        }
        return true
    }
}
