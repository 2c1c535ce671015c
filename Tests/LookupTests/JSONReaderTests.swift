// JSONReaderTests.swift: what is JSON, what is not, and that pieces change nothing.

import CSystem
import Testing

@testable import Lookup

/// A text's tokens as words, and the error at their end.
struct JSONReading: Equatable {
    var words: [String] = []
    var error: Unparsed?

    /// `cuts` are lengths of the text so far, before all of it.
    init(_ text: [UInt8], cuts: [Int] = [], isSequence: Bool = false) {
        var reader = JSONReader(isSequence: isSequence)
        do throws(Unparsed) {
            for cut in cuts where try !read(&reader, text.span.extracting(0..<cut), false) {}
            _ = try read(&reader, text.span, true)
        } catch {
            self.error = error
        }
    }

    /// Whether the text ended.
    private mutating func read(
        _ reader: inout JSONReader, _ body: Span<UInt8>, _ isWhole: Bool
    ) throws(Unparsed) -> Bool {
        while true {
            switch try reader.next(body, isWhole: isWhole) {
            case .more: return false
            case .end: return true
            case .beginObject: words.append("{")
            case .endObject: words.append("}")
            case .beginArray: words.append("[")
            case .endArray: words.append("]")
            case .key(let range, let hasEscapes): words.append(said(body, range, hasEscapes) + ":")
            case .string(let range, let hasEscapes): words.append(said(body, range, hasEscapes))
            case .number(let range): words.append("#" + said(body, range, false))
            case .boolean(let value): words.append(value ? "yes" : "no")
            case .null: words.append("null")
            }
        }
    }

