// Base64.swift: base64 with padding, RFC 4648 §4, as RFC 9440 wants certificates.

/// The base64 text of these bytes.
func base64(_ bytes: [UInt8]) -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
        let left = bytes.count - index
        let word =
            UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
            | (left > 2 ? UInt32(bytes[index + 2]) : 0)
        out.append(alphabet[Int(word >> 18)])
        out.append(alphabet[Int(word >> 12 & 63)])
        out.append(left > 1 ? alphabet[Int(word >> 6 & 63)] : 0x3D)
        out.append(left > 2 ? alphabet[Int(word & 63)] : 0x3D)
        index += 3
    }
    return out
}
