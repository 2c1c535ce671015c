// JSONPlaces.swift: finds, 64 bytes at a time, where something begins or ends in a JSON text.
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
// Safe because `places` has room for what is left of the last time, for all that 16 blocks can
// hold and for what is written ahead; it is read below `tail` only, and freed with its owner.
@safe struct JSONPlaces: ~Copyable {
    /// Bytes looked at together, and how often before places are taken.
    private static let width = 64
    private static let blocksMax = 16
    /// Places that may be left when more are looked for.
    private static let leftMax = 8

    private let places: UnsafeMutablePointer<UInt32>
    private var head = 0
    private var tail = 0
    /// Offset of the next block.
    private var next = 0
    /// Offset of the last backslash so far; -1 for none.
    private var lastBackslash = -1
    /// What is wrong with the next block: said when all before it is taken.
    private var failure: Unparsed?

    // Carried from block to block.
    /// All ones within a string.
    private var inString: UInt64 = 0
    private var isInScalar: UInt64 = 0
    private var isEscaped: UInt64 = 0
    private var utf8 = UTF8Progress()

    init() {
        let room = Self.leftMax + (Self.blocksMax + 1) * Self.width
        unsafe places = .allocate(capacity: room)
        unsafe places.initialize(repeating: 0, count: room)
    }

    deinit { unsafe places.deallocate() }

    /// Begins with another text.
    mutating func restart() {
        (head, tail, next, lastBackslash, failure) = (0, 0, 0, -1, nil)
        (inString, isInScalar, isEscaped, utf8) = (0, 0, 0, UTF8Progress())
    }

    /// Where the text begins; called before anything is taken.
    mutating func skip(to offset: Int) { next = offset }

    /// Takes the next place; -1 when the bytes at hand hold none.
    @inline(__always)
    mutating func take(_ body: Span<UInt8>, isWhole: Bool) throws(Unparsed) -> Int {
        while head == tail {
            guard try refill(body, isWhole: isWhole) else { return -1 }
        }
        let place = unsafe places[head]
        head &+= 1
        return Int(place)
    }

    /// Whether six places can be looked at ahead.
    @inline(__always)
    mutating func hasSix(_ body: Span<UInt8>, isWhole: Bool) -> Bool {
        if tail &- head >= 6 { return true }
        // What is wrong is said when what is right has been taken.
        _ = try? refill(body, isWhole: isWhole)
        return tail &- head >= 6
    }

    /// A place that has not been taken yet, of the six.
    @inline(__always)
    mutating func ahead(_ index: Int) -> Int { Int(unsafe places[head &+ index]) }

    @inline(__always)
    mutating func pass(_ count: Int) { head &+= count }

    /// Whether there is a backslash from `start` to `end`, the place taken last.
    @inline(__always)
    mutating func hasBackslash(_ body: Span<UInt8>, from start: Int, to end: Int) -> Bool {
        guard lastBackslash >= start else { return false }
        for offset in start..<max(start, end) where body[offset] == UInt8(ascii: "\\") {
            return true
        }
        return false
    }

    /// Looks at the next blocks; false when none has come, or when there are no more.
    private mutating func refill(_ body: Span<UInt8>, isWhole: Bool) throws(Unparsed) -> Bool {
        let left = tail &- head
        guard left <= Self.leftMax else { return false }
        for index in 0..<left { unsafe places[index] = places[head &+ index] }
        (head, tail) = (0, left)
        var isAny = false
        for _ in 0..<Self.blocksMax where failure == nil {
            do throws(Unparsed) {
                guard try load(body, isWhole: isWhole) else { break }
                isAny = true
            } catch {
                failure = error
            }
        }
        if !isAny, let failure { throw failure }
        return isAny
    }

    private mutating func load(_ body: Span<UInt8>, isWhole: Bool) throws(Unparsed) -> Bool {
        let base = next
        let rest = body.count &- base
        guard rest >= Self.width || (isWhole && rest > 0) else { return false }
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
        var quotes = block.quotes
        if block.backslashes | isEscaped != 0 {
            quotes &= ~escaped(block.backslashes)
            if block.backslashes != 0 {
                lastBackslash = base &+ 63 &- block.backslashes.leadingZeroBitCount
            }
        }
        let inside = prefixParity(quotes) ^ inString
        guard block.controls & inside == 0 else { throw .malformed }
        inString = 0 &- (inside >> 63)
        let scalars = ~(block.marks | block.blanks | quotes | inside)
        note(
            quotes | (block.marks & ~inside) | (scalars & ~(scalars << 1 | isInScalar)), at: base)
        isInScalar = scalars >> 63
        next = base &+ Self.width
        return true
    }

    /// Adds the places of a block, eight at a time: what is too many is written over later.
    @inline(__always)
    private mutating func note(_ bits: UInt64, at base: Int) {
        var bits = bits
        let base = UInt32(truncatingIfNeeded: base)
        let end = tail &+ bits.nonzeroBitCount
        while bits != 0 {
            for index in 0..<8 {
                let place = UInt32(truncatingIfNeeded: bits.trailingZeroBitCount)
                unsafe places[tail &+ index] = base &+ place
                bits &= bits &- 1
            }
            tail &+= 8
        }
        tail = end
    }

    /// The bytes that follow a backslash which is not itself escaped.
    private mutating func escaped(_ backslashes: UInt64) -> UInt64 {
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
