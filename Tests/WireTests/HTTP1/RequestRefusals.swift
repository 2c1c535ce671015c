// RequestRefusals.swift: every request head that is refused, and as what.

import Testing
import Wire

private func get(_ target: String) -> String { "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n" }
private func post(_ fields: String) -> String { "POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n" }

@Suite struct `A request head` {
    @Test(
        arguments: [
            ("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", HeadError.methodInvalid),
            (" GET / HTTP/1.1\r\nHost: a\r\n\r\n", .methodInvalid),
            ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", .methodInvalid),
            ("GET\r\n\r\n", .methodInvalid),
            ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", .methodInvalid),
            ("GET\n\n", .bareLineFeed),
            ("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bareLineFeed),
            ("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bareCarriageReturn),
            ("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .methodInvalid),
            (String(repeating: "A", count: 33) + " / HTTP/1.1\r\nHost: a\r\n\r\n", .methodTooLong),
            ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .targetInvalid),
            ("GET  HTTP/1.1\r\nHost: a\r\n\r\n", .targetInvalid),
            ("GET /\r\n\r\n", .versionMissing),
            ("GET /", nil),
            ("GET / \r\n\r\n", .versionMissing),
            ("GET /\n", .bareLineFeed),
            ("GET / HTTP/1.1\nHost: a\r\n\r\n", .bareLineFeed),
            ("GET / HTTP/1.1\rHost: a\r\n\r\n", .bareCarriageReturn),
            ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", .versionInvalid),
            ("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", .versionInvalid),
            ("GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", .pathForbiddenByte),
            ("GET / http/1.1\r\nHost: a\r\n\r\n", .versionInvalid),
            ("GET / HTTP/1,1\r\nHost: a\r\n\r\n", .versionInvalid),
            ("GET / HTTP/11\r\nHost: a\r\n\r\n", .versionInvalid),
            ("GET / HTTP/1.10\r\nHost: a\r\n\r\n", .versionInvalid),
            ("GET / HTTP/1.\r\nHost: a\r\n\r\n", .versionInvalid),
            ("GET / HTTPS/1.1\r\nHost: a\r\n\r\n", .versionInvalid),
            ("GET / HTTP/0.9\r\nHost: a\r\n\r\n", .versionUnsupported),
            ("GET / HTTP/1.2\r\nHost: a\r\n\r\n", .versionUnsupported),
            ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", .versionUnsupported),
            ("GET / HTTP/3.0\r\n\r\n", .versionUnsupported),
        ] as [(String, HeadError?)])
    func `is refused for its first line`(text: String, error: HeadError?) {
        #expect(Outcome { () throws(HeadError) in try request(text).length } == outcome(error))
    }

    @Test(
        arguments: [
            ("a", .targetInvalid), ("//", .pathEmptySegment), ("http:/", .targetInvalid),
            ("*", .targetInvalid), ("/*?#", .queryForbiddenByte),
            ("/a//b", .pathEmptySegment), ("//a", .pathEmptySegment), ("/a//", .pathEmptySegment),
            ("/;/a", .pathEmptySegment), ("/a/;v=1/b", .pathEmptySegment),
            ("/.", .pathDotSegment), ("/..", .pathDotSegment), ("/./a", .pathDotSegment),
            ("/a/../b", .pathDotSegment), ("/a/..?q", .pathDotSegment), ("/a/.", .pathDotSegment),
            ("/%2e", .pathDotSegment), ("/%2E%2e/a", .pathDotSegment), ("/.%2e/", .pathDotSegment),
            ("/%2e./", .pathDotSegment), ("/a/..;/b", .pathDotSegment),
            ("/..;v=1", .pathDotSegment),
            ("/%2e%2e;a/b", .pathDotSegment), ("/.;/", .pathDotSegment),
            ("/..%3b/", nil), ("/...", nil), ("/.a", nil), ("/..a/", nil), ("/a..", nil),
            ("/%2e%2e%2e", nil), ("/a/;v=1", nil), ("/a;v=..", nil),
            ("/a%2Fb", .pathForbiddenByte), ("/a%2fb", .pathForbiddenByte),
            ("/a%5Cb", .pathForbiddenByte), ("/a%5cb", .pathForbiddenByte),
            ("/a%00", .pathForbiddenByte), ("/a%0d%0a", .pathForbiddenByte),
            ("/a%1F", .pathForbiddenByte), ("/a%7f", .pathForbiddenByte),
            ("/a\\b", .pathForbiddenByte), ("/a#b", .pathForbiddenByte),
            ("/a\"b", .pathForbiddenByte), ("/a<b", .pathForbiddenByte),
            ("/a[b]", .pathForbiddenByte), ("/a^b", .pathForbiddenByte),
            ("/a`b", .pathForbiddenByte), ("/a{b}", .pathForbiddenByte),
            ("/a|b", .pathForbiddenByte), ("/\u{E9}", .pathForbiddenByte),
            ("/\u{0}", .pathForbiddenByte), ("/\u{7F}", .pathForbiddenByte),
            ("/a%", .pathEscapeInvalid), ("/a%2", .pathEscapeInvalid), ("/%zz", .pathEscapeInvalid),
            ("/%2gx", .pathEscapeInvalid), ("/%u002e", .pathEscapeInvalid),
            ("/%C0%AE%C0%AE/", .pathEscapeInvalid), ("/%c1%9c", .pathEscapeInvalid),
            ("/%E0%80%AF", .pathEscapeInvalid), ("/%ED%A0%80", .pathEscapeInvalid),
            ("/%F0%80%80%AF", .pathEscapeInvalid), ("/%F4%90%80%80", .pathEscapeInvalid),
            ("/%F5%80%80%80", .pathEscapeInvalid), ("/%80", .pathEscapeInvalid),
            ("/%C3a", .pathEscapeInvalid), ("/%C3", .pathEscapeInvalid),
            ("/%E9", .pathEscapeInvalid),
            ("/%C3%A9", nil), ("/%E2%82%AC", nil), ("/%F0%9F%94%92", nil), ("/%20", nil),
            ("/!$&'()*+,;=:@-._~", nil), ("/Aa09", nil), ("/", nil), ("/a/", nil),
            ("/?#", .queryForbiddenByte), ("/?\u{E9}", .queryForbiddenByte),
            ("/?\t", .queryForbiddenByte), ("/?\u{0}", .queryForbiddenByte),
            ("/?\u{7F}", .queryForbiddenByte), ("/? a", .versionInvalid),
            ("/?%", .queryEscapeInvalid), ("/?%4", .queryEscapeInvalid),
            ("/?100%&", .queryEscapeInvalid),
            ("/?", nil), ("/??/.//../;", nil), ("/?a=|[]{}\"^`<>\\", nil), ("/?%0D%0A%00%E9", nil),
        ] as [(String, HeadError?)])
    func `is refused for its target`(target: String, error: HeadError?) {
        let whole = Outcome.whole(get(target).utf8.count)
        let outcome = Outcome { () throws(HeadError) in try request(get(target)).length }
        #expect(outcome == error.map { .refused($0) } ?? whole)
    }

    @Test(
        arguments: [
            (" X: 1\r\n", .lineFolded), ("\tX: 1\r\n", .lineFolded),
            ("X: 1\r\n 2\r\n", .lineFolded), ("X: 1\r\n\t2\r\n", .lineFolded),
            ("X : 1\r\n", .fieldNameFollowedByBlank), ("X\t: 1\r\n", .fieldNameFollowedByBlank),
            (": 1\r\n", .fieldNameEmpty), ("X\r\n", .colonMissing), ("X\n", .colonMissing),
            ("\nX: 1\r\n", .bareLineFeed), ("\n", .bareLineFeed),
            ("\rX: 1\r\n", .bareCarriageReturn),
            ("X: 1\n", .bareLineFeed), ("X: 1\nY: 2\r\n", .bareLineFeed),
            ("X: 1\rY: 2\r\n", .bareCarriageReturn), ("X: 1\r\r\n", .bareCarriageReturn),
            ("X: 1\u{0}\r\n", .fieldValueInvalid), ("X: \u{B}\r\n", .fieldValueInvalid),
            ("X: 12345678\u{1F}\r\n", .fieldValueInvalid), ("X: \u{7F}\r\n", .fieldValueInvalid),
            ("X\u{0}: 1\r\n", .fieldNameInvalid), ("X(: 1\r\n", .fieldNameInvalid),
            ("X\u{E9}: 1\r\n", .fieldNameInvalid), ("\"X\": 1\r\n", .fieldNameInvalid),
            ("X/Y: 1\r\n", .fieldNameInvalid), ("X@: 1\r\n", .fieldNameInvalid),
            ("X: a\tb\r\n", nil), ("X: \u{E9}\r\n", nil), ("X:\r\n", nil), ("X:\t \r\n", nil),
            ("!#$%&'*+-.^_`|~09: 1\r\n", nil), ("X: :\r\n", nil),
        ] as [(String, HeadError?)])
    func `is refused for its lines`(fields: String, error: HeadError?) {
        let text = post(fields)
        let outcome = Outcome { () throws(HeadError) in try request(text).length }
        #expect(outcome == error.map { .refused($0) } ?? .whole(text.utf8.count))
    }

    @Test func `is refused for a blank before its first field`() {
        #expect(throws: HeadError.fieldPrecededByBlank) {
            try request("GET / HTTP/1.1\r\n Host: a\r\n\r\n")
        }
    }

    @Test(
        arguments: [
            ("GET / HTTP/1.1\r\n\r\n", .hostMissing),
            ("GET / HTTP/1.1\r\nX-Host: a\r\n\r\n", .hostMissing),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .hostRepeated),
            ("GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n", .hostRepeated),
            ("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", .hostRepeated),
            ("GET / HTTP/1.1\r\nHost:\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: a%2Eb\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: \u{E9}\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: a:\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: :80\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: a:000080\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: a:8o\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: [\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: []\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: [::1]8443\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: [::g]\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: [abc]\r\n\r\n", .hostInvalid),
            ("GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n", .hostInvalid),
            ("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", .targetNotHost),
            ("GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n", .targetNotHost),
            ("GET http://a/ HTTP/1.1\r\n\r\n", .hostMissing),
            ("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", .targetInvalid),
            ("GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", .targetInvalid),
            ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", .targetInvalid),
            ("GET httpss://a/ HTTP/1.1\r\nHost: a\r\n\r\n", .targetInvalid),
            ("GET http://a/../ HTTP/1.1\r\nHost: a\r\n\r\n", .pathDotSegment),
            ("GET http://a//b HTTP/1.1\r\nHost: a\r\n\r\n", .pathEmptySegment),
            ("GET http://a\\b HTTP/1.1\r\nHost: a\r\n\r\n", .targetInvalid),
            ("GET http://a#b HTTP/1.1\r\nHost: a\r\n\r\n", .targetInvalid),
            ("GET http://a\r\n\r\n", .versionMissing),
            ("CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n", .targetInvalid),
            ("CONNECT a:80 HTTP/1.1\r\nHost: b:80\r\n\r\n", .targetNotHost),
            ("CONNECT http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", .targetInvalid),
            ("POST * HTTP/1.1\r\nHost: a\r\n\r\n", .targetInvalid),
            ("OPTIONS *a HTTP/1.1\r\nHost: a\r\n\r\n", .targetInvalid),
        ] as [(String, HeadError)])
    func `is refused for its Host`(text: String, error: HeadError) {
        #expect(throws: error) { try request(text) }
    }

