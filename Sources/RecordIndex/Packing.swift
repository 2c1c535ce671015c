// Packing.swift: numbers in as few bytes as they need, seven bits each, the lowest first.

/// Appends a number.
@inline(__always)
func append(_ number: UInt64, to bytes: inout [UInt8]) {
    var rest = number
    while rest >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
}

/// Reads the number at `place` and goes past it; nil when there is none.
@inline(__always)
func takeNumber(_ bytes: Span<UInt8>, _ place: inout Int) -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while place < bytes.count, shift < 64 {
        let byte = bytes[place]
        place += 1
        value |= UInt64(byte & 0x7F) << shift
        if byte < 0x80 { return value }
        shift += 7
    }
    return nil
}

/// One entry by one of the things it is found by.
struct Posting {
    let term: TermHash
    /// Which line of its segment, blank ones not counted, the first being 0.
    let line: UInt32
}

/// The postings of one segment, on the way to being sorted.
struct Postings {
    /// By the highest bits, so that each part is sorted where the processor has it at hand.
    private var parts: [[Posting]]
    private static let bits: UInt64 = 9

    init() { parts = Array(repeating: [], count: 1 << Int(Self.bits)) }

    @inline(__always)
    mutating func append(_ term: TermHash, _ line: UInt32) {
        parts[Int(truncatingIfNeeded: term >> (63 - Self.bits))].append(
            Posting(term: term, line: line))
    }

    /// Gives each term, in order, and the lines it is in, each once and in order.
    consuming func sorted(_ take: (TermHash, [UInt32]) throws -> Void) rethrows {
        var lines: [UInt32] = []
        for index in parts.indices {
            var part: [Posting] = []
            swap(&part, &parts[index])
            part.sort { $0.term < $1.term || ($0.term == $1.term && $0.line < $1.line) }
            var first = 0
            while first < part.count {
                let term = part[first].term
                lines.removeAll(keepingCapacity: true)
                while first < part.count, part[first].term == term {
                    if lines.last != part[first].line { lines.append(part[first].line) }
                    first += 1
                }
                try take(term, lines)
            }
        }
    }
}

/// Terms of consecutive hashes with their lines, packed together: a row of the index.
///
/// For each the distance from the term before, the bytes of its lines, and its lines as distances.
struct TermPage {
    private(set) var first: TermHash = 0
    private(set) var bytes: [UInt8] = []
    private var last: TermHash = 0
    private var packed: [UInt8] = []

    /// Bytes after which a page is full: few, since a look-up reads one from its beginning.
    static let bytesMax = 3072

    var isEmpty: Bool { bytes.isEmpty }
    var isFull: Bool { bytes.count >= Self.bytesMax }

    mutating func append(_ term: TermHash, _ lines: [UInt32]) {
        if bytes.isEmpty { (first, last) = (term, term) }
        RecordIndex.append(term - last, to: &bytes)
        last = term
        packed.removeAll(keepingCapacity: true)
        var before: UInt32 = 0
        for line in lines {
            RecordIndex.append(UInt64(line - before), to: &packed)
            before = line
        }
        RecordIndex.append(UInt64(packed.count), to: &bytes)
        bytes += packed
    }

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// The lines of `term` in a page that begins with `first`, all below `limit`; nil when the
    /// page is damaged.
    static func lines(
        of term: TermHash, _ page: Span<UInt8>, first: TermHash, limit: Int
    ) -> [UInt32]? {
        var place = 0
        var at = first
        while place < page.count {
            guard let distance = takeNumber(page, &place),
                let length = takeNumber(page, &place).flatMap({ Int(exactly: $0) }),
                length <= page.count - place
            else { return nil }
            at &+= distance
            if at > term { return [] }
            if at == term {
                return lines(page.extracting(place..<(place + length)), limit: limit)
            }
            place += length
        }
        return []
    }

    private static func lines(_ packed: Span<UInt8>, limit: Int) -> [UInt32]? {
        var lines: [UInt32] = []
        var place = 0
        var line: UInt64 = 0
        while place < packed.count {
            // A distance beyond the limit could lead back to lines that were there already.
            guard let distance = takeNumber(packed, &place), distance < UInt64(limit),
                lines.isEmpty || distance > 0
            else { return nil }
            line += distance
            guard line < UInt64(limit) else { return nil }
            lines.append(UInt32(truncatingIfNeeded: line))
        }
        return lines
    }
}
