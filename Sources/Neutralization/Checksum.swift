// Checksum.swift: CRC-32C, so that a torn or rotten journal line is never obeyed, RFC 3385.

/// The remainders of all bytes, for the reflected Castagnoli polynomial.
private let remainders: [UInt32] = (0..<256).map { (byte: UInt32) in
    var rest = byte
    for _ in 0..<8 { rest = rest & 1 == 1 ? rest >> 1 ^ 0x82F6_3B78 : rest >> 1 }
    return rest
}

/// CRC-32C of `bytes`.
func crc32c(_ bytes: Span<UInt8>) -> UInt32 {
    let table = remainders.span
    var rest = UInt32.max
    for index in 0..<bytes.count {
        rest = rest >> 8 ^ table[Int((rest ^ UInt32(bytes[index])) & 0xFF)]
    }
    return ~rest
}
