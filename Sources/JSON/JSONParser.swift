// JSONParser.swift: reads a whole JSON text; nothing in it recurses, and all of it is bounded.

/// Reads one text.
struct JSONParser {
    private let depthMax: Int
    private let valuesMax: Int
    private var offset = 0
    private var values = 0
    /// The containers we are in, the innermost last.
    private var open: [Container] = []

    init(depthMax: Int, valuesMax: Int) {
        self.depthMax = depthMax
        self.valuesMax = valuesMax
    }

    /// An object or array whose end has not come.
    private struct Container {
        let isObject: Bool
        var members: [JSONObject.Member] = []
        var values: [JSONValue] = []
        /// The key of the value that comes next.
        var key = ""
        /// Keys so far, from the moment on that there are many.
        var keys: Set<String> = []

        /// Whether a key is there already, as Unicode sees it, which is more than byte by byte.
        mutating func hasSeen(_ key: String) -> Bool {
            if members.count < 16 { return members.contains { $0.key == key } }
            if keys.isEmpty { for member in members { keys.insert(member.key) } }
            return !keys.insert(key).inserted
        }

        mutating func append(_ value: JSONValue) {
            guard isObject else { return values.append(value) }
            members.append(JSONObject.Member(key: key, value: value))
        }

        var value: JSONValue {
            isObject ? .object(JSONObject(members: members)) : .array(values)
        }
    }

    mutating func parse(_ text: Span<UInt8>) throws(JSONError) -> JSONValue {
        while true {
            guard var value = try begin(text) else { continue }
            // Puts it in its place, and closes what ends behind it.
            while true {
                guard !open.isEmpty else {
                    passBlanks(text)
                    guard offset == text.count else { throw .syntax(at: offset) }
                    return value
                }
                open[open.count - 1].append(value)
                let byte = try nextByte(text)
                if byte == UInt8(ascii: ",") {
                    offset += 1
                    if open[open.count - 1].isObject { try readKey(text) }
                    break
                }
                value = try close(byte)
            }
        }
    }

    /// A scalar or an empty container; nil for a container that has something in it.
    private mutating func begin(_ text: Span<UInt8>) throws(JSONError) -> JSONValue? {
        let byte = try nextByte(text)
        values += 1
        guard values <= valuesMax else { throw .tooLarge }
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard open.count < depthMax else { throw .tooDeep }
            let isObject = byte == UInt8(ascii: "{")
            open.append(Container(isObject: isObject))
            offset += 1
            let next = try nextByte(text)
            if next == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                return try close(next)
            }
            if isObject { try readKey(text) }
            return nil
        case UInt8(ascii: "\""): return .string(try readString(text))
        default: return try readScalar(text)
        }
    }

    private mutating func close(_ byte: UInt8) throws(JSONError) -> JSONValue {
        guard let container = open.popLast(),
            byte == (container.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
        else { throw .syntax(at: offset) }
        offset += 1
        return container.value
    }

    private mutating func readKey(_ text: Span<UInt8>) throws(JSONError) {
        guard try nextByte(text) == UInt8(ascii: "\"") else { throw .syntax(at: offset) }
        let start = offset
        let key = try readString(text)
        guard !open[open.count - 1].hasSeen(key) else { throw .duplicateKey(at: start) }
        open[open.count - 1].key = key
        guard try nextByte(text) == UInt8(ascii: ":") else { throw .syntax(at: offset) }
        offset += 1
    }

    private mutating func passBlanks(_ text: Span<UInt8>) {
        while offset < text.count {
            switch text[offset] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                offset += 1
            default: return
            }
        }
    }

    /// The next byte that is no blank; it is not passed over.
    private mutating func nextByte(_ text: Span<UInt8>) throws(JSONError) -> UInt8 {
        passBlanks(text)
        guard offset < text.count else { throw .syntax(at: offset) }
        return text[offset]
    }

    /// A string whose first quote is at hand.
    private mutating func readString(_ text: Span<UInt8>) throws(JSONError) -> String {
        let start = offset + 1
        var hasEscapes = false
        offset = start
        while true {
            guard offset < text.count else { throw .syntax(at: offset) }
            let byte = text[offset]
            if byte == UInt8(ascii: "\"") { break }
            guard byte >= 0x20 else { throw .syntax(at: offset) }
            hasEscapes = hasEscapes || byte == UInt8(ascii: "\\")
            // Whatever is escaped, it is not the end.
            offset += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        let inner = text.extracting(start..<offset)
        offset += 1
        guard hasEscapes else {
            guard let checked = try? UTF8Span(validating: inner) else { throw .syntax(at: start) }
            return String(copying: checked)
        }
        guard let plain = unescaped(inner),
            let string = String(validating: plain, as: UTF8.self)
        else { throw .syntax(at: start) }
        return string
    }

    private mutating func readScalar(_ text: Span<UInt8>) throws(JSONError) -> JSONValue {
        let start = offset
        while offset < text.count, isScalarByte(text[offset]) { offset += 1 }
        var word: [UInt8] = []
        let inner = text.extracting(start..<offset)
        for index in inner.indices { word.append(inner[index]) }
        // ASCII by now: nothing is mended.
        switch String(decoding: word, as: UTF8.self) {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "null": return .null
        case let number:
            guard isNumber(word) else { throw .syntax(at: start) }
            return .number(number)
        }
    }
}

