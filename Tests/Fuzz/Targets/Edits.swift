// Edits.swift: what somebody does to bytes that were good: a few changes, wherever they hurt.

/// `genuine` as the edits change it that `bytes` spell, four bytes each: what, where and with what.
///
/// What is signed or sealed is never met by chance: attacks on it begin with something good.
func edited(_ genuine: [UInt8], by bytes: Span<UInt8>) -> [UInt8] {
    var text = genuine
    for start in stride(from: 0, to: bytes.count - 3, by: 4) {
        let place = (Int(bytes[start + 1]) << 8 | Int(bytes[start + 2])) % (text.count + 1)
        let value = bytes[start + 3]
        switch bytes[start] % 5 {
        case 0 where place < text.count: text[place] ^= value
        case 1: text.insert(value, at: place)
        case 2: text.removeSubrange(place..<min(text.count, place + Int(value)))
        case 3:
            text.insert(contentsOf: text[place..<min(text.count, place + Int(value))], at: place)
        case 4 where place < text.count: text[place] = value
        default: break
        }
    }
    return text
}
