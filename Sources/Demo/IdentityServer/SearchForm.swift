// SearchForm.swift: the parameters of a search, from a query string or a form.

/// Parameters in the order they came, decoded.
struct SearchForm: Equatable, Sendable {
    struct Field: Equatable, Sendable {
        let name: String
        let value: String
    }

    private(set) var fields: [Field] = []

    /// Parameters one request may have.
    static let fieldsMax = 32
    /// Bytes of a query string or a form.
    static let lengthMax = 16 * 1024

    init() {}

    /// Reads `application/x-www-form-urlencoded` text.
    init(_ text: String) throws(SearchError) {
        guard text.utf8.count <= Self.lengthMax else { throw .tooLong }
        for part in text.split(separator: "&") {
            guard fields.count < Self.fieldsMax else { throw .tooManyParameters }
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = sides.count > 1 ? sides[1] : ""
            fields.append(Field(name: try decoded(sides[0]), value: try decoded(value)))
        }
    }

    mutating func append(_ other: SearchForm) { fields += other.fields }

    func value(_ name: String) -> String? { fields.first { $0.name == name }?.value }

    /// As a query string.
    var encoded: String {
        fields.map { "\(percentEncoded($0.name))=\(percentEncoded($0.value))" }
            .joined(separator: "&")
    }
}

/// Why a search was refused.
enum SearchError: Error, Equatable {
    case tooLong
    case tooManyParameters
    case badEncoding
    case unknownParameter(String)
    case badValue(parameter: String)

    /// What the asker reads; the name of a parameter, never a value.
    var message: String {
        switch self {
        case .tooLong: "parameters are longer than \(SearchForm.lengthMax) bytes"
        case .tooManyParameters: "more than \(SearchForm.fieldsMax) parameters"
        case .badEncoding: "a parameter is not percent-encoded UTF-8"
        case .unknownParameter(let name): "unknown search parameter `\(name)`"
        case .badValue(let name): "value of `\(name)` cannot be read"
        }
    }
}

/// Undoes percent-encoding; "+" is a space, as forms have it.
private func decoded(_ text: Substring) throws(SearchError) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        switch byte {
        case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
        case UInt8(ascii: "%"):
            guard let high = rest.popFirst().flatMap(hexadecimalValue),
                let low = rest.popFirst().flatMap(hexadecimalValue)
            else { throw .badEncoding }
            bytes.append(high << 4 | low)
        default: bytes.append(byte)
        }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .badEncoding }
    return text
}

/// Everything but RFC 3986's unreserved bytes and ":", as "%" and two digits.
private func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: out.append(byte)
        case _ where "-._~:".utf8.contains(byte): out.append(byte)
        default:
            out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: out, as: UTF8.self)
}

private func hexadecimalValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
}