/// Whether a byte can stand in a number or word.
private func isScalarByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "+"), UInt8(ascii: "-"),
        UInt8(ascii: "."):
        true
    default: false
    }
}

/// A number of RFC 8259 §6.
private func isNumber(_ text: [UInt8]) -> Bool {
    var rest = text[...]
    func passDigits() -> Int {
        let count = rest.prefix { $0 &- UInt8(ascii: "0") < 10 }.count
        rest = rest.dropFirst(count)
        return count
    }
    if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
    let startsWithZero = rest.first == UInt8(ascii: "0")
    let digits = passDigits()
    guard digits == 1 || (digits > 1 && !startsWithZero) else { return false }
    if rest.first == UInt8(ascii: ".") {
        rest = rest.dropFirst()
        guard passDigits() > 0 else { return false }
    }
    if let byte = rest.first, byte | 0x20 == UInt8(ascii: "e") {
        rest = rest.dropFirst()
        if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") {
            rest = rest.dropFirst()
        }
        guard passDigits() > 0 else { return false }
    }
    return rest.isEmpty
}

/// A string's text, its escapes resolved; nil where one is none, and for half a surrogate pair.
private func unescaped(_ text: Span<UInt8>) -> [UInt8]? {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    var offset = 0
    while offset < text.count {
        guard text[offset] == UInt8(ascii: "\\") else {
            out.append(text[offset])
            offset += 1
            continue
        }
        guard offset + 1 < text.count else { return nil }
        switch text[offset + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(text[offset + 1])
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"):
            guard let scalar = escapedScalar(text, &offset) else { return nil }
            out.append(contentsOf: Unicode.UTF8.encode(scalar) ?? .init())
            continue
        default: return nil
        }
        offset += 2
    }
    return out
}

/// The character of one or two escapes `\uXXXX`, which are passed over.
private func escapedScalar(_ text: Span<UInt8>, _ offset: inout Int) -> Unicode.Scalar? {
    guard let first = codeUnit(text, at: offset) else { return nil }
    offset += 6
    guard first & 0xFC00 == 0xD800 else { return Unicode.Scalar(first) }
    guard let second = codeUnit(text, at: offset), second & 0xFC00 == 0xDC00 else { return nil }
    offset += 6
    return Unicode.Scalar(0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF))
}

private func codeUnit(_ text: Span<UInt8>, at offset: Int) -> UInt32? {
    guard text.count - offset >= 6, text[offset] == UInt8(ascii: "\\"),
        text[offset + 1] == UInt8(ascii: "u")
    else { return nil }
    var unit: UInt32 = 0
    for index in (offset + 2)..<(offset + 6) {
        let byte = text[index]
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt32(byte - 0x30)
        case UInt8(ascii: "a")...UInt8(ascii: "f"): unit = unit << 4 | UInt32(byte - 0x57)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): unit = unit << 4 | UInt32(byte - 0x37)
        default: return nil
        }
    }
    return unit
}
