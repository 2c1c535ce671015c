// PersonsHeader.swift: the first page of the file of persons.
//
//     0 magic (8)   8 version (4)   12 cell size (4)   16 index entries (8)   24 links (8)
//     32 secret (16)   48 check of the 48 bytes before (8)   56 slabs that have their blocks (8)
//
// The index, the links and then the slabs follow.

import KeyedHash

/// What the first 56 bytes say; they are written once, when the file is made.
struct PersonsHeader: Equatable {
    let entries: Int
    let links: Int
    let key: SipKey

    static let size = 4096
    static let version: UInt32 = 1
    /// `HERSEPER`, read as a little-endian number.
    static let magic: UInt64 = 0x5245_5045_5352_4548
    static let entrySize = 16
    static let linkSize = 16
    static let checkedWords = 6
    static let entriesRange = 1 << 9...1 << 25
    static let linksRange = 1 << 10...1 << 24

    var indexOffset: Int { Self.size }
    var linksOffset: Int { indexOffset + entries * Self.entrySize }
    var slabsOffset: Int { linksOffset + links * Self.linkSize }

    /// The words a new file begins with.
    func words(slabs: Int) -> [UInt64] {
        let words = [
            Self.magic, UInt64(Self.version) | 8 << 32, UInt64(entries), UInt64(links), key.low,
            key.high,
        ]
        return words + [headerCheck(words, magic: Self.magic), UInt64(slabs)]
    }

    /// A file for a table of so many slots: an index for half as many, since a professional has
    /// a slot for each of his other windows, and twice as many links.
    init(slots: Int, key: SipKey) {
        entries = min(
            max(slots / 2, Self.entriesRange.lowerBound), Self.entriesRange.upperBound)
        links = min(max(slots * 2, Self.linksRange.lowerBound), Self.linksRange.upperBound)
        self.key = key
    }

    /// Reads the first eight words of a file.
    init(_ words: [UInt64], path: String) throws(LimitTableError) {
        guard words.count == Self.checkedWords + 2, words[0] == Self.magic else {
            throw .notATable(path: path)
        }
        let version = UInt32(truncatingIfNeeded: words[1])
        guard version == Self.version else { throw .otherVersion(path: path, version: version) }
        guard words[6] == headerCheck(Array(words[..<Self.checkedWords]), magic: Self.magic),
            words[1] >> 32 == 8, let entries = Int(exactly: words[2]),
            let links = Int(exactly: words[3]), Self.entriesRange.contains(entries),
            Self.linksRange.contains(links), entries & (entries - 1) == 0,
            links & (links - 1) == 0
        else { throw .damagedHeader(path: path) }
        self.entries = entries
        self.links = links
        key = SipKey(low: words[4], high: words[5])
    }
}
