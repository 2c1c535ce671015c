// JSONText.swift: what stands in JSON's strings and numbers.

/// Appends a string's text, its escapes resolved, in UTF-8.
///
/// Half a surrogate pair stands for nothing and becomes U+FFFD.
package func appendUnescaped(_ text: Span<UInt8>, to out: inout [UInt8]) {
    var offset = 0
    while offset < text.count {
        guard text[offset] == UInt8(ascii: "\\"), offset &+ 1 < text.count else {
            out.append(text[offset])
            offset &+= 1
            continue
        }
        if let byte = simpleEscape(text[offset &+ 1]) {
            out.append(byte)
            offset &+= 2
            continue
        }
        guard let unit = codeUnit(text, at: offset) else {
            offset &+= 1
            continue
        }
        offset &+= 6
        var code = unit
        if unit & 0xFC00 == 0xD800, let low = codeUnit(text, at: offset), low & 0xFC00 == 0xDC00 {
            code = 0x10000 &+ ((unit & 0x3FF) << 10) &+ (low & 0x3FF)
            offset &+= 6
        }
        let scalar = Unicode.Scalar(code) ?? "\u{FFFD}"
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { out.append(byte) }
    }
}

/// Whether a string says `words`, its escapes resolved.
package func spells(_ text: Span<UInt8>, hasEscapes: Bool, _ words: StaticString) -> Bool {
    guard hasEscapes else { return spells(text, words) }
    var plain: [UInt8] = []
    appendUnescaped(text, to: &plain)
    return spells(plain.span, words)
}

@inline(__always)
func spells(_ text: Span<UInt8>, _ words: StaticString) -> Bool {
    let count = words.utf8CodeUnitCount
    guard text.count == count else { return false }
    // Safe because index is below the length of the text, which lives for ever.
    for index in 0..<count where text[index] != (unsafe words.utf8Start[index]) { return false }
    return true
}

/// Whether a number or word is over before `byte`.
func endsScalar(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"),
        UInt8(ascii: "\""), UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "["),
        UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"):
        true
    default: false
    }
}

/// A number of RFC 8259 §6.
func isNumber(_ text: Span<UInt8>) -> Bool {
    var offset = 0
    func digits() -> Bool {
        let start = offset
        while offset < text.count, text[offset] &- UInt8(ascii: "0") < 10 { offset &+= 1 }
        return offset > start
    }
    if offset < text.count, text[offset] == UInt8(ascii: "-") { offset &+= 1 }
    let first = offset
    guard digits() else { return false }
    guard text[first] != UInt8(ascii: "0") || offset == first &+ 1 else { return false }
    if offset < text.count, text[offset] == UInt8(ascii: ".") {
        offset &+= 1
        guard digits() else { return false }
    }
    if offset < text.count, text[offset] | 0x20 == UInt8(ascii: "e") {
        offset &+= 1
        if offset < text.count,
            text[offset] == UInt8(ascii: "+") || text[offset] == UInt8(ascii: "-")
        {
            offset &+= 1
        }
        guard digits() else { return false }
    }
    return offset == text.count
}

/// The byte that a backslash and `letter` stand for.
func simpleEscape(_ letter: UInt8) -> UInt8? {
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: nil
    }
}

/// The UTF-16 code unit of the escape `\uXXXX` that begins at `offset`.
private func codeUnit(_ text: Span<UInt8>, at offset: Int) -> UInt32? {
    guard text.count &- offset >= 6, text[offset] == UInt8(ascii: "\\"),
        text[offset &+ 1] == UInt8(ascii: "u")
    else { return nil }
    var unit: UInt32 = 0
    for index in (offset &+ 2)..<(offset &+ 6) {
        guard let digit = hexDigit(text[index]) else { return nil }
        unit = unit << 4 | UInt32(digit)
    }
    return unit
}

func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte &- UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte &- UInt8(ascii: "a") &+ 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte &- UInt8(ascii: "A") &+ 10
    default: nil
    }
}
