// JSONScan.swift: passes over blanks and strings, 32 bytes at a time.

internal import CSystem

/// Bytes looked at together.
private let width = 32

/// What 32 bytes of a string are made of; all zero where there are fewer.
@inline(__always)
private func text(_ body: Span<UInt8>, at offset: Int) -> (stops: UInt32, high: UInt32) {
    guard offset >= 0, body.count &- offset >= width else { return (0, 0) }
    // Safe because 32 bytes from `offset` on are within the body.
    return unsafe body.withUnsafeBufferPointer { bytes in
        guard let start = bytes.baseAddress else { return (0, 0) }
        let text = unsafe herse_json_text(start + offset)
        return (text.stops, text.high)
    }
}

/// Where a string ends, if it does so soon and is plain: ASCII without escapes; else -1.
///
/// Of `isShort` ones fewer bytes are looked at.
@inline(__always)
func endOfPlainText(_ body: Span<UInt8>, from offset: Int, isShort: Bool) -> Int {
    guard body.count &- offset >= width else { return -1 }
    // Safe because 32 bytes from `offset` on are within the body; it never is negative.
    let plain = unsafe body.withUnsafeBufferPointer { bytes -> herse_json_plain in
        guard let start = bytes.baseAddress else { return herse_json_plain() }
        return isShort
            ? unsafe herse_json_short_plain(start + offset)
            : unsafe herse_json_plain(start + offset)
    }
    guard plain.quotes != 0 else { return -1 }
    let end = offset &+ plain.quotes.trailingZeroBitCount
    return plain.oddities & (plain.quotes ^ (plain.quotes &- 1)) == 0 ? end : -1
}

/// What is known of a string that is being passed over.
struct JSONTextMarks {
    var hasEscapes = false
    var hasHigh = false
}

/// Passes over a string up to its quote, where `offset` is left; false when the body ends before.
///
/// Called again with more of the body it goes on where it stopped.
func passText(
    _ body: Span<UInt8>, _ offset: inout Int, _ marks: inout JSONTextMarks
) throws(Unparsed) -> Bool {
    while offset < body.count {
        let text = text(body, at: offset)
        if text.stops == 0, body.count &- offset >= width {
            if text.high != 0 { marks.hasHigh = true }
            offset &+= width
            continue
        }
        // Either something is there to stop at, or too little is left to look at together.
        if text.stops != 0 {
            let first = text.stops & (0 &- text.stops)
            if text.high & (first &- 1) != 0 { marks.hasHigh = true }
            offset &+= text.stops.trailingZeroBitCount
        }
        switch body[offset] {
        case UInt8(ascii: "\""): return true
        case UInt8(ascii: "\\"):
            guard let next = try endOfEscape(body, at: offset) else { return false }
            marks.hasEscapes = true
            offset = next
        case 0..<0x20: throw .malformed
        case 0x80...:
            marks.hasHigh = true
            offset &+= 1
        default: offset &+= 1
        }
    }
    return false
}

/// Where the escape ends that begins at `offset`; nil when the body ends before.
private func endOfEscape(_ body: Span<UInt8>, at offset: Int) throws(Unparsed) -> Int? {
    guard offset &+ 1 < body.count else { return nil }
    guard body[offset &+ 1] == UInt8(ascii: "u") else {
        guard simpleEscape(body[offset &+ 1]) != nil else { throw .malformed }
        return offset &+ 2
    }
    for index in (offset &+ 2)..<(offset &+ 6) {
        guard index < body.count else { return nil }
        guard hexDigit(body[index]) != nil else { throw .malformed }
    }
    return offset &+ 6
}

/// Passes over blanks; false when there is nothing after them.
@inline(__always)
func passBlanks(_ body: Span<UInt8>, _ offset: inout Int) -> Bool {
    // A negative offset would be a large one here.
    guard UInt(bitPattern: offset) < UInt(bitPattern: body.count) else { return false }
    // Safe because the offset is within the body.
    if unsafe body[unchecked: offset] > 0x20 { return true }
    // A variable of its own, so that the caller's can stay in a register.
    var place = offset
    let isMore = passSomeBlanks(body, &place)
    offset = place
    return isMore
}

@inline(never)
private func passSomeBlanks(_ body: Span<UInt8>, _ offset: inout Int) -> Bool {
    // Most blanks stand alone, after a colon.
    guard body.count &- offset > 1, body[offset] == UInt8(ascii: " "), body[offset &+ 1] > 0x20
    else { return passManyBlanks(body, &offset) }
    offset &+= 1
    return true
}

@inline(__always)
private func passManyBlanks(_ body: Span<UInt8>, _ offset: inout Int) -> Bool {
    while body.count &- offset >= width {
        // Safe because 32 bytes from `offset` on are within the body.
        let inked = unsafe body.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return 1 as UInt32 }
            return unsafe herse_json_inked(start + offset)
        }
        if inked != 0 {
            offset &+= inked.trailingZeroBitCount
            return true
        }
        offset &+= width
    }
    while offset < body.count {
        switch body[offset] {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"):
            offset &+= 1
        default: return true
        }
    }
    return false
}

/// Whether the bytes are UTF-8, RFC 3629 §4: neither surrogates nor overlong forms.
func isUTF8(_ body: Span<UInt8>, _ range: Range<Int>) -> Bool {
    var offset = range.lowerBound
    while offset < range.upperBound {
        let byte = body[offset]
        guard byte >= 0x80 else {
            offset &+= plainBytes(body, at: offset)
            continue
        }
        let lacking: Int
        var least: UInt8 = 0x80
        var most: UInt8 = 0xBF
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
        default: return false
        }
        guard range.upperBound &- offset > lacking else { return false }
        for index in 1...lacking {
            let next = body[offset &+ index]
            guard next >= least, next <= most else { return false }
            (least, most) = (0x80, 0xBF)
        }
        offset &+= lacking &+ 1
    }
    return true
}

/// How many bytes that are ASCII come at least, at a place where one stands.
private func plainBytes(_ body: Span<UInt8>, at offset: Int) -> Int {
    guard body.count &- offset >= width else { return 1 }
    let high = text(body, at: offset).high
    return high == 0 ? width : high.trailingZeroBitCount
}
