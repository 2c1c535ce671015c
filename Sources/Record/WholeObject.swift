// WholeObject.swift: whether a line is one JSON object, as far as its ends tell.

/// Whether a line is one object: it begins with the line and ends with it.
///
/// A line torn inside a text or an inner object may end in a brace as well.
package func isWholeObject(_ line: Span<UInt8>) -> Bool {
    guard line.count > 1, line[0] == 0x7B, line[line.count - 1] == 0x7D else { return false }
    var depth = 0
    var isInText = false
    var isEscaped = false
    for index in line.indices {
        let byte = line[index]
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
            if depth == 0 { return index == line.count - 1 }
        default: break
        }
    }
    return false
}
