// BodyLanguage.swift: what a request's body is written in, by its Content-Type.
//
// Servlet containers decode a form by its charset: `charset=ibm037` would make them read what
// nobody else does. Only UTF-8 is let pass.

/// Languages of request bodies.
enum BodyLanguage: Sendable {
    case form
    case json
    case xml
    /// No Content-Type at all.
    case unnamed
    case other

    private static let names = WordTable<BodyLanguage>([
        (.form, "application/x-www-form-urlencoded"),
        (.json, "application/fhir+json application/json application/json+fhir text/json"),
        (.xml, "application/fhir+xml application/xml application/xml+fhir text/xml"),
    ])
    private static let charsets = WordTable<Bool>([(true, "utf-8 utf8 us-ascii ascii")])

    init(contentType: Span<UInt8>) throws(QuestionError) {
        var end = nextSemicolon(contentType, from: 0)
        let essence = withoutBlanks(contentType, 0..<end)
        while end < contentType.count {
            let start = end + 1
            end = nextSemicolon(contentType, from: start)
            try Self.check(contentType.extracting(withoutBlanks(contentType, start..<end)))
        }
        self =
            essence.isEmpty
            ? .unnamed : Self.names.find(contentType.extracting(essence))?.meaning ?? .other
    }

    /// Refuses a parameter that names another charset than UTF-8.
    private static func check(_ parameter: Span<UInt8>) throws(QuestionError) {
        let name: StaticString = "charset"
        guard hasPrefix(parameter, name) else { return }
        var value = withoutBlanks(parameter, name.utf8CodeUnitCount..<parameter.count)
        guard !value.isEmpty, parameter[value.lowerBound] == UInt8(ascii: "=") else { return }
        value = withoutBlanks(parameter, (value.lowerBound + 1)..<value.upperBound)
        if value.count >= 2, parameter[value.lowerBound] == UInt8(ascii: "\""),
            parameter[value.upperBound - 1] == UInt8(ascii: "\"")
        {
            value = (value.lowerBound + 1)..<(value.upperBound - 1)
        }
        guard charsets.find(parameter.extracting(value)) != nil else {
            throw .mediaTypeNotUnderstood
        }
    }
}

private func nextSemicolon(_ text: Span<UInt8>, from start: Int) -> Int {
    var offset = start
    while offset < text.count, text[offset] != UInt8(ascii: ";") { offset += 1 }
    return min(offset, text.count)
}

/// The range without the blanks at its ends; `range` lies within `text`.
func withoutBlanks(_ text: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var start = range.lowerBound
    var end = range.upperBound
    while start < end, text[start] <= 0x20 { start += 1 }
    while end > start, text[end - 1] <= 0x20 { end -= 1 }
    return start..<end
}
