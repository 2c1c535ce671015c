// HeadBounds.swift: how long a head may be, to the byte.

import Testing
import Wire

@Suite struct `The bounds of a head` {
    private let line = HeadLimits.lineLengthMax

    /// A request line of so many bytes, CRLF excluded.
    private func requestLine(_ length: Int) -> String {
        "GET /" + String(repeating: "a", count: length - 14) + " HTTP/1.1"
    }

    private func fieldLine(_ length: Int) -> String {
        "X: " + String(repeating: "a", count: length - 3)
    }

    @Test func `let a request line of 8192 bytes pass and no longer`() throws {
        let fits = requestLine(line) + "\r\nHost: a\r\n\r\n"
        #expect(try request(fits).length == fits.utf8.count)
        #expect(throws: HeadError.requestLineTooLong) {
            try request(requestLine(line + 1) + "\r\nHost: a\r\n\r\n")
        }
        #expect(throws: HeadError.requestLineTooLong) {
            try request("GET /?" + String(repeating: "a", count: 2 * line))
        }
        #expect(throws: HeadError.requestLineTooLong) {
            try request("GET http://" + String(repeating: "a", count: 2 * line))
        }
    }

    @Test func `let a field line of 8192 bytes pass and no longer`() throws {
        let fits = "GET / HTTP/1.1\r\nHost: a\r\n" + fieldLine(line) + "\r\n\r\n"
        #expect(try request(fits).length == fits.utf8.count)
        let starts = ["X: ", "X:" + String(repeating: " ", count: line), ""]
        for start in starts {
            #expect(throws: HeadError.fieldTooLong) {
                try request(
                    "GET / HTTP/1.1\r\nHost: a\r\n" + start
                        + String(repeating: "a", count: line + 2) + "\r\n\r\n")
            }
        }
    }

    @Test func `let a status line of 8192 bytes pass and no longer`() throws {
        let reason = String(repeating: "a", count: line - 13)
        let fits = "HTTP/1.1 200 \(reason)\r\n\r\n"
        #expect(try response(fits).length == fits.utf8.count)
        #expect(throws: HeadError.statusLineTooLong) {
            try response("HTTP/1.1 200 \(reason)a\r\n\r\n")
        }
    }

    @Test func `count the whole head and nothing after it`() throws {
        let head =
            "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 100) + "\r\n\r\n"
        let length = head.utf8.count
        #expect(
            try request(head + "body", limits: HeadLimits(headLengthMax: length)).length == length)
        for text in [head, head + "body", part(head, 0..<(length - 1))] {
            #expect(throws: HeadError.headTooLong) {
                try request(text, limits: HeadLimits(headLengthMax: length - 1))
            }
        }
        let cut = part(head, 0..<(length - 2))
        #expect(try request(cut, limits: HeadLimits(headLengthMax: length - 1)).length == nil)
    }

    @Test func `count the fields`() throws {
        let head = "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\n\r\n"
        #expect(try request(head, limits: HeadLimits(fieldsMax: 3)).length == head.utf8.count)
        #expect(throws: HeadError.fieldsTooMany) {
            try request(head, limits: HeadLimits(fieldsMax: 2))
        }
        #expect(throws: HeadError.fieldsTooMany) {
            try response(
                "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\n\r\n", limits: HeadLimits(fieldsMax: 1))
        }
    }

    @Test func `answer a status for each refusal`() {
        #expect(HeadError.requestLineTooLong.status == 414)
        #expect(HeadError.expectationUnknown.status == 417)
        #expect(HeadError.fieldTooLong.status == 431)
        #expect(HeadError.fieldsTooMany.status == 431)
        #expect(HeadError.headTooLong.status == 431)
        #expect(HeadError.methodTooLong.status == 501)
        #expect(HeadError.statusLineInvalid.status == 502)
        #expect(HeadError.versionUnsupported.status == 505)
        #expect(HeadError.hostMissing.status == 400)
        #expect(HeadError.versionMissing.status == 400)
        let reasons = HeadError.allCases.map { "\($0.reason)" }
        #expect(Set(reasons).count == HeadError.allCases.count, "each refusal has its own words")
    }
}
