// Base64URL.swift: base64url without padding, RFC 4648 §5, as WebAuthn writes bytes in JSON.

/// `bytes` as text.
func base64URL(_ bytes: [UInt8]) -> String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count * 4 + 2) / 3)
    var start = 0
    while start < bytes.count {
        let count = min(3, bytes.count - start)
        var group = UInt32(0)
        for index in 0..<3 {
            group = group << 8 | (index < count ? UInt32(bytes[start + index]) : 0)
        }
        for index in 0...count {
            text.append(letters[Int(group >> UInt32(18 - 6 * index) & 0x3f)])
        }
        start += 3
    }
    return String(decoding: text, as: UTF8.self)
}

/// The bytes that `text` stands for; nil unless it is the one way to write them.
///
/// No padding, no other alphabet, no bits left over that are not zero: two texts never mean the
/// same bytes.
func bytes(ofBase64URL text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count / 4 * 3 + 2)
    var group = UInt32(0)
    var bits = 0
    for letter in text.utf8 {
        let value: UInt8
        switch letter {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = letter - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): value = letter - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = letter - UInt8(ascii: "0") + 52
        case UInt8(ascii: "-"): value = 62
        case UInt8(ascii: "_"): value = 63
        default: return nil
        }
        group = (group << 6 | UInt32(value)) & 0xffff
        bits += 6
        if bits >= 8 {
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(bits)))
        }
    }
    // One letter alone is less than a byte; what is left of the last must be nothing.
    guard bits < 6, group & (1 << UInt32(bits) - 1) == 0 else { return nil }
    return bytes
}
