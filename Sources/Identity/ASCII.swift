// ASCII.swift: the classes of bytes that national identifiers are made of.

@inline(__always)
func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

@inline(__always)
func isUpperLetter(_ byte: UInt8) -> Bool { byte >= 0x41 && byte <= 0x5A }

/// The byte in upper case when it is an ASCII letter, else itself.
@inline(__always)
func upperCased(_ byte: UInt8) -> UInt8 {
    byte >= 0x61 && byte <= 0x7A ? byte - 0x20 : byte
}

/// Copies at most `lengthMax` bytes, ASCII letters in upper case; nil when there are more.
func upperCased(_ bytes: Span<UInt8>, lengthMax: Int) -> [UInt8]? {
    guard bytes.count <= lengthMax else { return nil }
    var copy: [UInt8] = []
    copy.reserveCapacity(bytes.count)
    for index in bytes.indices { copy.append(upperCased(bytes[index])) }
    return copy
}
