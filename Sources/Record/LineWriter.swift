// LineWriter.swift: builds lines of JSON, whatever is put into them.

internal import Wire

/// Builds lines of JSON in one growing buffer that is kept between lines.
package struct LineWriter: ~Copyable {
    private let buffer = Buffer(capacity: 64 * 1024)

    package init() {}

    package var isEmpty: Bool { buffer.isEmpty }
    package var count: Int { buffer.count }

    /// What was written, as a copy.
    package var bytes: [UInt8] {
        var copy: [UInt8] = []
        append(to: &copy)
        return copy
    }

    /// Appends what was written to `bytes`.
    package func append(to bytes: inout [UInt8]) {
        buffer.withBytes { lines in
            // Safe because the span's bytes are only read, within this call.
            unsafe lines.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        }
    }

    package func removeAll() { buffer.removeAll() }

    package func begin() { raw("{") }

    package func end() { raw("}\n") }

    package func byte(_ byte: UInt8) { buffer.append(byte) }

    package func raw(_ text: StaticString) { buffer.append(text) }

    package func raw(_ text: String) { buffer.append(text) }

    package func raw(_ fragment: [UInt8]) { buffer.append(fragment) }

    package func raw(_ fragment: Span<UInt8>) { buffer.append(fragment) }

    package func number(_ value: UInt64) { buffer.append(decimal: value) }

    /// Appends sixteen hexadecimal digits.
    package func hexadecimal(_ value: UInt64) {
        for place in 0..<16 {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * place) & 15)
            buffer.append(digit < 10 ? digit + 0x30 : digit + 0x57)
        }
    }

    /// Appends text that is ASCII without quote, backslash or control byte; any other byte
    /// becomes `?`, so that a line is always one JSON object.
    package func plain(_ text: Span<UInt8>) {
        for index in text.indices {
            let byte = text[index]
            let isPlain = byte >= 0x20 && byte < 0x7F && byte != 0x22 && byte != 0x5C
            buffer.append(isPlain ? byte : 0x3F)
        }
    }

    /// Appends any text for within quotes: what JSON escapes is escaped, and what is no UTF-8
    /// becomes U+FFFD, so that a line is always one JSON object in UTF-8.
    package func escaped(_ text: Span<UInt8>) {
        var start = 0
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte >= 0x80 {
                let length = lengthOfScalar(text, at: index)
                guard length == 0 else {
                    index += length
                    continue
                }
            } else if byte >= 0x20, byte != 0x22, byte != 0x5C, byte != 0x7F {
                index += 1
                continue
            }
            raw(text.extracting(start..<index))
            switch byte {
            case 0x80...: raw("\u{FFFD}")
            case 0x22, 0x5C:
                buffer.append(0x5C)
                buffer.append(byte)
            default:
                raw("\\u00")
                buffer.append(byte >> 4 + 0x30)
                let digit = byte & 15
                buffer.append(digit < 10 ? digit + 0x30 : digit + 0x57)
            }
            index += 1
            start = index
        }
        raw(text.extracting(start..<text.count))
    }
}

/// `text` as a JSON string with its quotes, for fragments made once.
package func jsonString(_ text: String) -> [UInt8] {
    let hex = Array("0123456789abcdef".utf8)
    var out: [UInt8] = [0x22]
    for byte in text.utf8 {
        switch byte {
        case 0x22, 0x5C: out += [0x5C, byte]
        case 0..<0x20:
            out += Array("\\u00".utf8) + [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
        default: out.append(byte)
        }
    }
    out.append(0x22)
    return out
}

/// Bytes of the scalar of several bytes that begins at `start`, 0 when there is none (RFC 3629 §4).
private func lengthOfScalar(_ text: Span<UInt8>, at start: Int) -> Int {
    func follows(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
        start + offset < text.count && range.contains(text[start + offset])
    }
    switch text[start] {
    case 0xC2...0xDF: return follows(1) ? 2 : 0
    case 0xE0: return follows(1, 0xA0...0xBF) && follows(2) ? 3 : 0
    case 0xED: return follows(1, 0x80...0x9F) && follows(2) ? 3 : 0
    case 0xE1...0xEF: return follows(1) && follows(2) ? 3 : 0
    case 0xF0: return follows(1, 0x90...0xBF) && follows(2) && follows(3) ? 4 : 0
    case 0xF1...0xF3: return follows(1) && follows(2) && follows(3) ? 4 : 0
    case 0xF4: return follows(1, 0x80...0x8F) && follows(2) && follows(3) ? 4 : 0
    default: return 0
    }
}
