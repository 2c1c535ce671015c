// MediaParameter.swift: a parameter of a Content-Type, RFC 9110 §5.6.6.

/// The value of a parameter, its quotes and escapes resolved; nil when there is none.
func mediaParameter(_ value: Span<UInt8>, _ name: StaticString) -> [UInt8]? {
    var offset = 0
    while offset < value.count, value[offset] != UInt8(ascii: ";") { offset += 1 }
    while offset < value.count {
        offset += 1
        let start = offset
        while offset < value.count, value[offset] != UInt8(ascii: "="),
            value[offset] != UInt8(ascii: ";")
        { offset += 1 }
        let found = value.extracting(start..<offset)
        let isAsked = spellsFolded(found.extracting(withoutBlanks(found)), name)
        guard offset < value.count, value[offset] == UInt8(ascii: "=") else { continue }
        offset += 1
        let text = parameterValue(value, from: &offset)
        if isAsked { return text }
        while offset < value.count, value[offset] != UInt8(ascii: ";") { offset += 1 }
    }
    return nil
}

private func parameterValue(_ value: Span<UInt8>, from offset: inout Int) -> [UInt8] {
    var text: [UInt8] = []
    while offset < value.count, value[offset] <= 0x20 { offset += 1 }
    guard offset < value.count, value[offset] == UInt8(ascii: "\"") else {
        while offset < value.count, value[offset] != UInt8(ascii: ";"), value[offset] > 0x20 {
            text.append(value[offset])
            offset += 1
        }
        return text
    }
    offset += 1
    while offset < value.count, value[offset] != UInt8(ascii: "\"") {
        if value[offset] == UInt8(ascii: "\\"), offset + 1 < value.count { offset += 1 }
        text.append(value[offset])
        offset += 1
    }
    offset = min(offset + 1, value.count)
    return text
}

/// Whether a Content-Type declares a character set in which markup is not that of ASCII, or that
/// nobody here has heard of.
func declaresUnreadCharset(_ contentType: Span<UInt8>) -> Bool {
    guard let charset = mediaParameter(contentType, "charset"), !charset.isEmpty else {
        return false
    }
    let names: [StaticString] = [
        "utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "windows-1252",
    ]
    return !names.contains { spellsFolded(charset.span, $0) }
}
