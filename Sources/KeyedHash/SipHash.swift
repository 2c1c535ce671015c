// SipHash.swift: SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012).
//
// Whatever is kept under a keyed hash does not read as a list of names without the key, and nobody
// can pick names that share a place.

/// The secret of one gate's hashes.
package struct SipKey: Equatable, Sendable {
    package let low: UInt64
    package let high: UInt64

    package init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }
}

/// A message being hashed, piece by piece; the pieces' borders don't matter.
package struct SipHasher {
    private var a: UInt64
    private var b: UInt64
    private var c: UInt64
    private var d: UInt64
    /// Bytes not yet absorbed, the first lowest.
    private var word: UInt64 = 0
    private var count: UInt64 = 0

    @inline(__always)
    package init(_ key: SipKey) {
        a = key.low ^ 0x736F_6D65_7073_6575
        // 0xEE marks the variant with 128 bits of output.
        b = key.high ^ 0x646F_7261_6E64_6F6D ^ 0xEE
        c = key.low ^ 0x6C79_6765_6E65_7261
        d = key.high ^ 0x7465_6462_7974_6573
    }

    @inline(__always)
    private mutating func rounds(_ count: Int) {
        for _ in 0..<count {
            a = a &+ b
            c = c &+ d
            b = rotated(b, 13) ^ a
            d = rotated(d, 16) ^ c
            a = rotated(a, 32)
            c = c &+ b
            a = a &+ d
            b = rotated(b, 17) ^ c
            d = rotated(d, 21) ^ a
            c = rotated(c, 32)
        }
    }

    @inline(__always)
    private mutating func absorb(_ word: UInt64) {
        d ^= word
        rounds(2)
        a ^= word
    }

    @inline(__always)
    package mutating func append(_ byte: UInt8) {
        word |= UInt64(byte) << (count & 7 &* 8)
        count &+= 1
        if count & 7 == 0 {
            absorb(word)
            word = 0
        }
    }

    @inline(__always)
    package mutating func append(_ bytes: Span<UInt8>) {
        for index in bytes.indices { append(bytes[index]) }
    }

    /// The first eight bytes of output, then the last, little-endian.
    @inline(__always)
    package consuming func finish() -> (first: UInt64, second: UInt64) {
        absorb(word | count << 56)
        c ^= 0xEE
        rounds(4)
        let first = a ^ b ^ c ^ d
        b ^= 0xDD
        rounds(4)
        return (first, a ^ b ^ c ^ d)
    }
}

@inline(__always)
private func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 {
    word << bits | word >> (64 - bits)
}

/// SipHash-2-4-128 of `bytes`: the first eight bytes of output, then the last, little-endian.
package func sipHash128(_ bytes: Span<UInt8>, key: SipKey) -> (first: UInt64, second: UInt64) {
    var hasher = SipHasher(key)
    hasher.append(bytes)
    return hasher.finish()
}
