// NameBuilder.swift: distinguished names in DER, for the tests; able to write bad ones.

/// The tag of a value.
enum Tag: UInt8 {
    case utf8 = 0x0C
    case numeric = 0x12
    case printable = 0x13
    case teletex = 0x14
    case ia5 = 0x16
    case visible = 0x1A
    case universal = 0x1C
    case bmp = 0x1E
    case bitString = 0x03
}

/// One attribute: a dotted identifier or a short name, and the bytes of its value.
struct Pair {
    let type: [UInt8]
    let tag: Tag
    let value: [UInt8]

    init(_ name: String, _ value: String, _ tag: Tag = .utf8) {
        self.init(name, bytes: Array(value.utf8), tag)
    }

    init(_ name: String, bytes: [UInt8], _ tag: Tag) {
        type = Pair.types[name, default: []]
        self.tag = tag
        self.value = bytes
    }

    private static let types: [String: [UInt8]] = [
        "CN": [0x55, 4, 3], "SN": [0x55, 4, 4], "serialNumber": [0x55, 4, 5], "C": [0x55, 4, 6],
        "L": [0x55, 4, 7], "ST": [0x55, 4, 8], "O": [0x55, 4, 10], "OU": [0x55, 4, 11],
        "title": [0x55, 4, 12], "GN": [0x55, 4, 42], "pseudonym": [0x55, 4, 65],
        "UID": [0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 1, 1],
    ]

    var der: [UInt8] {
        tlv(0x30, tlv(0x06, type) + tlv(tag.rawValue, value))
    }
}

/// A tag, a definite length, a content.
func tlv(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    switch content.count {
    case ..<0x80: [tag, UInt8(content.count)] + content
    case ..<0x100: [tag, 0x81, UInt8(content.count)] + content
    default: [tag, 0x82, UInt8(content.count >> 8), UInt8(content.count & 0xFF)] + content
    }
}

/// A name of these relative names, each with its attributes in this order.
func name(_ relativeNames: [[Pair]]) -> [UInt8] {
    tlv(0x30, relativeNames.flatMap { tlv(0x31, $0.flatMap(\.der)) })
}

/// A generator whose seed a failing test can print.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
