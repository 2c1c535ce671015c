// ByteSet.swift: which bytes may stand where in a head, RFC 9110 §5.6.2 and RFC 3986 §3.3.

/// A set of ASCII bytes, as two words: a test costs no memory access.
///
/// Bytes from 0x80 are in none.
struct ByteSet {
    /// One bit for each of the bytes 0x00 to 0x3F.
    let low: UInt64
    /// One bit for each of the bytes 0x40 to 0x7F.
    let high: UInt64

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let word = byte < 0x40 ? low : high
        return byte < 0x80 && (word &>> UInt64(byte)) & 1 != 0
    }

    /// `token`, RFC 9110 §5.6.2: letters, digits and ``!#$%&'*+-.^_`|~``.
    static var token: ByteSet {
        ByteSet(low: 0x03ff_6cfa_0000_0000, high: 0x57ff_ffff_c7ff_fffe)
    }

    /// The token bytes that every known field name is made of: letters, digits and the hyphen.
    static var plainName: ByteSet {
        ByteSet(low: 0x03ff_2000_0000_0000, high: 0x07ff_fffe_07ff_fffe)
    }

    /// `pchar`, RFC 3986 §3.3, less the three that mean something in a path: `.`, `%` and `;`.
    static var segment: ByteSet {
        ByteSet(low: 0x27ff_3fd2_0000_0000, high: 0x47ff_fffe_87ff_ffff)
    }

    /// `unreserved`, RFC 3986 §2.3: letters, digits and `-._~`.
    static var unreserved: ByteSet {
        ByteSet(low: 0x03ff_6000_0000_0000, high: 0x47ff_fffe_87ff_fffe)
    }

    /// Letters and digits.
    static var alphanumeric: ByteSet {
        ByteSet(low: 0x03ff_0000_0000_0000, high: 0x07ff_fffe_07ff_fffe)
    }
}

/// Bytes with a name, as the grammars of RFC 9112 call them.
enum Ascii {
    static var tab: UInt8 { 0x09 }
    static var lineFeed: UInt8 { 0x0A }
    static var carriageReturn: UInt8 { 0x0D }
    static var space: UInt8 { 0x20 }
    static var numberSign: UInt8 { 0x23 }
    static var percent: UInt8 { 0x25 }
    static var asterisk: UInt8 { 0x2A }
    static var comma: UInt8 { 0x2C }
    static var hyphen: UInt8 { 0x2D }
    static var dot: UInt8 { 0x2E }
    static var slash: UInt8 { 0x2F }
    static var zero: UInt8 { 0x30 }
    static var colon: UInt8 { 0x3A }
    static var semicolon: UInt8 { 0x3B }
    static var questionMark: UInt8 { 0x3F }
    static var leftBracket: UInt8 { 0x5B }
    static var backslash: UInt8 { 0x5C }
    static var rightBracket: UInt8 { 0x5D }
    static var delete: UInt8 { 0x7F }

    /// The value of a hexadecimal digit, or nil.
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt8? {
        if byte &- zero < 10 { return byte &- zero }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- zero < 10 }

    /// Optional white space, RFC 9110 §5.6.3.
    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

    /// A letter in lower case; any other byte as it is.
    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// Whether the bytes of the two ranges are the same, whatever their case.
    static func same(_ bytes: Span<UInt8>, _ one: Range<Int>, _ other: Range<Int>) -> Bool {
        guard one.count == other.count else { return false }
        for offset in 0..<one.count {
            let byte = lowercased(bytes[one.lowerBound + offset])
            if byte != lowercased(bytes[other.lowerBound + offset]) { return false }
        }
        return true
    }

    /// Whether the bytes of `range` are `text`, which is in lower case, whatever their case.
    @inline(__always)
    static func matches(_ bytes: Span<UInt8>, _ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        for offset in 0..<range.count {
            // Safe because offset is below the length of the text, which lives for ever.
            let wanted = unsafe text.utf8Start[offset]
            if lowercased(bytes[range.lowerBound + offset]) != wanted { return false }
        }
        return true
    }
}

/// Where the text that a field value may hold ends, or `end`.
///
/// RFC 9110 §5.5: it stops at a control byte other than a tab; bytes from 0x80 are text.
@inline(__always)
func endOfFieldText(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
    var index = start
    // Safe because every byte is initialized and has no padding.
    let raw = unsafe bytes.bytes
    while index < end {
        guard end &- index >= 8 else {
            if isFieldText(bytes[index]) {
                index &+= 1
                continue
            }
            return index
        }
        // Safe because any eight bytes are an integer, and the load checks its bounds.
        let word = unsafe UInt64(
            littleEndian: raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
        let hits = controlBytes(in: word)
        if hits == 0 {
            index &+= 8
            continue
        }
        // A borrow can only make false hits above a true one, so the lowest hit is true.
        index &+= hits.trailingZeroBitCount &>> 3
        guard bytes[index] == Ascii.tab else { return index }
        index &+= 1
    }
    return end
}

@inline(__always)
func isFieldText(_ byte: UInt8) -> Bool {
    (byte >= 0x20 && byte != Ascii.delete) || byte == Ascii.tab
}

/// The top bit of each byte of `word` that is below 0x20 or is 0x7F; see the caller for its limits.
@inline(__always)
private func controlBytes(in word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    let low = (word &- ones &* 0x20) & ~word
    let flipped = word ^ (ones &* 0x7F)
    let delete = (flipped &- ones) & ~flipped
    return (low | delete) & tops
}
