// SegmentHead.swift: what the head of a segment says that a search needs (RecordFormat.md).

internal import Lookup

/// Parts of a head.
struct SegmentHead: Equatable {
    /// Its own number in the tree.
    var begins: UInt64
    /// Of the segment before: the number of its first line, and bytes of it that count.
    var previousBegins: UInt64?
    var previousBytes: Int?

    /// Nil when the line is no head.
    init?(_ line: Span<UInt8>) {
        var reader = JSONReader()
        var depth = 0
        var outer = ""
        var inner = ""
        var isHead = false
        var begins: UInt64?
        do throws(Unparsed) {
            reading: while true {
                switch try reader.next(line, isWhole: true) {
                case .key(let range, _) where depth == 1: outer = text(line.extracting(range))
                case .key(let range, _) where depth == 2: inner = text(line.extracting(range))
                case .number(let range):
                    let number = UInt64(text(line.extracting(range)))
                    switch (depth, outer, inner) {
                    case (1, "segment", _): isHead = true
                    case (1, "begins", _): begins = number
                    case (2, "previous", "begins"): previousBegins = number
                    case (2, "previous", "bytes"):
                        previousBytes = number.flatMap { Int(exactly: $0) }
                    default: break
                    }
                case .beginObject, .beginArray: depth += 1
                case .endObject, .endArray: depth -= 1
                case .end: break reading
                case .more: return nil
                default: break
                }
            }
        } catch {
            return nil
        }
        guard isHead, let begins else { return nil }
        self.begins = begins
    }
}

private func text(_ bytes: Span<UInt8>) -> String {
    var plain: [UInt8] = []
    appendUnescaped(bytes, to: &plain)
    return String(decoding: plain, as: UTF8.self)
}
