// TableHeader.swift: the first page of the table file.
//
//     0 magic (8)   8 version (4)   12 slot size (4)   16 slots (8)   24 secret (16)
//     40 check of the 40 bytes before (8)
//     48 boot (16)   64 origin of the clock (8)   72 latest time charged (8)   80 runs (8)
//
// Numbers as the machine has them: the file never leaves it.

import KeyedHash

/// What the first 48 bytes say; they are written once, when the file is made.
struct TableHeader: Equatable {
    let slots: Int
    let key: SipKey

    /// Bytes before the first slot: one page.
    static let size = 4096
    static let version: UInt32 = 1
    /// `HERSELIM`, read as a little-endian number.
    static let magic: UInt64 = 0x4D49_4C45_5352_4548
    static let slotsMin = 1 << 10
    /// 8 GiB: the counts of twenty million professionals.
    static let slotsMax = 1 << 26
    static let checkedWords = 5

    static func length(slots: Int) -> Int { size + slots * Slot.size }

    /// The words a new file begins with.
    var words: [UInt64] {
        let words = [
            Self.magic, UInt64(Self.version) | UInt64(Slot.size) << 32, UInt64(slots), key.low,
            key.high,
        ]
        return words + [Self.check(words)]
    }

    init(slots: Int, key: SipKey) {
        self.slots = slots
        self.key = key
    }

    /// Reads the first six words of a file.
    init(_ words: [UInt64], path: String) throws(LimitTableError) {
        guard words.count == Self.checkedWords + 1, words[0] == Self.magic else {
            throw .notATable(path: path)
        }
        let version = UInt32(truncatingIfNeeded: words[1])
        guard version == Self.version else { throw .otherVersion(path: path, version: version) }
        guard words[5] == Self.check(Array(words[..<Self.checkedWords])),
            words[1] >> 32 == UInt64(Slot.size), let slots = Int(exactly: words[2]),
            slots >= Self.slotsMin, slots <= Self.slotsMax, slots & (slots - 1) == 0
        else { throw .damagedHeader(path: path) }
        self.init(slots: slots, key: SipKey(low: words[3], high: words[4]))
    }

    private static func check(_ words: [UInt64]) -> UInt64 { headerCheck(words, magic: magic) }
}

/// A hash over a header's words, against accidents.
func headerCheck(_ words: [UInt64], magic: UInt64) -> UInt64 {
    let bytes = words.flatMap { word in
        (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) }
    }
    return sipHash128(bytes.span, key: SipKey(low: magic, high: 0)).first
}
