// TextTable.swift: short texts, each kept once and known by its number.

/// Texts of at most 255 bytes, compared in upper case as far as ASCII goes.
///
/// A text takes its bytes, 5 more, and 8 to 16 of index.
struct TextTable: Sendable {
    private(set) var bytes: [UInt8] = []
    private var starts: [UInt32] = []
    private var lengths: [UInt8] = []
    /// A number plus one, 0 for empty; at most half full.
    private var index: [UInt32] = [0, 0]

    var count: Int { starts.count }

    /// Bytes in memory.
    var memory: Int { bytes.capacity + starts.capacity * 5 + index.capacity * 4 }

    /// The number of a text; nil when it is not there.
    func number(of text: Span<UInt8>) -> Int? {
        let mask = index.count - 1
        var place = Int(truncatingIfNeeded: hash(text)) & mask
        // INVARIANT: an empty place ends every search.
        while index[place] != 0 {
            let number = Int(index[place]) - 1
            if isEqual(number, text) { return number }
            place = (place + 1) & mask
        }
        return nil
    }

    /// The number of a text that is now there; its bytes lie within what 32 bits can count, which
    /// whoever inserts must see to.
    mutating func insert(_ text: Span<UInt8>) -> Int {
        if let number = number(of: text) { return number }
        let number = starts.count
        starts.append(UInt32(truncatingIfNeeded: bytes.count))
        lengths.append(UInt8(clamping: text.count))
        for offset in 0..<min(text.count, 255) { bytes.append(upper(text[offset])) }
        if (number + 1) * 2 > index.count { grow() }
        place(number, hash(text))
        return number
    }

    /// A text by its number.
    subscript(number: Int) -> String {
        let start = Int(starts[number])
        return String(decoding: bytes[start..<start + Int(lengths[number])], as: UTF8.self)
    }

    /// The first byte of a text; 0 for an empty one.
    func first(of number: Int) -> UInt8 {
        lengths[number] == 0 ? 0 : bytes[Int(starts[number])]
    }

    /// Gives back what was kept in reserve.
    mutating func compact() {
        bytes = Array(bytes)
        starts = Array(starts)
        lengths = Array(lengths)
    }

    private func isEqual(_ number: Int, _ text: Span<UInt8>) -> Bool {
        guard Int(lengths[number]) == text.count else { return false }
        let start = Int(starts[number])
        for offset in 0..<text.count where bytes[start + offset] != upper(text[offset]) {
            return false
        }
        return true
    }

    private mutating func grow() {
        index = [UInt32](repeating: 0, count: index.count * 2)
        let all = bytes
        for number in 0..<(starts.count - 1) {
            let start = Int(starts[number])
            place(number, hash(all.span.extracting(start..<start + Int(lengths[number]))))
        }
    }

    private mutating func place(_ number: Int, _ hash: UInt64) {
        let mask = index.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while index[place] != 0 { place = (place + 1) & mask }
        index[place] = UInt32(truncatingIfNeeded: number + 1)
    }
}

/// FNV-1a, its high bits folded in; files of the directory are no adversary's, and a table is
/// bounded whatever they hold.
private func hash(_ text: Span<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for offset in 0..<text.count { hash = (hash ^ UInt64(upper(text[offset]))) &* 0x100_0000_01B3 }
    return (hash ^ hash >> 29) &* 0x9E37_79B9_7F4A_7C15 >> 16
}

@inline(__always)
func upper(_ byte: UInt8) -> UInt8 { byte >= 0x61 && byte <= 0x7A ? byte - 0x20 : byte }
