// LineWriterTests.swift: lines of the record are always one JSON object each.

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

    @Test func `replaces bytes that are not plain`() {
        let writer = LineWriter()
        writer.plain([0x41, 0x22, 0x0A, 0x5C, 0xFF, 0x42].span)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "A????B")
    }
}