    @Test(
        arguments: [
            ("Content-Length: 1\r\nContent-Length: 1\r\n", .contentLengthRepeated),
            ("Content-Length: 1\r\ncontent-length: 2\r\n", .contentLengthRepeated),
            ("Content-Length: 1, 1\r\n", .contentLengthInvalid),
            ("Content-Length: +1\r\n", .contentLengthInvalid),
            ("Content-Length: -1\r\n", .contentLengthInvalid),
            ("Content-Length: 1 1\r\n", .contentLengthInvalid),
            ("Content-Length: 0x1\r\n", .contentLengthInvalid),
            ("Content-Length: 1.0\r\n", .contentLengthInvalid),
            ("Content-Length: a\r\n", .contentLengthInvalid),
            ("Content-Length:\r\n", .contentLengthInvalid),
            ("Content-Length: \u{661}\r\n", .contentLengthInvalid),
            ("Content-Length: 1000000000000000000\r\n", .contentLengthInvalid),
            ("Content-Length: 18446744073709551617\r\n", .contentLengthInvalid),
            (
                "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                .contentLengthWithTransferEncoding
            ),
            (
                "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
                .contentLengthWithTransferEncoding
            ),
            (
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                .transferEncodingRepeated
            ),
            ("Transfer-Encoding: chunked, chunked\r\n", .transferEncodingUnsupported),
            ("Transfer-Encoding: gzip, chunked\r\n", .transferEncodingUnsupported),
            ("Transfer-Encoding: chunked, identity\r\n", .transferEncodingUnsupported),
            ("Transfer-Encoding: identity\r\n", .transferEncodingUnsupported),
            ("Transfer-Encoding: xchunked\r\n", .transferEncodingUnsupported),
            ("Transfer-Encoding: chunked;q=1\r\n", .transferEncodingUnsupported),
            ("Transfer-Encoding: ,chunked\r\n", .transferEncodingUnsupported),
            ("Transfer-Encoding: \"chunked\"\r\n", .transferEncodingUnsupported),
            ("Transfer-Encoding:\r\n", .transferEncodingUnsupported),
            ("Transfer-Encoding: \u{B}chunked\r\n", .fieldValueInvalid),
            ("Connection: content-length\r\n", .connectionNominatesFraming),
            ("Connection: close, Transfer-Encoding\r\n", .connectionNominatesFraming),
            ("Connection: HOST\r\n", .connectionNominatesFraming),
            ("Connection: a b\r\n", .connectionInvalid),
            ("Connection: close; x\r\n", .connectionInvalid),
            ("Connection: \"close\"\r\n", .connectionInvalid),
            ("Connection: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q\r\n", .connectionOptionsTooMany),
            ("Expect: 200-ok\r\n", .expectationUnknown),
            ("Expect: 100-continue, x\r\n", .expectationUnknown),
            ("Expect:\r\n", .expectationUnknown),
        ] as [(String, HeadError)])
    func `is refused for a field that rules the message`(fields: String, error: HeadError) {
        #expect(throws: error) { try request(post(fields)) }
    }

    @Test func `is refused with chunks in HTTP 1.0`() {
        #expect(throws: HeadError.transferEncodingInOldVersion) {
            try request("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")
        }
    }

    private func outcome(_ error: HeadError?) -> Outcome {
        error.map { .refused($0) } ?? .incomplete
    }
}
