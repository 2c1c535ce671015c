// ChunkedBodies.swift: chunked bodies read, refused, and written.

import Testing
import Wire

/// What a decoder makes of `bytes` given in pieces of at most `step`: the body and the offset of
/// its end, which is nil when it is not over.
func decode(
    _ bytes: [UInt8], step: Int
) throws(ChunkError) -> (body: [UInt8], end: Int?) {
    var decoder = ChunkedDecoder()
    var body: [UInt8] = []
    var start = 0
    while start < bytes.count {
        let piece = Array(bytes[start..<min(start + step, bytes.count)])
        var offset = 0
        reading: while true {
            switch try decoder.next(piece.span, from: offset) {
            case .data(let range):
                precondition(!range.isEmpty && range.lowerBound >= offset, "data moves on")
                body += piece[range]
                offset = range.upperBound
            case .needMore(let consumed):
                precondition(consumed == piece.count, "all is consumed")
                break reading
            case .end(let consumed):
                return (body, start + consumed)
            }
        }
        start += piece.count
    }
    return (body, nil)
}

private func decoded(_ text: String) throws(ChunkError) -> (body: String, end: Int?) {
    let (body, end) = try decode(Array(text.utf8), step: .max / 2)
    return (String(decoding: body, as: UTF8.self), end)
}

@Suite struct `A chunked body` {
    @Test(
        arguments: [
            ("0\r\n\r\n", ""), ("000\r\n\r\n", ""), ("0000000000000000\r\n\r\n", ""),
            ("3\r\nabc\r\n0\r\n\r\n", "abc"), ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
            ("a\r\n0123456789\r\n1\r\n\r\r\n0\r\n\r\n", "0123456789\r"),
            ("0000000000000001\r\nx\r\n0\r\n\r\n", "x"),
            ("1;a=b\r\nx\r\n0;c\r\n\r\n", "x"), ("1 \t;a=\"\u{E9}\t;\"\r\nx\r\n0\r\n\r\n", "x"),
            ("1;\r\nx\r\n0\r\n\r\n", "x"),
            ("1\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\n", "x"),
            ("1;" + String(repeating: "a", count: 255) + "\r\nx\r\n0\r\n\r\n", "x"),
            ("0\r\nA:" + String(repeating: "a", count: 4091) + "\r\n\r\n", nil),
            ("0\r\nA:" + String(repeating: "a", count: 4090) + "\r\n\r\n", ""),
        ] as [(String, String?)])
    func `is read to its end and no further`(text: String, body: String?) throws {
        guard let body else {
            #expect(throws: ChunkError.trailersTooLong) { try decoded(text) }
            return
        }
        for rest in ["", "GET /", "\r\n"] {
            let result = try decoded(text + rest)
            #expect(result.body == body && result.end == text.utf8.count)
        }
    }

