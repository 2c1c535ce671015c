// HeadWriting.swift: what goes on to the next server, and what does not.

import Testing
import Wire

/// The fields of a request that go on.
private func forwarded(_ fields: String, without more: FieldSet = []) throws -> String {
    let bytes = Array("POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n".utf8)
    var head = RequestHead()
    let length = try head.parse(bytes.span, limits: HeadLimits())
    #expect(length == bytes.count)
    let buffer = Buffer(capacity: 8)
    buffer.appendEndToEndFields(of: head, in: bytes.span, without: more)
    return text(buffer)
}

/// The fields of an answer that go on.
private func delivered(_ fields: String, without more: FieldSet = []) throws -> String {
    let bytes = Array("HTTP/1.1 200 OK\r\n\(fields)\r\n".utf8)
    var head = ResponseHead()
    let length = try head.parse(bytes.span, answering: .get, limits: HeadLimits())
    #expect(length == bytes.count)
    let buffer = Buffer(capacity: 8)
    buffer.appendEndToEndFields(of: head, in: bytes.span, without: more)
    return text(buffer)
}

@Suite struct `What is forwarded` {
    @Test(arguments: [
        ("A: 1\r\nB: 2\r\n", "A: 1\r\nB: 2\r\n"),
        ("A:1\r\nB:  2 \r\nC:\r\nD: \r\nE:\t3\r\n", "A: 1\r\nB: 2\r\nC: \r\nD: \r\nE: 3\r\n"),
        ("A: 1\r\nB:2\r\nC: 3\r\nD: 4\r\n", "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n"),
        ("A: a \t b\t\r\n", "A: a \t b\r\n"),
        ("A: 1\r\nContent-Length: 0\r\nB: 2\r\n", "A: 1\r\nB: 2\r\n"),
        ("Set-Cookie: a\r\nSet-Cookie: b\r\n", "Set-Cookie: a\r\nSet-Cookie: b\r\n"),
        ("", ""),
    ])
    func `is written as a line each, in order`(fields: String, expected: String) throws {
        #expect(try forwarded(fields) == expected)
        #expect(try delivered(fields) == expected)
    }

    @Test(arguments: [
        "Connection: close", "Keep-Alive: timeout=5", "TE: trailers", "Trailer: X",
        "Upgrade: h2c", "Proxy-Connection: close", "Proxy-Authorization: x",
        "Proxy-Authenticate: x", "Proxy: x", "Proxy-X: y", "HTTP2-Settings: x",
        "Transfer-Encoding: chunked", "Content_Length: 5", "Transfer.Encoding: chunked",
        "Content-Length: 7",
    ])
    func `holds no field of one connection`(field: String) throws {
        for mixed in [field, field.uppercased(), field.lowercased()] {
            #expect(try forwarded("A: 1\r\n\(mixed)\r\nB: 2\r\n") == "A: 1\r\nB: 2\r\n")
            #expect(try delivered("A: 1\r\n\(mixed)\r\nB: 2\r\n") == "A: 1\r\nB: 2\r\n")
        }
    }

    @Test(arguments: [
        "Herse-Professional: 8", "herse_professional: 8", "HERSE.STRUCTURE: 1", "Herse-: x",
        "Forwarded: for=1", "X-Forwarded-For: 1", "X_Forwarded_Proto: http",
        "x-forwarded_host: a", "X-Forwarded-Anything: 1", "X-Request-Id: 1", "Client-Cert: :a:",
        "client_cert_chain: :a:", "Client.Cert: x",
    ])
    func `holds no claim of who asks`(field: String) throws {
        #expect(try forwarded("A: 1\r\n\(field)\r\nB: 2\r\n") == "A: 1\r\nB: 2\r\n")
        #expect(try delivered("\(field)\r\n") == "\(field)\r\n", "an answer claims nothing")
    }

    @Test func `holds no field that Connection nominates`() throws {
        let fields = "X-A: 1\r\nConnection: x-a, close\r\nX-B: 2\r\nx-A: 3\r\nX-AB: 4\r\n"
        #expect(try forwarded(fields) == "X-B: 2\r\nX-AB: 4\r\n")
        #expect(try delivered(fields) == "X-B: 2\r\nX-AB: 4\r\n")
    }

    @Test func `holds nothing that its caller writes or leaves out`() throws {
        let fields =
            "Accept-Encoding: gzip\r\nAccept: a\r\nRange: bytes=0-1\r\nExpect: 100-continue\r\n"
        #expect(try forwarded(fields, without: [.acceptEncoding, .range]) == "Accept: a\r\n")
        #expect(try delivered("Alt-Svc: x\r\nA: b\r\n", without: [.altSvc]) == "A: b\r\n")
    }

    @Test(arguments: [
        ("GET /a/b?c=%20 HTTP/1.1", "/a/b?c=%20", "/a/b"),
        ("GET http://a/b?c HTTP/1.1", "/b?c", "/b"), ("GET http://a?c HTTP/1.1", "/?c", "/"),
        ("GET https://a HTTP/1.1", "/", "/"), ("GET /a? HTTP/1.1", "/a?", "/a"),
        ("OPTIONS * HTTP/1.1", "*", ""), ("CONNECT a HTTP/1.1", "", ""),
        (
            "GET /%50atient/%7e%c3%a9%20%2D HTTP/1.1", "/%50atient/%7e%c3%a9%20%2D",
            "/Patient/~%C3%A9%20-"
        ),
    ])
    func `asks for the target in origin form`(
        line: String, target: String, path: String
    ) throws {
        let bytes = Array("\(line)\r\nHost: a\r\n\r\n".utf8)
        var head = RequestHead()
        _ = try head.parse(bytes.span, limits: HeadLimits())
        let buffer = Buffer(capacity: 8)
        buffer.appendOriginTarget(of: head, in: bytes.span)
        #expect(text(buffer) == target)
        buffer.removeAll()
        buffer.appendNormalizedPath(of: head, in: bytes.span)
        #expect(text(buffer) == path)
    }

    @Test func `begins with a status line`() {
        let buffer = Buffer(capacity: 8)
        buffer.appendStatusLine(200)
        buffer.appendStatusLine(431)
        buffer.appendStatusLine(599)
        #expect(
            text(buffer) == "HTTP/1.1 200 OK\r\n"
                + "HTTP/1.1 431 Request Header Fields Too Large\r\nHTTP/1.1 599 \r\n")
    }
}
