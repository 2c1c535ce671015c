// PercentDecoding.swift: the bytes that a URL or a form means.

/// The byte that the `%XX` at `offset` stands for; nil when it is none.
func decodedByte(_ text: Span<UInt8>, at offset: Int) -> UInt8? {
    guard offset >= 0, offset < text.count, text.count - offset > 2,
        let high = hexDigit(text[offset + 1]), let low = hexDigit(text[offset + 2])
    else { return nil }
    return high << 4 | low
}

/// Whether the bytes are UTF-8, RFC 3629: no overlong form, no surrogate.
func isUTF8(_ bytes: Span<UInt8>) -> Bool {
    // Most are ASCII, and need no second look.
    var high: UInt8 = 0
    for index in bytes.indices { high |= bytes[index] }
    return high < 0x80 || (try? UTF8Span(validating: bytes)) != nil
}
