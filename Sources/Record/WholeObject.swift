// WholeObject.swift: whether a line is one JSON object, as far as its ends tell.

/// Whether a line is one object: it begins with the line and ends with it.
///
/// A line torn inside a text or an inner object may end in a brace as well.
package func isWholeObject(_ line: Span<UInt8>) -> Bool {
    guard line.count > 1, line[0] == 0x7B, line[line.count - 1] == 0x7D else { return false }
    var depth = 0
    var index = 0
    while index < line.count {
        switch line[index] {
        case 0x22:
            index = endOfText(line, from: index + 1)
        case 0x7B: depth += 1
        case 0x7D:
            depth -= 1
            if depth == 0 { return index == line.count - 1 }
        default: break
        }
        index += 1
    }
    return false
}

/// Where the quote stands that ends the text which begins at `start`, or the count of the line.
///
/// Most of a line is text, and a million lines a second are looked at: eight bytes at a time.
private func endOfText(_ line: Span<UInt8>, from start: Int) -> Int {
    var index = start
    // Safe because every byte is initialized and has no padding.
    let raw = unsafe line.bytes
    while index < line.count {
        if line.count - index >= 8 {
            // Safe because any eight bytes are an integer, and the load checks its bounds.
            let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            if !has(0x22, word), !has(0x5C, word) {
                index += 8
                continue
            }
        }
        switch line[index] {
        case 0x22: return index
        case 0x5C: index += 2
        default: index += 1
        }
    }
    return line.count
}

/// Whether one of the eight bytes of `word` is `byte`.
@inline(__always)
private func has(_ byte: UInt8, _ word: UInt64) -> Bool {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let others = word ^ (ones &* UInt64(byte))
    // A byte that is zero borrows from its highest bit, which it does not have itself.
    return (others &- ones) & ~others & (ones << 7) != 0
}
