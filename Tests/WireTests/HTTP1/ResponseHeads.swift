// ResponseHeads.swift: what is understood of an identity server's answer, and what is refused.

import Testing
import Wire

@Suite struct `An answer's head` {
    @Test func `tells its parts`() throws {
        let text = "HTTP/1.1 404 Not here\u{E9}\r\nServer: x\r\nContent-Length: 3\r\n\r\nabc"
        let (head, length) = try response(text)
        #expect(length == text.utf8.count - 3)
        #expect(head.status == 404 && !head.isHTTP10 && !head.isInterim && head.keepAlive)
        #expect(head.framing == .length(3) && head.contentLength == 3)
        #expect(head.fields.map { part(text, $0.value) } == ["x", "3"])
    }

    @Test(
        arguments: [
            ("HTTP/1.1 200 OK\r\n\r\n", 200), ("HTTP/1.1 200 \r\n\r\n", 200),
            ("HTTP/1.1 200\r\n\r\n", 200), ("HTTP/1.0 599 \t x\r\n\r\n", 599),
            ("HTTP/1.1 100 Continue\r\n\r\n", 100), ("HTTP/1.1 418 x\r\n\r\n", 418),
            ("HTTP/1.1 200 OK\r\nHost: a b\r\nHost: c\r\nExpect: x\r\n\r\n", 200),
        ] as [(String, UInt16)])
    func `has a status`(text: String, status: UInt16) throws {
        let (head, length) = try response(text)
        #expect(head.status == status && length == text.utf8.count)
    }

    @Test(
        arguments: [
            ("HTTP/1.1 99 x\r\n\r\n", .statusLineInvalid),
            ("HTTP/1.1 099 x\r\n\r\n", .statusUnsupported),
            ("HTTP/1.1 600 x\r\n\r\n", .statusUnsupported),
            ("HTTP/1.1 999 x\r\n\r\n", .statusUnsupported),
            ("HTTP/1.1 101 x\r\n\r\n", .statusUnsupported),
            ("HTTP/1.1 2000 x\r\n\r\n", .statusLineInvalid),
            ("HTTP/1.1 20x x\r\n\r\n", .statusLineInvalid),
            ("HTTP/1.1 -20 x\r\n\r\n", .statusLineInvalid),
            ("HTTP/1.1  200 x\r\n\r\n", .statusLineInvalid),
            ("HTTP/1.1 200\tx\r\n\r\n", .statusLineInvalid),
            ("HTTP/1.2 200 x\r\n\r\n", .statusLineInvalid),
            ("HTTP/2 200 \r\n\r\n", .statusLineInvalid),
            ("http/1.1 200 x\r\n\r\n", .statusLineInvalid),
            ("ICY 200 OK\r\n\r\n", .statusLineInvalid),
            ("\r\nHTTP/1.1 200 x\r\n\r\n", .statusLineInvalid),
            ("HTTP/1.1 200 x\n\n", .bareLineFeed), ("HTTP/1.1 200\n\n", .bareLineFeed),
            ("HTTP/1.1 200 x\ry\r\n\r\n", .bareCarriageReturn),
            ("HTTP/1.1 200 x\u{0}\r\n\r\n", .statusLineInvalid),
            ("HTTP/1.1 200 x\r\n a: b\r\n\r\n", .fieldPrecededByBlank),
            ("HTTP/1.1 200 x\r\na: b\r\n c\r\n\r\n", .lineFolded),
            ("HTTP/1.1 200 x\r\na : b\r\n\r\n", .fieldNameFollowedByBlank),
            ("HTTP/1.1 200 x\r\na: b\u{1}\r\n\r\n", .fieldValueInvalid),
            (
                "HTTP/1.1 200 x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
                .contentLengthRepeated
            ),
            ("HTTP/1.1 200 x\r\nContent-Length: 1,1\r\n\r\n", .contentLengthInvalid),
            (
                "HTTP/1.1 200 x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                .contentLengthWithTransferEncoding
            ),
            ("HTTP/1.1 200 x\r\nTransfer-Encoding: gzip\r\n\r\n", .transferEncodingUnsupported),
            ("HTTP/1.0 200 x\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncodingInOldVersion),
            ("HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n", .bodyForbidden),
            ("HTTP/1.1 204 x\r\nContent-Length: 1\r\n\r\n", .bodyForbidden),
            ("HTTP/1.1 103 x\r\nContent-Length: 1\r\n\r\n", .bodyForbidden),
            ("HTTP/1.1 100 x\r\nTransfer-Encoding: chunked\r\n\r\n", .bodyForbidden),
            ("HTTP/1.1 200 x\r\nConnection: content-length\r\n\r\n", .connectionNominatesFraming),
        ] as [(String, HeadError)])
    func `is refused when it is bad`(text: String, error: HeadError) {
        #expect(throws: error) { try response(text) }
    }

    @Test(
        arguments: [
            (200, .get, "Content-Length: 5\r\n", .length(5)),
            (200, .get, "Content-Length: 0\r\n", .length(0)),
            (200, .get, "Transfer-Encoding: chunked\r\n", .chunked),
            (200, .get, "", .untilClose), (500, .post, "", .untilClose),
            (200, .head, "Content-Length: 5\r\n", .none), (200, .head, "", .none),
            (200, .head, "Transfer-Encoding: chunked\r\n", .none),
            (304, .get, "Content-Length: 5\r\n", .none), (304, .get, "", .none),
            (204, .get, "", .none), (204, .get, "Content-Length: 0\r\n", .none),
            (100, .post, "", .none), (103, .get, "Content-Length: 0\r\n", .none),
        ] as [(Int, Wire.Method, String, BodyFraming)])
    func `says how its body is delimited`(
        status: Int, method: Wire.Method, fields: String, framing: BodyFraming
    ) throws {
        let head = try response("HTTP/1.1 \(status) x\r\n\(fields)\r\n", answering: method).head
        #expect(head.framing == framing)
        #expect(head.isInterim == (status < 200))
    }

    @Test(arguments: [
        ("HTTP/1.1", "Content-Length: 1\r\n", true), ("HTTP/1.1", "", false),
        ("HTTP/1.1", "Content-Length: 1\r\nConnection: close\r\n", false),
        ("HTTP/1.0", "Content-Length: 1\r\n", false),
        ("HTTP/1.0", "Content-Length: 1\r\nConnection: keep-alive\r\n", true),
        ("HTTP/1.0", "Connection: keep-alive\r\n", false),
    ])
    func `says whether the connection stays`(
        version: String, fields: String, stays: Bool
    ) throws {
        #expect(try response("\(version) 200 x\r\n\(fields)\r\n").head.keepAlive == stays)
    }
}
