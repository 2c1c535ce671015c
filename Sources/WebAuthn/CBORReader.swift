// CBORReader.swift: CBOR as authenticators write it, RFC 8949 within the bounds of CTAP2 §8.
//
// libfido2 reads CBOR too, but offers no way to read an attestation object, to see that nothing
// follows what it read, or to bound how deep it goes. What it is given has passed here first.

/// Not CBOR, or none that an authenticator may write.
struct CBORError: Error {}

/// Reads items one after the other: definite lengths, no tags, nothing beyond the end.
struct CBORReader {
    private let bytes: [UInt8]
    private let end: Int
    private(set) var offset: Int

    /// Containers within one another that are skipped; CTAP2 writes four.
    private static let depthMax = 8

    private enum Kind: UInt8 {
        case unsigned, negative, bytes, text, array, map, tag, simple
    }

    init(_ bytes: [UInt8], in range: Range<Int>) {
        self.bytes = bytes
        offset = range.clamped(to: 0..<bytes.count).lowerBound
        end = range.clamped(to: 0..<bytes.count).upperBound
    }

    var isAtEnd: Bool { offset == end }

    mutating func integer() throws(CBORError) -> Int64 {
        let (kind, value) = try head()
        guard let value = Int64(exactly: value) else { throw CBORError() }
        switch kind {
        case .unsigned: return value
        case .negative: return -1 - value
        default: throw CBORError()
        }
    }

    mutating func byteString() throws(CBORError) -> Range<Int> { try string(.bytes) }

    /// A text, which is short and ASCII in all that is read here.
    mutating func text() throws(CBORError) -> String {
        String(decoding: bytes[try string(.text)], as: UTF8.self)
    }

    /// The number of items that follow.
    mutating func array(countMax: Int) throws(CBORError) -> Int {
        try container(.array, countMax: countMax)
    }

    /// The number of pairs that follow.
    mutating func map(countMax: Int) throws(CBORError) -> Int {
        try container(.map, countMax: countMax)
    }

    /// Passes over one item with all that is in it; returns where it lies.
    @discardableResult
    mutating func skip() throws(CBORError) -> Range<Int> {
        let start = offset
        try skip(depth: Self.depthMax)
        return start..<offset
    }

    /// Whether the item at `offset`, which was passed over, is `false`.
    func isFalse(at range: Range<Int>) -> Bool { bytes[range].elementsEqual([0xf4]) }

    private mutating func skip(depth: Int) throws(CBORError) {
        let start = offset
        let (kind, value) = try head()
        switch kind {
        case .unsigned, .negative, .simple: break
        case .bytes, .text:
            offset = start
            _ = try string(kind)
        case .array, .map:
            // Each item is a byte at least: a count past what is left is a lie, told early.
            guard depth > 0, value <= UInt64(end - offset) else { throw CBORError() }
            for _ in 0..<Int(value) * (kind == .map ? 2 : 1) { try skip(depth: depth - 1) }
        case .tag: throw CBORError()
        }
    }

    private mutating func container(_ kind: Kind, countMax: Int) throws(CBORError) -> Int {
        let (found, value) = try head()
        guard found == kind, let count = Int(exactly: value), count <= countMax else {
            throw CBORError()
        }
        return count
    }

    private mutating func string(_ kind: Kind) throws(CBORError) -> Range<Int> {
        let (found, value) = try head()
        guard found == kind, let count = Int(exactly: value), count <= end - offset else {
            throw CBORError()
        }
        let start = offset
        offset += count
        return start..<offset
    }

    /// The first byte of an item and its argument: a number, a length or a count.
    private mutating func head() throws(CBORError) -> (Kind, UInt64) {
        guard offset < end, let kind = Kind(rawValue: bytes[offset] >> 5) else { throw CBORError() }
        let short = bytes[offset] & 0x1f
        offset += 1
        guard short >= 24 else { return (kind, UInt64(short)) }
        // 28 to 30 are reserved, 31 is an indefinite length.
        guard short <= 27 else { throw CBORError() }
        let length = 1 << Int(short - 24)
        guard length <= end - offset else { throw CBORError() }
        var value = UInt64(0)
        for _ in 0..<length {
            value = value << 8 | UInt64(bytes[offset])
            offset += 1
        }
        return (kind, value)
    }
}
