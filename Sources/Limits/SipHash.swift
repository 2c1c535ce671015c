// SipHash.swift: SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012).
//
// Keys the table: without the table's secret nobody can pick identifiers that share a slot, and
// the file alone does not read as a list of names.

/// The secret of one table.
struct SipKey: Equatable, Sendable {
    let low: UInt64
    let high: UInt64
}

private struct SipState {
    var a: UInt64
    var b: UInt64
    var c: UInt64
    var d: UInt64

    init(_ key: SipKey) {
        a = key.low ^ 0x736F_6D65_7073_6575
        // 0xEE marks the variant with 128 bits of output.
        b = key.high ^ 0x646F_7261_6E64_6F6D ^ 0xEE
        c = key.low ^ 0x6C79_6765_6E65_7261
        d = key.high ^ 0x7465_6462_7974_6573
    }

    mutating func rounds(_ count: Int) {
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

    mutating func absorb(_ word: UInt64) {
        d ^= word
        rounds(2)
        a ^= word
    }
}

@inline(__always)
private func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 {
    word << bits | word >> (64 - bits)
}

/// SipHash-2-4-128 of `bytes`: the first eight bytes of output, then the last, little-endian.
func sipHash128(_ bytes: Span<UInt8>, key: SipKey) -> (first: UInt64, second: UInt64) {
    var state = SipState(key)
    var word: UInt64 = 0
    for index in 0..<bytes.count {
        word |= UInt64(bytes[index]) << UInt64(index % 8 * 8)
        if index % 8 == 7 {
            state.absorb(word)
            word = 0
        }
    }
    state.absorb(word | UInt64(truncatingIfNeeded: bytes.count) << 56)
    state.c ^= 0xEE
    state.rounds(4)
    let first = state.a ^ state.b ^ state.c ^ state.d
    state.b ^= 0xDD
    state.rounds(4)
    return (first, state.a ^ state.b ^ state.c ^ state.d)
}
