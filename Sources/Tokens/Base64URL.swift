// Base64URL.swift: base64url without padding, RFC 7515 §2; one text for one value, or none.

private let letters = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

/// What each byte stands for; 0xFF for those that have no place in the alphabet.
private let values: [UInt8] = {
    var values = [UInt8](repeating: 0xFF, count: 256)
    for (value, letter) in letters.enumerated() { values[Int(letter)] = UInt8(value) }
    return values
}()

/// The bytes a text stands for; nil for padding, other letters, or bits left over that are not
/// zero: with them one value would have many texts.
package func decodeBase64URL(_ text: Span<UInt8>) -> [UInt8]? {
    guard text.count % 4 != 1 else { return nil }
    // A global is asked each time whether it was made already.
    let values = values
    var out: [UInt8] = []
    out.reserveCapacity(text.count / 4 * 3 + 2)
    var bits: UInt32 = 0
    var count: UInt32 = 0
    for index in text.indices {
        let value = values[Int(text[index])]
        guard value != 0xFF else { return nil }
        bits = (bits & 0xFFFF) << 6 | UInt32(value)
        count += 6
        if count >= 8 {
            count -= 8
            out.append(UInt8(truncatingIfNeeded: bits >> count))
        }
    }
    guard bits & ((1 << count) - 1) == 0 else { return nil }
    return out
}

package func decodeBase64URL(_ text: String) -> [UInt8]? {
    let bytes = Array(text.utf8)
    return decodeBase64URL(bytes.span)
}

/// The text of bytes, as ASCII.
package func encodeBase64URL(_ bytes: Span<UInt8>) -> [UInt8] {
    let letters = letters
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count * 4 + 2) / 3)
    var bits: UInt32 = 0
    var count: UInt32 = 0
    for index in bytes.indices {
        bits = (bits & 0xFF) << 8 | UInt32(bytes[index])
        count += 8
        while count >= 6 {
            count -= 6
            out.append(letters[Int(bits >> count & 63)])
        }
    }
    if count > 0 { out.append(letters[Int(bits << (6 - count) & 63)]) }
    return out
}

package func encodeBase64URL(_ bytes: [UInt8]) -> String {
    String(decoding: encodeBase64URL(bytes.span), as: UTF8.self)
}