    @Test(
        arguments: [
            ("\r\n", .sizeInvalid), ("g\r\n", .sizeInvalid), (" 1\r\n", .sizeInvalid),
            ("-1\r\n", .sizeInvalid), ("+1\r\n", .sizeInvalid), ("0x1\r\n", .sizeInvalid),
            (";a\r\n", .sizeInvalid), ("1 \r\n", .sizeInvalid), ("1 a\r\n", .sizeInvalid),
            ("1\n", .sizeInvalid), ("\u{0}", .sizeInvalid), ("1_0\r\n", .sizeInvalid),
            ("00000000000000000\r\n", .sizeTooLarge), ("10000000000000000\r\n", .sizeTooLarge),
            ("fffffffffffffffff\r\n", .sizeTooLarge),
            ("1\r\r\n", .lineEndInvalid), ("1\rx", .lineEndInvalid),
            ("1;a\n", .extensionInvalid), ("1;a\u{0}\r\n", .extensionInvalid),
            ("1;a\u{7F}\r\n", .extensionInvalid), ("1;a\rb\r\n", .lineEndInvalid),
            ("1;" + String(repeating: "a", count: 256), .extensionTooLong),
            ("1" + String(repeating: " ", count: 257), .extensionTooLong),
            ("1\r\nxy\r\n", .lineEndInvalid), ("1\r\nx\n", .lineEndInvalid),
            ("1\r\nx\r\r\n", .lineEndInvalid), ("2\r\nx\r\n0\r\n\r\n", .lineEndInvalid),
            ("1\r\nx\r\n\r\n", .sizeInvalid),
            ("0\r\n\n", .trailerInvalid), ("0\r\n\rx", .trailerInvalid), ("0\n\n", .sizeInvalid),
            ("0\r\n a: b\r\n\r\n", .trailerInvalid), ("0\r\na: b\r\n c\r\n\r\n", .trailerInvalid),
            ("0\r\n: b\r\n\r\n", .trailerInvalid), ("0\r\na : b\r\n\r\n", .trailerInvalid),
            ("0\r\na\r\n\r\n", .trailerInvalid), ("0\r\na: b\n\r\n", .trailerInvalid),
            ("0\r\na: b\rc\r\n\r\n", .trailerInvalid), ("0\r\na: \u{0}\r\n\r\n", .trailerInvalid),
            ("0\r\nGET / HTTP/1.1\r\n\r\n", .trailerInvalid),
            ("0\r\n" + String(repeating: "A: b\r\n", count: 700), .trailersTooLong),
        ] as [(String, ChunkError)])
    func `is refused when it is bad`(text: String, error: ChunkError) {
        #expect(throws: error) { try decoded(text) }
    }

    @Test func `may be as large as its digits can say`() throws {
        let bytes = Array("ffffffffffffffff\r\nabc".utf8)
        var decoder = ChunkedDecoder()
        let events = [
            try decoder.next(bytes.span, from: 0), try decoder.next(bytes.span, from: 21),
            try decoder.next(bytes.span, from: 0),
        ]
        #expect(events == [.data(18..<21), .needMore(21), .data(0..<21)])
    }

    @Test func `is the same however it is cut`() throws {
        let texts = [
            "5;a=b\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nA: b\r\n\r\nGET", "0\r\n\r\n",
            "1\r\nx\r\n", "1\r\nxy", "3\r\nabc\r\nzz", "0\r\nA: b\n",
        ]
        for text in texts {
            let bytes = Array(text.utf8)
            let whole = Result { () throws(ChunkError) in try decode(bytes, step: bytes.count) }
            for step in 1...bytes.count {
                let cut = Result { () throws(ChunkError) in try decode(bytes, step: step) }
                switch (whole, cut) {
                case (.success(let one), .success(let other)):
                    #expect(one.body == other.body && one.end == other.end)
                case (.failure(let one), .failure(let other)): #expect(one == other)
                default: Issue.record("cut every \(step) bytes, another result")
                }
            }
        }
    }

    @Test func `is written as it is read`() throws {
        let buffer = Buffer(capacity: 16)
        var expected: [UInt8] = []
        for length in [0, 1, 9, 10, 15, 16, 17, 255, 256, 4095, 4096, 65536] {
            let data = [UInt8](repeating: UInt8(truncatingIfNeeded: length), count: length)
            buffer.appendChunk(data.span)
            expected += data
        }
        buffer.appendLastChunk()
        let written = buffer.withBytes { bytes in bytes.indices.map { bytes[$0] } }
        let (body, end) = try decode(written, step: 1000)
        #expect(body == expected && end == written.count)
    }

    @Test func `is written in the shortest form`() {
        let buffer = Buffer(capacity: 16)
        buffer.appendChunk(Array("0123456789abcdefghijklmnop".utf8).span)
        buffer.appendChunk([UInt8]().span)
        buffer.appendLastChunk()
        #expect(text(buffer) == "1a\r\n0123456789abcdefghijklmnop\r\n0\r\n\r\n")
    }

    @Test func `tells each refusal apart`() {
        let reasons = Set(ChunkError.allCases.map { "\($0.reason)" })
        #expect(reasons.count == ChunkError.allCases.count)
    }
}
