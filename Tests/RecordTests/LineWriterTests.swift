// LineWriterTests.swift: lines of the record are always one JSON object each.

import Foundation
import Testing

@testable import Record

@Suite struct `A line of the record` {
    @Test func `is one JSON object with every number it was given`() {
        let writer = LineWriter()
        writer.begin()
        writer.raw("\"time\":1")
        writer.append(
            ExchangeEntry(
                decision: .deny, delivery: .begun, status: 429, bytes: 120,
                totalMicroseconds: 1500, serverMicroseconds: nil, generation: 3))
        writer.end()
        let expected =
            "{\"time\":1,\"decision\":\"deny\",\"status\":429,\"delivery\":\"begun\","
            + "\"bytes\":120,\"microseconds\":1500,\"generation\":3}\n"
        #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
    }

    @Test(arguments: [
        ("plain", "\"plain\""), ("a\"b\\c", "\"a\\\"b\\\\c\""), ("tab\t", "\"tab\\u0009\""),
    ])
    func `quotes what would end a string`(text: String, expected: String) {
        #expect(String(decoding: jsonString(text), as: UTF8.self) == expected)
    }

    /// Identifiers come from identity servers, and may be any bytes.
    private static let hostile: [([UInt8], String)] = [
        (Array("urn:oid:1.2|185".utf8), "urn:oid:1.2|185"),
        (Array("é€😀".utf8), "é€😀"),
        (Array("a\"b\\c\n\u{1}\u{7F}d".utf8), "a\"b\\c\n\u{1}\u{7F}d"),
        (Array("\"},{\"time\":\"x".utf8), "\"},{\"time\":\"x"),
        ([0xFF, 0x41, 0xC0, 0x80], "\u{FFFD}A\u{FFFD}\u{FFFD}"),
        // Cut within a scalar, a surrogate, too long a form, beyond the last scalar.
        ([0x41, 0xE2, 0x82], "A\u{FFFD}\u{FFFD}"),
        ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"),
        ([0xE0, 0x80, 0xAF], "\u{FFFD}\u{FFFD}\u{FFFD}"),
        ([0xF4, 0x90, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
        ([0xF0, 0x9F, 0x98], "\u{FFFD}\u{FFFD}\u{FFFD}"),
        ([], ""),
    ]

    @Test(arguments: hostile)
    func `escapes any bytes into one JSON string`(bytes: [UInt8], expected: String) throws {
        let writer = LineWriter()
        writer.raw("\"")
        writer.escaped(bytes.span)
        writer.raw("\"")
        let line = Data(writer.bytes)
        #expect(!line.contains(0x0A))
        let read = try JSONSerialization.jsonObject(with: line, options: .fragmentsAllowed)
        #expect(read as? String == expected)
    }

    @Test func `stays one line of JSON whatever two bytes come`() throws {
        for first in 0...255 as ClosedRange<UInt8> {
            let writer = LineWriter()
            writer.raw("[")
            for second in 0...255 as ClosedRange<UInt8> {
                writer.raw(second == 0 ? "\"" : ",\"")
                writer.escaped([first, second].span)
                writer.raw("\"")
            }
            writer.raw("]")
            let line = Data(writer.bytes)
            let read = try JSONSerialization.jsonObject(with: line) as? [String]
            #expect(read?.count == 256 && !line.contains(0x0A))
        }
    }

    @Test func `replaces bytes that are not plain`() {
        let writer = LineWriter()
        writer.plain([0x41, 0x22, 0x0A, 0x5C, 0xFF, 0x42].span)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "A????B")
    }
}
