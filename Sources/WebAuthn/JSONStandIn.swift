// JSONStandIn.swift: a whole JSON text as a value, until the module JSON offers one.

indirect enum JSONValue: Equatable, Sendable {
    case object([String: JSONValue])
    case array([JSONValue])
    case string(String)
    case number(String)
    case boolean(Bool)
    case null

    struct Refused: Error {}

    init(_ text: Span<UInt8>, depthMax: Int = 16, valuesMax: Int = 4096) throws(Refused) {
        var bytes: [UInt8] = []
        for index in text.indices { bytes.append(text[index]) }
        var reader = Reader(bytes: bytes, left: valuesMax)
        self = try reader.value(depth: depthMax)
        reader.space()
        guard reader.offset == bytes.count else { throw Refused() }
    }

    subscript(key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    var text: String? { if case .string(let text) = self { text } else { nil } }
    var integer: Int64? { if case .number(let text) = self { Int64(text) } else { nil } }
    var texts: [String]? {
        switch self {
        case .string(let text): return [text]
        case .array(let values):
            let texts = values.compactMap(\.text)
            return texts.count == values.count ? texts : nil
        default: return nil
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var left: Int
        var offset = 0

        var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

        mutating func space() {
            while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { offset += 1 }
        }

        mutating func take(_ byte: Character) -> Bool {
            guard next == byte.asciiValue else { return false }
            offset += 1
            return true
        }

        mutating func value(depth: Int) throws(Refused) -> JSONValue {
            space()
            left -= 1
            guard left >= 0, depth >= 0, let first = next else { throw Refused() }
            switch first {
            case UInt8(ascii: "{"): return try object(depth: depth)
            case UInt8(ascii: "["): return try array(depth: depth)
            case UInt8(ascii: "\""): return .string(try string())
            default: return try word()
            }
        }

        mutating func object(depth: Int) throws(Refused) -> JSONValue {
            var members: [String: JSONValue] = [:]
            offset += 1
            space()
            if take("}") { return .object([:]) }
            repeat {
                space()
                guard next == UInt8(ascii: "\"") else { throw Refused() }
                let key = try string()
                space()
                guard take(":"), members[key] == nil else { throw Refused() }
                members[key] = try value(depth: depth - 1)
                space()
            } while take(",")
            guard take("}") else { throw Refused() }
            return .object(members)
        }

        mutating func array(depth: Int) throws(Refused) -> JSONValue {
            var values: [JSONValue] = []
            offset += 1
            space()
            if take("]") { return .array([]) }
            repeat {
                values.append(try value(depth: depth - 1))
                space()
            } while take(",")
            guard take("]") else { throw Refused() }
            return .array(values)
        }

        mutating func string() throws(Refused) -> String {
            var text: [UInt8] = []
            offset += 1
            while let byte = next {
                offset += 1
                switch byte {
                case UInt8(ascii: "\""):
                    guard let string = String(validating: text, as: UTF8.self) else {
                        throw Refused()
                    }
                    return string
                case UInt8(ascii: "\\"):
                    guard let escaped = next else { throw Refused() }
                    offset += 1
                    switch escaped {
                    case UInt8(ascii: "n"): text.append(0x0a)
                    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
                        text.append(escaped)
                    case UInt8(ascii: "u"):
                        guard offset + 4 <= bytes.count,
                            let code = UInt32(
                                String(decoding: bytes[offset..<offset + 4], as: UTF8.self),
                                radix: 16), let scalar = Unicode.Scalar(code)
                        else { throw Refused() }
                        text += Array(String(Character(scalar)).utf8)
                        offset += 4
                    default: throw Refused()
                    }
                case 0..<0x20: throw Refused()
                default: text.append(byte)
                }
            }
            throw Refused()
        }

        mutating func word() throws(Refused) -> JSONValue {
            let start = offset
            while let byte = next, ![0x20, 0x09, 0x0a, 0x0d, 0x2c, 0x5d, 0x7d].contains(byte) {
                offset += 1
            }
            let word = String(decoding: bytes[start..<offset], as: UTF8.self)
            switch word {
            case "true": return .boolean(true)
            case "false": return .boolean(false)
            case "null": return .null
            default:
                guard Double(word) != nil else { throw Refused() }
                return .number(word)
            }
        }
    }
}
