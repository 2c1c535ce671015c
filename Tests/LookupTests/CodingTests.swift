// CodingTests.swift: content codings, made by Python's zlib and written down.

import Foundation
import Testing

@testable import Lookup

private func bytes(_ text: String) -> [UInt8] { Array(Data(base64Encoded: text) ?? Data()) }

private func decode(_ body: [UInt8], _ coding: String, max: Int = 1 << 20) -> [UInt8]? {
    try? decoded(body.span, coding: Array(coding.utf8).span, max: max)
}

@Suite struct `Content codings` {
    private let text = Array("patient patient patient patient".utf8)
    private let gzip = bytes("H4sIAAAAAAACAytILMlMzStRKMBOAwAHwOb6HwAAAA==")
    private let zlib = bytes("eJwrSCzJTM0rUSjATgMAwwMMNQ==")
    private let raw = bytes("K0gsyUzNK1EowE4DAA==")
    /// 200,000 zeros.
    private let bomb = bytes(
        "H4sIAAAAAAACA+3BMQEAAADCoPVPbQZ/o" + String(repeating: "A", count: 257)
            + "CA1wB7WOBcQA0DAA==")

    @Test func `are undone`() {
        #expect(decode(gzip, "gzip") == text)
        #expect(decode(gzip, " X-GZip ") == text)
        #expect(decode(gzip + gzip, "gzip") == text + text)
        #expect(decode(zlib, "deflate") == text)
        #expect(decode(raw, "deflate") == text)
        #expect(decode(text, "identity") == text)
        #expect(decode(text, "") == text)
        #expect(decode(bomb, "gzip", max: 200_000)?.count == 200_000)
    }

    @Test(arguments: [
        "br", "zstd", "gzip, gzip", "compress", "gzip;q=1", "gzi", "deflate, identity",
    ])
    func `that are not known are refused`(coding: String) {
        #expect(decode(gzip, coding) == nil)
    }

    @Test func `end at the bound`() {
        #expect(decode(bomb, "gzip", max: 199_999) == nil)
        #expect(decode(gzip, "gzip", max: text.count) == text)
        #expect(decode(gzip, "gzip", max: text.count - 1) == nil)
        #expect(decode(text, "identity", max: text.count - 1) == nil)
        #expect(decode(gzip, "gzip", max: 0) == nil)
    }

    @Test func `that are broken anywhere are refused`() {
        for (body, coding) in [(gzip, "gzip"), (zlib, "deflate"), (raw, "deflate")] {
            for length in body.indices {
                #expect(decode(Array(body[..<length]), coding) == nil, "cut at \(length)")
            }
            #expect(decode(body + [0x78], coding) == nil)
        }
        var wrong = gzip
        wrong[gzip.count - 5] ^= 1
        #expect(decode(wrong, "gzip") == nil)
        #expect(decode(text, "gzip") == nil)
        #expect(decode(text, "deflate") == nil)
    }
}
