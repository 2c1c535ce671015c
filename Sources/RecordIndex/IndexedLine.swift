// IndexedLine.swift: one line as an index takes it, for those who attack the scan of it.

/// What one line is found by.
package struct IndexedLine: Sendable {
    private static let hasher = TermHasher(indexKey: [UInt8](repeating: 1, count: 16))
    private let terms: Set<TermHash>
    /// Milliseconds since 1970.
    package let time: UInt64

    /// Nil for a line that is no entry.
    package init?(_ line: Span<UInt8>) {
        var scanner = EntryScanner(Self.hasher)
        guard scanner.scan(line) else { return nil }
        terms = Set(scanner.terms)
        time = scanner.time
    }

    /// Whether it is found by a field of this name that says `text`.
    package func isFound(by text: String, as field: String) -> Bool {
        let kinds: [String: TermKind] = [
            "professional": .professional, "structure": .structure, "session": .session,
            "certificate": .certificate, "client": .client, "token": .token, "event": .event,
            "decision": .decision,
        ]
        return kinds[field].map { terms.contains(Self.hasher.hash($0, text)) } ?? false
    }

    package func isFound(person key: UInt64) -> Bool {
        terms.contains(Self.hasher.hash(person: key))
    }
}

/// The lines of `term` in a row of an index that begins with `first`; nil when it is damaged.
package func indexedLines(of term: UInt64, _ page: Span<UInt8>, first: UInt64) -> [UInt32]? {
    TermPage.lines(of: term, page, first: first, limit: 1 << 24)
}

/// Where an index says that the blocks of so many lines are, in so many bytes; nil when what it
/// says makes no sense.
package func indexedBlocks(
    places: Span<UInt8>, times: Span<UInt8>, lines: Int, bytes: Int
) -> [Range<Int>]? {
    let layout = LineLayout(places: places, times: times, lines: lines, bytes: bytes)
    guard let layout else { return nil }
    let count = (lines + LineLayout.blockLines - 1) / LineLayout.blockLines
    return (0..<count).map { layout.range(ofBlock: $0, end: bytes) }
        + layout.groups.map { layout.range(ofGroup: $0, end: bytes) }
}
