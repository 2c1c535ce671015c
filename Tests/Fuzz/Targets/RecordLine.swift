// RecordLine.swift: lines of the record, and the rows of its index.

import RecordIndex
import RecordReading

extension FuzzTarget {
    /// What the index's scan takes for an entry is one to who reads it whole, and the other way
    /// round; and it finds it by all that the reader sees.
    static let recordLine = FuzzTarget(name: "record-line") { bytes in
        let entry = RecordedEntry(line: bytes)
        let found = IndexedLine(bytes)
        precondition((entry == nil) == (found == nil), "both read the same lines")
        guard let entry, let found else { return }
        precondition(found.time == entry.time, "both read the same time")
        for (kind, text) in [
            ("professional", entry.professional), ("structure", entry.structure),
            ("session", entry.session), ("certificate", entry.certificate),
            ("client", entry.client), ("token", entry.token), ("event", entry.event),
        ] where !text.isEmpty {
            precondition(found.isFound(by: text, as: kind), "what is read is found")
        }
        for person in entry.persons + entry.withheld {
            precondition(found.isFound(person: person.key), "who is read is found")
        }
    }

    /// A row of the index that somebody else wrote: read within its bounds, its lines in order.
    static let indexPage = FuzzTarget(name: "index-page") { bytes in
        guard bytes.count > 2 else { return }
        let page = bytes.extracting(2..<bytes.count)
        guard let lines = indexedLines(of: UInt64(bytes[0]), page, first: UInt64(bytes[1]))
        else { return }
        for (former, latter) in zip(lines, lines.dropFirst()) {
            precondition(former < latter, "lines come in order, each once")
        }
    }

    /// The layout of an index that somebody else wrote: the first byte tells how many lines it is
    /// of, the second where the times begin.
    static let indexLayout = FuzzTarget(name: "index-layout") { bytes in
        guard bytes.count > 2 else { return }
        let cut = 2 + (bytes.count - 2) * Int(bytes[1]) / 255
        let blocks = indexedBlocks(
            places: bytes.extracting(2..<cut), times: bytes.extracting(cut..<bytes.count),
            lines: Int(bytes[0]) * 5, bytes: 100_000)
        for range in blocks ?? [] {
            precondition(range.upperBound <= 100_000 && !range.isEmpty, "blocks lie in the segment")
        }
    }
}
