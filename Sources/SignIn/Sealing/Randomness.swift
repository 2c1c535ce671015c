// Randomness.swift: bytes that nobody can guess.

internal import COpenSSL

/// Fresh random bytes; nil when the system has none to give, and then nothing may begin.
func randomBytes(_ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    // Safe because bytes has the length that is asked for.
    guard unsafe RAND_bytes(&bytes, Int32(count)) == 1 else { return nil }
    return bytes
}

/// Hexadecimal in lower case.
func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
        decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
