// JSONBlocks.swift: finds, 64 bytes at a time, where something begins or ends in a JSON text.
//
// A block becomes one mask of the places worth looking at: quotes that are not escaped, marks
// outside strings, first bytes of numbers and words. What a reader does then costs by the token
// and not by the byte. UTF-8 and control characters are checked here, once, for all strings.

internal import CSystem

/// The places worth looking at, in order; blocks are taken at fixed offsets, so where a body was
/// cut on its way changes nothing.
///
/// Here and in the reader what is called for every token is `mutating` even where it changes
/// nothing: the compiler would copy the whole value for it otherwise.
struct JSONBlocks {
    /// Bytes looked at together.
    static let width = 64

    /// Offset of the block at hand, and of the one after it.
    private(set) var base = 0
    private var next = 0
    /// Places of the block at hand that were not taken yet.
    private var places: UInt64 = 0
    /// Bytes of the block that belong to numbers and words.
    private var scalars: UInt64 = 0
    private var backslashes: UInt64 = 0
    /// Offset of the last backslash in the blocks before; -1 for none.
    private var lastBackslash = -1

    // Carried from block to block.
    /// All ones within a string.
    private var inString: UInt64 = 0
    private var isInScalar: UInt64 = 0
    private var isEscaped: UInt64 = 0
    private var utf8 = UTF8Progress()

    init() {}

    /// Where the text begins; called once, before anything else.
    mutating func skip(to offset: Int) { next = offset }

    /// Takes the next place; -1 when the bytes at hand hold none.
    @inline(__always)
    mutating func take(_ body: Span<UInt8>, isWhole: Bool) throws(Unparsed) -> Int {
        while places == 0 {
            guard try load(body, isWhole: isWhole) else { return -1 }
        }
        let place = places.trailingZeroBitCount
        places &= places &- 1
        return base &+ place
    }

    /// Where the number or word ends that begins at `start`, the place taken last, or whose first
    /// part the blocks before held; -1 when the bytes at hand don't hold its end.
    mutating func endOfScalar(
        from start: Int, _ body: Span<UInt8>, isWhole: Bool
    ) throws(Unparsed) -> Int {
        var others = ~scalars
        if start >= base { others &= ~0 << UInt64(truncatingIfNeeded: start &- base) }
        while others == 0 {
            guard try load(body, isWhole: isWhole) else { return -1 }
            others = ~scalars
        }
        return base &+ others.trailingZeroBitCount
    }

    /// Whether there is a backslash from `start` to `end`, which lies in the block at hand.
    @inline(__always)
    mutating func hasBackslash(from start: Int, to end: Int) -> Bool {
        guard backslashes != 0 else { return lastBackslash >= start }
        let before = backslashes & ((1 << UInt64(truncatingIfNeeded: end &- base)) &- 1)
        guard before != 0 else { return lastBackslash >= start }
        return base &+ 63 &- before.leadingZeroBitCount >= start
    }

    /// Looks at the next block; false when it has not come, or when there is none.
    private mutating func load(_ body: Span<UInt8>, isWhole: Bool) throws(Unparsed) -> Bool {
        let rest = body.count &- next
        guard rest >= Self.width || (isWhole && rest > 0) else { return false }
        if backslashes != 0 { lastBackslash = base &+ 63 &- backslashes.leadingZeroBitCount }
        base = next
        next = base &+ Self.width

        // Safe because base + 64 <= count where 64 bytes are read, and else as many as there are.
        let block = unsafe body.withUnsafeBufferPointer { bytes -> herse_json_block in
            guard let start = bytes.baseAddress else {
                return unsafe herse_json_last_block("", 0)
            }
            return rest >= Self.width
                ? unsafe herse_json_block(start + base)
                : unsafe herse_json_last_block(start + base, rest)
        }
        if block.high != 0 || utf8.isWithin {
            try utf8.check(body, from: base, high: block.high, count: min(rest, Self.width))
        }
        backslashes = block.backslashes
        var quotes = block.quotes
        if backslashes | isEscaped != 0 { quotes &= ~escaped() }

        let inside = prefixParity(quotes) ^ inString
        inString = 0 &- (inside >> 63)
        guard block.controls & inside == 0 else { throw .malformed }
        scalars = ~(block.marks | block.blanks | quotes | inside)
        places = quotes | (block.marks & ~inside) | (scalars & ~(scalars << 1 | isInScalar))
        isInScalar = scalars >> 63
        return true
    }

    /// The bytes that follow a backslash which is not itself escaped.
    private mutating func escaped() -> UInt64 {
        var escaped = isEscaped
        var left = backslashes & ~isEscaped
        isEscaped = 0
        while left != 0 {
            let place = left.trailingZeroBitCount
            left &= left &- 1
            guard place < 63 else {
                isEscaped = 1
                break
            }
            let bit: UInt64 = 2 << UInt64(truncatingIfNeeded: place)
            escaped |= bit
            left &= ~bit
        }
        return escaped
    }
}

/// Bit n tells whether an odd number of bits is set up to and with n.
@inline(__always)
private func prefixParity(_ bits: UInt64) -> UInt64 {
    var bits = bits
    bits ^= bits << 1
    bits ^= bits << 2
    bits ^= bits << 4
    bits ^= bits << 8
    bits ^= bits << 16
    bits ^= bits << 32
    return bits
}

/// How far a character of several bytes has come; RFC 3629 §4, so neither surrogates nor overlong
/// forms.
private struct UTF8Progress {
    /// Bytes that the character at hand lacks, and what the next one may be.
    private var lacking = 0
    private var least: UInt8 = 0x80
    private var most: UInt8 = 0xBF

    var isWithin: Bool { lacking > 0 }

    mutating func check(
        _ body: Span<UInt8>, from base: Int, high: UInt64, count: Int
    ) throws(Unparsed) {
        var high = high
        var expected = 0
        while high != 0 {
            let place = high.trailingZeroBitCount
            high &= high &- 1
            let byte = body[base &+ place]
            if lacking > 0 {
                guard place == expected, byte >= least, byte <= most else { throw .encoding }
                lacking &-= 1
                (least, most) = (0x80, 0xBF)
            } else {
                try begin(byte)
            }
            expected = place &+ 1
        }
        // A text that ends within a character ends within a string: truncated, not wrong.
        guard lacking == 0 || expected == count else { throw .encoding }
    }

    private mutating func begin(_ byte: UInt8) throws(Unparsed) {
        switch byte {
        case 0xC2...0xDF: lacking = 1
        case 0xE0...0xEF:
            lacking = 2
            if byte == 0xE0 { least = 0xA0 }
            if byte == 0xED { most = 0x9F }
        case 0xF0...0xF4:
            lacking = 3
            if byte == 0xF0 { least = 0x90 }
            if byte == 0xF4 { most = 0x8F }
        default: throw .encoding
        }
    }
}
