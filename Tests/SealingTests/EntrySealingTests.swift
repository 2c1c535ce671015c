// EntrySealingTests.swift: entries come back as what they were, packed or not, or not at all.

import Foundation
import Testing

@testable import Sealing

/// What an entry usually is, as far as its words go.
private let usual = Array(
    """
    {"time":"2026-11-29T08:15:30.125Z","clock":"synchronized","professional":"810000000019",\
    "method":"certificate","decision":"allow","status":200,"persons":["00000000000000ff"]}
    """.utf8)

/// Entries of many lengths and kinds: the same again and again, usual words, anything at all.
private func samples(seed: UInt64) -> [[UInt8]] {
    var state = seed
    func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 33
    }
    let counts = [0, 1, 2, 15, 4095, 4097, packedEntryMax - 1, packedEntryMax, packedEntryMax + 1]
    let some = (0..<40).map { _ in Int(next() % 3000) }
    return (counts + some).flatMap { count -> [[UInt8]] in
        let same = [UInt8](repeating: 0x61, count: count)
        let words = (0..<count).map { usual[$0 % usual.count] }
        let any = (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
        return [same, words, any].map { [0x7B] + $0 }
    }
}

@Suite struct `Sealed entries` {
    let key: SegmentKey
    let sealer: EntrySealer
    let opener: EntryOpener

    init() throws {
        key = try #require(SegmentKey.make())
        sealer = try #require(EntrySealer(key))
        opener = try #require(EntryOpener())
    }

    private func sealed(_ entry: [UInt8], _ number: UInt64) -> [UInt8] {
        var line: [UInt8] = []
        #expect(sealer.append(entry.span, number: number, to: &line))
        return line
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func `open as what they were`(seed: UInt64) {
        for (number, entry) in samples(seed: seed).enumerated() {
            let line = sealed(entry, UInt64(number))
            let opened = opener.open(line.span, entryKey: key.entryKey(UInt64(number)))
            #expect(opened == entry, "entry of \(entry.count) bytes")
            #expect(
                opener.open(line.span, entryKey: key.entryKey(UInt64(number) + 1)) == nil,
                "under another number")
            // Base64 of what is sealed and its tag: never longer than without packing.
            #expect(line.count <= (entry.count + 16 + 2) / 3 * 4)
        }
    }

    @Test func `do not open once a byte of them is another`() {
        let line = sealed(usual, 7)
        // The last character has bits that mean nothing; that it is another the tree tells.
        for place in line.indices.dropLast() {
            var changed = line
            changed[place] = changed[place] == 0x41 ? 0x42 : 0x41
            #expect(opener.open(changed.span, entryKey: key.entryKey(7)) == nil)
        }
    }

    @Test func `take less room than their entry, though they are base64`() {
        #expect(sealed(usual, 0).count * 10 < usual.count * 6)
    }

    /// Whoever sees lengths must not be able to guess whom he was refused.
    @Test func `that name who was withheld are as long as they are, whatever is in them`() {
        for guess in ["1234567", "7654321", "1234560", "aaaaaaa"] {
            let entry = Array(
                """
                {"forwarded":"Patient/\(guess)","decision":"deny","withheld":["00000000000000ff"],\
                "identifiers":[["Patient/1234567"]]}
                """.utf8)
            #expect(sealed(entry, 0).count == ((entry.count + 16) * 4 + 2) / 3)
        }
    }
}

@Suite struct `Packed entries` {
    let unpacker: EntryUnpacker

    init() throws { unpacker = try #require(EntryUnpacker()) }

    private func bytes(_ base64: String) throws -> [UInt8] {
        Array(try #require(Data(base64Encoded: base64)))
    }

    /// Packed by Python's zlib with the words of the format: others would unpack to something else.
    @Test func `unpack with the words that the format has for ever`() throws {
        let packed = try bytes(
            "AcOabi2sDE2B4adnaGSKJ+ViSVwQYGiJO1URSh9I4WWAAtLSlGJrAQ==")
        #expect(unpacker.entry(of: packed) == usual)
    }

    @Test func `that were never packed are what they are`() {
        #expect(unpacker.entry(of: usual) == usual)
    }

    /// A newer gate's would be taken for entries otherwise, and be intact and unreadable.
    @Test func `of a kind that is not known are none`() throws {
        let packed = try bytes(
            "AcOabi2sDE2B4adnaGSKJ+ViSVwQYGiJO1URSh9I4WWAAtLSlGJrAQ==")
        #expect(unpacker.entry(of: []) == nil)
        for first in UInt8.min...UInt8.max where first != 1 && first != 0x7B {
            #expect(unpacker.entry(of: [first] + packed.dropFirst()) == nil)
        }
        // Nothing, packed, and something that is no object, after one that is.
        #expect(unpacker.entry(of: packed) == usual)
        #expect(unpacker.entry(of: [1, 3, 0]) == nil)
        #expect(unpacker.entry(of: [1, 0x4B, 0x04, 0x00]) == nil)
    }

    @Test func `unpack to a bound and no further`() throws {
        let rest = String(repeating: "A", count: 168)
        let most = try bytes("Ae3BIQEAAAACoK3u8LzBG0AD" + rest + "cAM=")
        let more = try bytes("Ae3BIQEAAAACoK3u8LzFGUAD" + rest + "cAM=")
        #expect(unpacker.entry(of: most)?.count == packedEntryMax)
        #expect(unpacker.entry(of: more) == nil)
        // The next is none the worse for it.
        #expect(unpacker.entry(of: most)?.count == packedEntryMax)
    }

    @Test func `are none when cut short, followed by anything, or without an end`() throws {
        let packed = try bytes(
            "AcOabi2sDE2B4adnaGSKJ+ViSVwQYGiJO1URSh9I4WWAAtLSlGJrAQ==")
        for count in 1..<packed.count {
            #expect(unpacker.entry(of: Array(packed[..<count])) == nil)
        }
        #expect(unpacker.entry(of: packed + [0]) == nil)
        #expect(unpacker.entry(of: packed) == usual)
    }
}
