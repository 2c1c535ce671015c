// JSONValueTests.swift: what is JSON as a value, what is refused, and what numbers are worth.

import Testing

@testable import JSON

private func read(_ text: String) throws(JSONError) -> JSONValue {
    let bytes = Array(text.utf8)
    return try JSONValue(bytes.span)
}

@Suite struct `A JSON value` {
    @Test(
        arguments: [
            ("null", JSONValue.null),
            (" true\n", .boolean(true)),
            ("false", .boolean(false)),
            ("-0.5e+10", .number("-0.5e+10")),
            (#""""#, .string("")),
            (
                #""é \" \\ \/ \b\f\n\r\t \u00e9 \uD83D\uDE00""#,
                .string("é \" \\ / \u{8}\u{c}\n\r\t é 😀")
            ),
            ("[]", .array([])),
            ("{}", .object([:])),
            ("[1, [ ], {}]", .array([.number("1"), .array([]), .object([:])])),
            (
                #"{"a":{"b":[true]},"c":null}"#,
                .object(["a": .object(["b": .array([.boolean(true)])]), "c": .null])
            ),
            (#"{"A":1,"a":2}"#, .object(["A": .number("1"), "a": .number("2")])),
        ] as [(String, JSONValue)])
    func `is what the text says`(text: String, value: JSONValue) throws {
        #expect(try read(text) == value)
        let again = try read(text).encoded
        let reread = try JSONValue(again.span)
        #expect(reread == value)
    }

    @Test(arguments: [
        ("", 0), (" ", 1), ("nul", 0), ("nulls", 0), ("True", 0), ("'a'", 0), ("01", 0), ("-", 0),
        ("1.", 0), (".5", 0), ("+1", 0), ("1e", 0), ("1e+", 0), ("0x10", 0), ("NaN", 0), ("--1", 0),
        ("[1,]", 3), ("[,1]", 1), ("[1 2]", 3), ("[1", 2), ("[1}", 2), ("]", 0), ("{\"a\"}", 4),
        ("{\"a\":}", 5), ("{\"a\":1,}", 7), ("{a:1}", 1), ("{\"a\" 1}", 5), ("{1:2}", 1),
        ("{\"a\":1]", 6), ("{} {}", 3), ("1 1", 2), ("[1]]", 3), ("\"", 1), ("\"a", 2),
        ("\"\\", 3), ("\"\\\"", 3), ("\"\\x\"", 1), ("\"\\u12\"", 1), ("\"\\u12g4\"", 1),
        ("\"\\ud800\"", 1), ("\"\\udc00\"", 1), ("\"\\ud800\\u0041\"", 1), ("\"a\nb\"", 2),
        ("\"\u{0}\"", 1), ("\u{FEFF}1", 0), ("// no\n1", 0), ("[1]\u{A0}", 3),
    ])
    func `is refused for what is no JSON, and where`(text: String, place: Int) {
        #expect(throws: JSONError.syntax(at: place)) { try read(text) }
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xC0, 0x80, 0x22],
            [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xF5, 0x80, 0x80, 0x80, 0x22],
            [0x22, 0x5C, 0x6E, 0xFF, 0x22],
        ] as [[UInt8]])
    func `is refused for what is no UTF-8`(bytes: [UInt8]) {
        #expect(throws: JSONError.syntax(at: 1)) { try JSONValue(bytes.span) }
    }

    private static let many = (0..<40).map { #""k\#($0)":0,"# }.joined()

    @Test(arguments: [
        (#"{"a":1,"a":1}"#, 7),
        (#"{"a":1,"b":2,"\u0061":3}"#, 13),
        (#"{"a":{"b":1,"b":2}}"#, 12),
        // Swift takes both for the same, and so may whoever else reads it.
        ("{\"e\u{301}\":1,\"é\":2}", 9),
        ("{" + many + #""k7":1}"#, 1 + many.utf8.count),
        ("{" + many + #""x":1,"x":1}"#, 1 + many.utf8.count + 6),
    ])
    func `is refused when a key stands twice`(text: String, place: Int) {
        #expect(throws: JSONError.duplicateKey(at: place)) { try read(text) }
    }

    @Test func `is bounded in depth, values and bytes`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try read(nested(16)) }
        #expect(throws: JSONError.tooDeep) { try read(nested(17)) }
        #expect(throws: JSONError.tooDeep) {
            try read(String(repeating: #"{"a":"#, count: 100_000))
        }
        func list(_ count: Int) -> String { "[" + String(repeating: "0,", count: count - 2) + "0]" }
        #expect(try read(list(4096)).items?.count == 4095)
        #expect(throws: JSONError.tooLarge) { try read(list(4097)) }
        let text = Array(#""12345678""#.utf8)
        let longest = try JSONValue(text.span, bytesMax: 10)
        #expect(longest == .string("12345678"))
        #expect(throws: JSONError.tooLarge) { try JSONValue(text.span, bytesMax: 9) }
    }

    @Test(
        arguments: [
            ("0", 0, true), ("-0", 0, true), ("1300819380", 1_300_819_380, true),
            ("1300819380.9", 1_300_819_380, false), ("1300819380.0", 1_300_819_380, true),
            ("-1.5", -1, false), ("1.5e3", 1500, true), ("15e-1", 1, false), ("150e-1", 15, true),
            ("1E2", 100, true), ("0.1", 0, false), ("0e999999999999", 0, true),
            ("0.000e99", 0, true), ("1e-999999999999", 0, false),
            ("9223372036854775807", Int64.max, true), ("-9223372036854775808", Int64.min, true),
            ("9223372036854775808", nil, false), ("-9223372036854775809", nil, false),
            ("9.223372036854775807e18", Int64.max, true), ("1e19", nil, false),
            ("1e999999999999", nil, false), ("-1e1000000", nil, false),
        ] as [(String, Int64?, Bool)])
    func `holds numbers that never overflow`(text: String, whole: Int64?, isWhole: Bool) throws {
        let value = try read(text)
        #expect(value.wholePart == whole)
        #expect(value.integer == (isWhole ? whole : nil))
    }

    @Test func `has members by key, byte by byte`() throws {
        let value = try read(#"{"a":"x","b":["y","z"],"c":["y",1],"d":true,"\u212a":1,"n":7}"#)
        #expect(value["a"]?.text == "x")
        #expect(value["a"]?.texts == ["x"])
        #expect(value["b"]?.texts == ["y", "z"])
        #expect(value["c"]?.texts == nil)
        #expect(value["d"]?.flag == true)
        #expect(value["n"]?.integer == 7)
        // The Kelvin sign, which Swift's own comparison takes for the letter.
        #expect(value["K"] == nil)
        #expect(value["A"] == nil)
        #expect(value["a"]?["a"] == nil)
        #expect(value.members?.members.map(\.key) == ["a", "b", "c", "d", "\u{212A}", "n"])
    }

    @Test func `is written so that it ends no script, and no line`() {
        let value = JSONValue.object([
            "a\"b": .string("</script>\n\u{7f}&é"), "n": JSONValue(integer: -5),
        ])
        let expected =
            #"{"a\"b":"\u003c/script\u003e\u000a\u007f\u0026é","n":-5}"#
        #expect(String(decoding: value.encoded, as: UTF8.self) == expected)
    }

    @Test func `changes a member in its place`() {
        var object: JSONObject = ["a": .null, "b": .null]
        object["a"] = .boolean(true)
        object["c"] = .null
        object["b"] = nil
        #expect(object == ["a": .boolean(true), "c": .null])
    }
}
