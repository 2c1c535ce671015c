// HeadSearch.swift: when parsing a head that arrives in pieces is worth its cost.

/// Decides when to parse, so that a peer that drips one byte at a time makes the gate do work in
/// proportion to what it sent, and not to its square.
///
/// Parsing is worth it for the first bytes (almost always the whole head), when the end of a head
/// has come since, and each time the length has doubled, so that a bad head is refused early.
package struct HeadSearch: Sendable {
    /// Bytes already searched for the end of a head.
    private var searched = 0
    /// Bytes there were at the last attempt.
    private var tried = 0

    package init() {}

    /// Whether to parse `bytes`, which begin where they did at the last call; call `reset` before
    /// the next head.
    @inline(__always)
    package mutating func isWorthParsing(_ bytes: Span<UInt8>, limits: HeadLimits) -> Bool {
        if tried == 0 {
            searched = bytes.count
            tried = bytes.count
            return !bytes.isEmpty
        }
        return isNowWorthParsing(bytes, limits: limits)
    }

    package mutating func reset() { self = HeadSearch() }

    @inline(never)
    private mutating func isNowWorthParsing(_ bytes: Span<UInt8>, limits: HeadLimits) -> Bool {
        let ends = hasEnd(bytes)
        searched = bytes.count
        guard ends || bytes.count >= 2 * tried || bytes.count >= limits.headLengthMax else {
            return false
        }
        tried = bytes.count
        return true
    }

    /// Whether an empty line ends in the bytes not yet searched.
    ///
    /// A bare line feed counts as the end of a line: parsing is what refuses it.
    private func hasEnd(_ bytes: Span<UInt8>) -> Bool {
        var index = searched
        while index < bytes.count {
            if bytes[index] == Ascii.lineFeed {
                if index >= 1 && bytes[index - 1] == Ascii.lineFeed { return true }
                if index >= 2 && bytes[index - 1] == Ascii.carriageReturn
                    && bytes[index - 2] == Ascii.lineFeed
                {
                    return true
                }
            }
            index += 1
        }
        return false
    }
}
