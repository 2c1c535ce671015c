// Form.swift: queries and form bodies, application/x-www-form-urlencoded, read strictly.

/// Why a form was not read.
enum FormError: Error, Equatable {
    case tooLarge
    case malformed
    /// Readers differ on which of two counts.
    case duplicate
}

/// The fields of a query or a form, each there once.
struct Form: Equatable, Sendable {
    private var fields: [(name: String, value: String)] = []

    /// Fields at most; a provider may send some that nobody reads.
    static let fieldsMax = 32
    /// Bytes of a name.
    static let nameMax = 64
    /// Bytes of a query.
    static let queryMax = 16 * 1024

    init() {}

    init(_ bytes: Span<UInt8>, lengthMax: Int) throws(FormError) {
        guard bytes.count <= lengthMax else { throw .tooLarge }
        var start = 0
        while start < bytes.count {
            var end = start
            var equals: Int?
            while end < bytes.count, bytes[end] != UInt8(ascii: "&") {
                if equals == nil, bytes[end] == UInt8(ascii: "=") { equals = end }
                end += 1
            }
            if start < end {
                try add(
                    name: decoded(bytes, start..<(equals ?? end)),
                    value: decoded(bytes, equals.map { $0 + 1..<end } ?? end..<end))
            }
            start = end + 1
        }
    }

    init(query: String) throws(FormError) {
        let bytes = Array(query.utf8)
        try self.init(bytes.span, lengthMax: Self.queryMax)
    }

    subscript(name: String) -> String? {
        fields.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    private mutating func add(name: String, value: String) throws(FormError) {
        guard !name.isEmpty, name.utf8.count <= Self.nameMax else { throw .malformed }
        guard self[name] == nil else { throw .duplicate }
        guard fields.count < Self.fieldsMax else { throw .tooLarge }
        fields.append((name, value))
    }

    static func == (one: Form, other: Form) -> Bool {
        one.fields.elementsEqual(other.fields) { $0.name == $1.name && $0.value == $1.value }
    }
}

private func decoded(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(FormError) -> String {
    var out: [UInt8] = []
    out.reserveCapacity(range.count)
    var index = range.lowerBound
    while index < range.upperBound {
        switch bytes[index] {
        case UInt8(ascii: "+"): out.append(UInt8(ascii: " "))
        case UInt8(ascii: "%"):
            guard range.upperBound - index > 2, let high = nibble(bytes[index + 1]),
                let low = nibble(bytes[index + 2]), high != 0 || low != 0
            else { throw .malformed }
            out.append(high << 4 | low)
            index += 2
        case 0: throw .malformed
        case let byte: out.append(byte)
        }
        index += 1
    }
    guard let text = String(validating: out, as: UTF8.self) else { throw .malformed }
    return text
}

private func nibble(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

/// `text` as one value of a query, RFC 3986 §2: whatever is not unreserved is escaped.
func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            out.append(byte)
        default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: out, as: UTF8.self)
}

/// An address with fields added to the query it may have.
func address(_ base: String, _ fields: [(name: String, value: String)]) -> String {
    let query = fields.map { "\($0.name)=\(percentEncoded($0.value))" }.joined(separator: "&")
    guard !query.isEmpty else { return base }
    return base + (base.utf8.contains(UInt8(ascii: "?")) ? "&" : "?") + query
}
