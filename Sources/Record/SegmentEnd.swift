// SegmentEnd.swift: where the entries of a segment end, after a clean stop or a power cut.
//
// INVARIANT: an entry that was acknowledged is never cut off. Acknowledged entries are whole and
// stand first; after them there is padding, and of what was being written any part. So at most
// one line is cut, the last, and only if it is plainly not an entry. Halves of lines further in
// stay: a reader passes over what is not JSON, but nobody gives back what was cut.

internal import Glibc

/// Why a segment could not be opened: the error number of the system.
struct SegmentDamage: Error { let code: Int32 }

/// The end of a segment's entries.
struct SegmentEnd: Equatable {
    /// Bytes of entries, the line feed of the last included.
    let length: Int
    /// The last entry is whole but for its line feed, which is yet to be written.
    let needsLineFeed: Bool
}

private let blockSize = 64 * 1024

/// Bytes of a last line that are looked at; a file with a longer one is nothing we wrote.
private let lineMax = 256 * 1024 * 1024

/// Finds the end of the entries in `size` bytes, which `read` gives; reads little more than the
/// padding and the last line.
func endOfEntries(
    size: Int, read: (Range<Int>) throws(SegmentDamage) -> [UInt8]
) throws(SegmentDamage) -> SegmentEnd {
    let end = try afterLast(size, read) { $0 != 0x0A }
    guard end > 0 else { return SegmentEnd(length: 0, needsLineFeed: false) }
    let start = try afterLast(end, read) { $0 == 0x0A }
    guard end - start <= lineMax else { throw SegmentDamage(code: EFBIG) }
    let hasLineFeed = end < size
    if isEntry(try read(start..<end), hasLineFeed: hasLineFeed) {
        return SegmentEnd(length: end + 1, needsLineFeed: !hasLineFeed)
    }
    // Between the entries and the torn line there may be padding that it never overwrote.
    let before = try afterLast(start, read) { $0 != 0x0A }
    return SegmentEnd(length: before == 0 ? 0 : before + 1, needsLineFeed: false)
}

/// The offset after the last of the first `limit` bytes that `isMeant`; 0 when there is none.
private func afterLast(
    _ limit: Int, _ read: (Range<Int>) throws(SegmentDamage) -> [UInt8],
    _ isMeant: (UInt8) -> Bool
) throws(SegmentDamage) -> Int {
    var end = limit
    while end > 0 {
        let start = max(0, end - blockSize)
        let block = try read(start..<end)
        if let index = block.lastIndex(where: isMeant) { return start + index + 1 }
        end = start
    }
    return 0
}

/// Whether a line is to be kept: one JSON object, or something ended like one that whoever wrote
/// it ended with a line feed.
private func isEntry(_ line: [UInt8], hasLineFeed: Bool) -> Bool {
    // A file that went through another system's editor ends its lines in CR LF.
    var line = line[...]
    while let last = line.last, last == 0x0D || last == 0x20 || last == 0x09 {
        line.removeLast()
    }
    guard line.last == 0x7D else { return false }
    guard line.first == 0x7B else { return hasLineFeed }
    return closesAtItsEnd(line)
}

/// Whether the object that begins a line ends with it: a line torn inside a text or an inner
/// object may end in a brace as well.
private func closesAtItsEnd(_ line: ArraySlice<UInt8>) -> Bool {
    var depth = 0
    var isInText = false
    var isEscaped = false
    for (index, byte) in zip(line.indices, line) {
        if isInText {
            if isEscaped {
                isEscaped = false
            } else if byte == 0x5C {
                isEscaped = true
            } else if byte == 0x22 {
                isInText = false
            }
            continue
        }
        switch byte {
        case 0x22: isInText = true
        case 0x7B: depth += 1
        case 0x7D:
            depth -= 1
            if depth == 0 { return index == line.endIndex - 1 }
        default: break
        }
    }
    return false
}
