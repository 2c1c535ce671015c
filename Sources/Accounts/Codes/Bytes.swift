// Bytes.swift: hashes, random bytes, comparisons that tell nothing, and bytes as text.

internal import COpenSSL

/// SHA-256 of `bytes`.
func sha256(_ bytes: Span<UInt8>) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 32
    let done = unsafe bytes.withUnsafeBufferPointer { input in
        unsafe digest.withUnsafeMutableBufferPointer { output in
            // Safe because SHA-256 writes 32 bytes and the room has as many.
            unsafe EVP_Digest(
                input.baseAddress, input.count, output.baseAddress, &length, EVP_sha256(), nil)
        }
    }
    precondition(done == 1 && length == 32, "SHA-256 is always there")
    return digest
}

/// Random bytes from the system's generator.
package func randomBytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let done = unsafe bytes.withUnsafeMutableBufferPointer { room in
        // Safe because it writes as many bytes as the room has.
        unsafe RAND_priv_bytes(room.baseAddress, Int32(room.count))
    }
    precondition(done == 1, "without random bytes no secret can be made")
    return bytes
}

/// A random number for an epoch.
func randomNumber() -> UInt64 { randomBytes(8).reduce(0) { $0 << 8 | UInt64($1) } }

/// Whether both are equal, in a time that depends on their lengths alone.
func isSame(_ one: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
    guard one.count == other.count else { return false }
    var difference: UInt8 = 0
    for index in 0..<one.count { difference |= one[index] ^ other[index] }
    return difference == 0
}

/// Overwrites a secret where it lies; copies made of it before are not reached.
package func wipe(_ bytes: inout [UInt8]) {
    overwrite(&bytes)
    bytes = []
}

/// Overwrites a secret and keeps its room.
func overwrite(_ bytes: inout [UInt8]) {
    unsafe bytes.withUnsafeMutableBytes { room in
        // Safe because it overwrites the array's own bytes.
        unsafe OPENSSL_cleanse(room.baseAddress, room.count)
    }
}

private let hexDigits = Array("0123456789abcdef".utf8)

func hexadecimal(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    for byte in bytes {
        text.append(hexDigits[Int(byte >> 4)])
        text.append(hexDigits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}

/// Reads hexadecimal digits, small letters only; nil for anything else.
func bytes(hexadecimal text: Substring) -> [UInt8]? {
    let digits = text.utf8.map { digit in hexDigits.firstIndex(of: digit) }
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
        guard let high = digits[index], let low = digits[index + 1] else { return nil }
        bytes.append(UInt8(high << 4 | low))
    }
    return bytes
}

private let base64Digits = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

/// Base64url without padding, RFC 4648 §5.
func base64URL(_ bytes: [UInt8]) -> String {
    text(bytes, bitsEach: 6, digits: base64Digits)
}

/// Base32 without padding, RFC 4648 §6: how authenticator apps want a secret.
package func base32(_ bytes: [UInt8]) -> String {
    text(bytes, bitsEach: 5, digits: Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8))
}

private func text(_ bytes: [UInt8], bitsEach: Int, digits: [UInt8]) -> String {
    var result: [UInt8] = []
    var kept = 0
    var bits = 0
    for byte in bytes {
        kept = kept << 8 | Int(byte)
        bits += 8
        while bits >= bitsEach {
            bits -= bitsEach
            result.append(digits[kept >> bits])
            kept &= (1 << bits) - 1
        }
    }
    if bits > 0 { result.append(digits[kept << (bitsEach - bits)]) }
    return String(decoding: result, as: UTF8.self)
}

/// Reads base64url without padding; nil for anything else, such as bits that no byte has.
func bytes(base64URL text: Substring) -> [UInt8]? {
    var result: [UInt8] = []
    var kept = 0
    var bits = 0
    for digit in text.utf8 {
        guard let value = base64Digits.firstIndex(of: digit) else { return nil }
        kept = kept << 6 | value
        bits += 6
        if bits >= 8 {
            bits -= 8
            result.append(UInt8(kept >> bits))
            kept &= (1 << bits) - 1
        }
    }
    return bits < 6 && kept == 0 ? result : nil
}
