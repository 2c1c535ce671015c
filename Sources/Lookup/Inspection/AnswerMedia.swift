// AnswerMedia.swift: which language an answer is written in, by its Content-Type or its looks.

/// What a Content-Type says.
struct AnswerMedia: Equatable {
    /// `other` when there is none, or one that is not known.
    var format = AnswerFormat.other
    /// Whether the text is declared as something else than UTF-8 or its subset ASCII.
    var isForeign = false

    init() {}

    /// `value` is that of a Content-Type, RFC 9110 §8.3; empty for none.
    init(_ value: Span<UInt8>) {
        var offset = 0
        while offset < value.count, value[offset] != UInt8(ascii: ";") { offset += 1 }
        format = Self.format(of: folded(value, 0..<offset))
        while offset < value.count {
            let start = offset + 1
            offset = start
            var isQuoted = false
            while offset < value.count, isQuoted || value[offset] != UInt8(ascii: ";") {
                if value[offset] == UInt8(ascii: "\"") { isQuoted.toggle() }
                offset += 1
            }
            note(folded(value, start..<offset))
        }
    }

    private mutating func note(_ parameter: [UInt8]) {
        let name = "charset="
        guard parameter.starts(with: name.utf8) else { return }
        let set = parameter.dropFirst(name.utf8.count).filter { $0 != UInt8(ascii: "\"") }
        let isRead = ["utf-8", "utf8", "us-ascii"].contains { set.elementsEqual($0.utf8) }
        if !isRead { isForeign = true }
    }

    private static func format(of type: [UInt8]) -> AnswerFormat {
        func isOne(of names: [String]) -> Bool { names.contains { type.elementsEqual($0.utf8) } }
        if isOne(of: ["application/fhir+ndjson", "application/x-ndjson", "application/ndjson"]) {
            return .ndjson
        }
        if isOne(of: ["application/json", "text/json"]) || type.hasEnd("+json") { return .json }
        if isOne(of: ["application/xml", "text/xml"]) || type.hasEnd("+xml") {
            // A page for people, though it may well be XML.
            return isOne(of: ["application/xhtml+xml"]) ? .html : .xml
        }
        if isOne(of: ["multipart/related"]) { return .multipart }
        if isOne(of: ["text/html"]) { return .html }
        if isOne(of: ["text/plain"]) { return .text }
        return .other
    }

    /// What a body looks like, when its Content-Type says nothing that can be inspected; nil while
    /// only blanks have come.
    static func format(lookingAt body: Span<UInt8>, isWhole: Bool = true) -> AnswerFormat? {
        // Less may be a part of a byte order mark.
        guard body.count >= 3 || isWhole else { return nil }
        var offset = 0
        if body.count >= 3, body[0] == 0xEF, body[1] == 0xBB, body[2] == 0xBF { offset = 3 }
        while offset < body.count {
            switch body[offset] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
                offset += 1
            case UInt8(ascii: "{"), UInt8(ascii: "["): return .json
            case UInt8(ascii: "<"): return .xml
            default: return .other
            }
        }
        return nil
    }
}

/// Small letters, without the blanks around.
private func folded(_ value: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
    var start = range.lowerBound
    var end = range.upperBound
    while start < end, value[start] == 0x20 || value[start] == 0x09 { start += 1 }
    while end > start, value[end - 1] == 0x20 || value[end - 1] == 0x09 { end -= 1 }
    var out: [UInt8] = []
    for index in start..<end {
        let byte = value[index]
        out.append(byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte)
    }
    return out
}

extension [UInt8] {
    fileprivate func hasEnd(_ end: String) -> Bool {
        suffix(end.utf8.count).elementsEqual(end.utf8)
    }
}