    private func said(_ body: Span<UInt8>, _ range: Range<Int>, _ hasEscapes: Bool) -> String {
        var bytes: [UInt8] = []
        let text = body.extracting(range)
        if hasEscapes {
            appendUnescaped(text, to: &bytes)
        } else {
            for index in text.indices { bytes.append(text[index]) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

@Suite struct `A JSON reader` {
    private static let long = String(repeating: "é\\n0123456789", count: 40)

    @Test(arguments: [
        ("{}", "{ }"),
        (" [ ] ", "[ ]"),
        (#"{"a":1}"#, "{ a: #1 }"),
        (#"{"a" : [ true , false , null ] , "b" : { } }"#, "{ a: [ yes no null ] b: { } }"),
        (#"[0,-0,12,-1.50,1e9,1E+9,0.1e-2]"#, "[ #0 #-0 #12 #-1.50 #1e9 #1E+9 #0.1e-2 ]"),
        (#""""#, ""),
        (#"[" \"\\\/\n","\u00e9\uD83D\uDE00x"]"#, "[  \"\\/\n é😀x ]"),
        (#"{"res\u006furceType":"\ud800"}"#, "{ resourceType: \u{FFFD} }"),
        ("42", "#42"),
        ("\u{FEFF}true", "yes"),
        ("\r\n\t null \n", "null"),
        (#"["{[,:]}"]"#, "[ {[,:]} ]"),
        (#"["\\","\\\\\"",""]"#, "[ \\ \\\\\"  ]"),
        (#"[{"a":1,"a":2}]"#, "[ { a: #1 a: #2 } ]"),
    ])
    func `reads what is JSON, however it is cut`(text: String, words: String) {
        let bytes = Array(text.utf8)
        let whole = JSONReading(bytes)
        #expect(whole.error == nil)
        #expect(whole.words.joined(separator: " ") == words)
        for cut in 0...bytes.count { #expect(JSONReading(bytes, cuts: [cut]) == whole) }
    }

    @Test(arguments: [
        ("", Unparsed.truncated), (" ", .truncated), ("{", .truncated), ("[1,", .truncated),
        (#"{"a"#, .truncated), (#"{"a""#, .truncated), (#"{"a":"#, .truncated),
        (#"{"a":"b"#, .truncated), (#"{"a":"b\"#, .truncated), (#"{"a":tr"#, .truncated),
        ("[[]", .truncated), (#"{"a":1"#, .truncated),
        ("}", .malformed), ("]", .malformed), ("[}", .malformed), ("{]", .malformed),
        ("[1 2]", .malformed), ("[1,]", .malformed), ("[,1]", .malformed), ("[,]", .malformed),
        (#"{"a"}"#, .malformed), (#"{"a":}"#, .malformed), (#"{"a":1,}"#, .malformed),
        (#"{,"a":1}"#, .malformed), (#"{"a" 1}"#, .malformed), (#"{1:2}"#, .malformed),
        (#"{a:1}"#, .malformed), (#"{"a"::1}"#, .malformed), (#"["a":1]"#, .malformed),
        (#"{"a":1 "b":2}"#, .malformed), (#"{"a":1,,"b":2}"#, .malformed), ("[]]", .malformed),
        ("{}{}", .malformed), ("1 2", .malformed), ("[] x", .malformed), (#""a""b""#, .malformed),
        ("tru", .malformed), ("[TRUE]", .malformed), ("[nul]", .malformed),
        ("[truefalse]", .malformed),
        ("[01]", .malformed), ("[+1]", .malformed), ("[.5]", .malformed), ("[1.]", .malformed),
        ("[1e]", .malformed), ("[-]", .malformed), ("[0x1]", .malformed), ("[NaN]", .malformed),
        ("[1-2]", .malformed), ("['a']", .malformed), ("[\u{00A0}1]", .malformed),
        ("[\"a\tb\"]", .malformed), ("[\"a\nb\"]", .malformed), ("[\"\u{0}\"]", .malformed),
        ("[\u{1}]", .malformed), ("[1\u{0C}]", .malformed), (#"["\x"]"#, .malformed),
        (#"["\u12g4"]"#, .malformed), (#"["\u123"]"#, .malformed), (#"[\"a"]"#, .malformed),
        ("/* */1", .malformed), ("[1]//", .malformed),
        (String(repeating: "[", count: 65), .tooDeep),
    ])
    func `refuses what is not, however it is cut`(text: String, error: Unparsed) {
        let bytes = Array(text.utf8)
        let whole = JSONReading(bytes)
        #expect(whole.error == error)
        for cut in 0...bytes.count { #expect(JSONReading(bytes, cuts: [cut]) == whole) }
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x20], [0xE0, 0x9F, 0x80],
            [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF0, 0x8F, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xC3, 0xA9, 0xA9], [0xC3, 0x20, 0xA9],
        ] as [[UInt8]])
    func `refuses what is not UTF-8, wherever it stands`(wrong: [UInt8]) {
        for before in 0..<70 {
            let text = Array("[\"".utf8) + [UInt8](repeating: 0x61, count: before) + wrong
            let all = text + Array("plain to its end\"]            and more".utf8)
            for cut in 0...all.count where before % 7 == 0 || cut == 0 {
                #expect(JSONReading(all, cuts: [cut]).error == .encoding)
            }
        }
    }

    @Test func `takes any character of UTF-8, wherever it stands`() {
        for character in ["é", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "😀", "\u{10FFFF}"] {
            for before in 0..<70 {
                let inside = String(repeating: "a", count: before) + character
                let reading = JSONReading(Array("[\"\(inside)\"]".utf8))
                #expect(reading.words == ["[", inside, "]"])
            }
        }
    }

    @Test func `keeps strings, escapes and numbers together across blocks`() {
        for before in 0..<140 {
            let blanks = String(repeating: " ", count: before)
            let text = Array(
                #"{\#(blanks)"k\"\u00e9y":\#(blanks)"\#(Self.long)\\",\#(blanks)"n":-12.5e10}"#.utf8
            )
            let whole = JSONReading(text)
            let said = Self.long.replacing("\\n", with: "\n")
            #expect(whole.words == ["{", "k\"éy:", said + "\\", "n:", "#-12.5e10", "}"])
            #expect(JSONReading(text, cuts: Array(0...text.count)) == whole)
        }
    }

    @Test func `goes as deep as it may`() {
        let text = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(JSONReading(Array(text.utf8)).error == nil)
    }

    @Test(arguments: [
        ("", ""), ("\n \r\n", ""), ("{}\n[]\n", "{ } [ ]"), ("\n\n1\n\n\"a\"\r\nnull", "#1 a null"),
        ("\u{FEFF}{}\n{}", "{ } { }"), ("{\"a\":\"\\n\"}\n2", "{ a: \n } #2"),
    ])
    func `reads a text a line`(text: String, words: String) {
        let bytes = Array(text.utf8)
        let whole = JSONReading(bytes, isSequence: true)
        #expect(whole.error == nil)
        #expect(whole.words.joined(separator: " ") == words)
        for cut in 0...bytes.count {
            #expect(JSONReading(bytes, cuts: [cut], isSequence: true) == whole)
        }
    }

    @Test(arguments: [
        ("{} {}", Unparsed.malformed), ("1 2\n", .malformed), ("{},\n{}", .malformed),
        ("{}\n{", .truncated), ("\u{FEFF}{}{}", .malformed),
    ])
    func `refuses two texts on a line`(text: String, error: Unparsed) {
        #expect(JSONReading(Array(text.utf8), isSequence: true).error == error)
    }

    @Test func `compares text with its escapes resolved`() {
        let text = Array(#"\u0050atient"#.utf8)
        let isResolved = spells(text.span, hasEscapes: true, "Patient")
        let isTaken = spells(text.span, hasEscapes: false, "Patient")
        let isCut = spells(text.span, hasEscapes: true, "Patien")
        #expect(isResolved && !isTaken && !isCut)
    }

    @Test func `sees the same in 32 bytes by either way of looking`() {
        var random = SystemRandomNumberGenerator()
        let often = Array("\"\\{}[]:, \t\n\r\u{1F}\u{7F}".utf8)
        for _ in 0..<5000 {
            let bytes = (0..<32).map { _ in
                Bool.random(using: &random)
                    ? UInt8.random(in: 0...255, using: &random)
                    : often.randomElement(using: &random) ?? 0
            }
            // Safe because 32 bytes are there, as many as are read.
            unsafe bytes.withUnsafeBufferPointer { buffer in
                guard let start = buffer.baseAddress else { return }
                let fast = unsafe herse_json_text(start)
                let slow = unsafe herse_json_text_portable(start)
                let short = unsafe herse_json_short_plain(start)
                let slowShort = unsafe herse_json_plain_portable(start, 16)
                let long = unsafe herse_json_plain(start)
                let slowLong = unsafe herse_json_plain_portable(start, 32)
                #expect(short.quotes == slowShort.quotes && short.oddities == slowShort.oddities)
                #expect(long.quotes == slowLong.quotes && long.oddities == slowLong.oddities)
                #expect(fast.stops == slow.stops && fast.high == slow.high)
                let (inked, wanted) = unsafe (
                    herse_json_inked(start), herse_json_inked_portable(start)
                )
                #expect(inked == wanted)
            }
        }
    }
}
