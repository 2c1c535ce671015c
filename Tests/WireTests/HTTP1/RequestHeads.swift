// RequestHeads.swift: what is understood of a request head that is let through.

import Testing
import Wire

@Suite struct `A request head that is let through` {
    @Test func `tells its parts`() throws {
        let text =
            "POST /fhir/Patient/_search?a=1&b=%20 HTTP/1.1\r\nhost: mpi.example:8443\r\n"
            + "Accept:text/html\r\nX-Empty:\r\nX-Blank: \t v w \t \r\n\r\nbody"
        let (head, length) = try request(text)
        #expect(length == text.utf8.count - 4)
        #expect(head.method == .post)
        #expect(part(text, head.methodName) == "POST")
        #expect(head.target.form == .origin)
        #expect(part(text, head.target.whole) == "/fhir/Patient/_search?a=1&b=%20")
        #expect(part(text, head.path) == "/fhir/Patient/_search")
        #expect(head.query.map { part(text, $0) } == "a=1&b=%20")
        #expect(head.host.map { part(text, $0) } == "mpi.example:8443")
        #expect(
            head.fields.map { part(text, $0.name) } == ["host", "Accept", "X-Empty", "X-Blank"])
        #expect(
            head.fields.map { part(text, $0.value) }
                == ["mpi.example:8443", "text/html", "", "v w"])
        #expect(head.fields.map(\.known) == [.host, .accept, .other, .other])
        #expect(head.framing == .none && head.keepAlive && !head.isHTTP10)
        #expect(head.section.value(of: .accept).map { part(text, $0) } == "text/html")
        #expect(head.section.value(of: .cookie) == nil)
        #expect(head.section.count(of: .other) == 2)
    }

    @Test func `keeps nothing of the one parsed before`() throws {
        var head = RequestHead()
        for text in sampleRequests + sampleRequests.reversed() {
            let bytes = Array(text.utf8)
            _ = try head.parse(bytes.span, limits: HeadLimits())
            let fresh = try request(text).head
            #expect(head.method == fresh.method && head.target == fresh.target)
            #expect(head.fields == fresh.fields && head.host == fresh.host)
            #expect(head.framing == fresh.framing && head.keepAlive == fresh.keepAlive)
            #expect(head.expectsContinue == fresh.expectsContinue)
            #expect(head.wantsUpgrade == fresh.wantsUpgrade && head.isHTTP10 == fresh.isHTTP10)
        }
    }

    @Test(arguments: Wire.Method.allCases)
    func `has a method known by its name`(method: Wire.Method) throws {
        let name = method.name.map { "\($0)" } ?? "PROPFIND"
        let target = method == .connect ? "a:1" : "/"
        let text = "\(name) \(target) HTTP/1.1\r\nHost: a:1\r\n\r\n"
        #expect(try request(text).head.method == method)
        #expect(Wire.Method(name) == method)
        let lower = "\(name.lowercased()) / HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(try request(lower).head.method == .other)
    }

    @Test(
        arguments: [
            ("GET http://mpi.example/a/b?c HTTP/1.1", TargetForm.absolute, "/a/b", "c"),
            ("GET HTTPS://MPI.example?c HTTP/1.1", .absolute, "/", "c"),
            ("GET https://mpi.example HTTP/1.1", .absolute, "/", nil),
            ("GET https://mpi.example/ HTTP/1.1", .absolute, "/", nil),
            ("OPTIONS * HTTP/1.1", .asterisk, "", nil),
            ("OPTIONS / HTTP/1.1", .origin, "/", nil),
            ("CONNECT mpi.example HTTP/1.1", .authority, "", nil),
            ("GET /a? HTTP/1.1", .origin, "/a", ""),
            ("GET /a?b?c HTTP/1.1", .origin, "/a", "b?c"),
        ] as [(String, TargetForm, String, String?)])
    func `has a target of one form`(
        line: String, form: TargetForm, path: String, query: String?
    ) throws {
        let text = "\(line)\r\nHost: mpi.example\r\n\r\n"
        let head = try request(text).head
        #expect(head.target.form == form)
        #expect(part(text, head.path) == path)
        #expect(head.query.map { part(text, $0) } == query)
    }

    @Test(arguments: [
        ("/a", false, false), ("/a;b", false, true), ("/%41", true, false),
        ("/?%41;", false, false), ("/%3B", true, false), ("/;%41", true, true),
    ])
    func `says when its path needs care`(
        target: String, escapes: Bool, parameters: Bool
    ) throws {
        let head = try request("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n").head
        #expect(head.target.pathHasEscapes == escapes)
        #expect(head.target.pathHasParameters == parameters)
    }

    @Test(arguments: [
        "a", "A-b.c_d~e", "127.0.0.1", "a:0", "a:65535", "a.", "[::1]", "[::1]:8443",
        "[2001:db8::192.0.2.1]:1", "[ABCD:EF01:2345:6789:abcd:ef01:192.168.100.100]",
    ])
    func `may name any host`(host: String) throws {
        let text = "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n"
        #expect(try request(text).head.host.map { part(text, $0) } == host)
    }

    @Test(arguments: [
        ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.1", "Connection: x, CLOSE\r\n", false),
        ("HTTP/1.1", "Connection: x\r\nConnection: ,, close ,\r\n", false),
        ("HTTP/1.1", "Connection: closed\r\n", true), ("HTTP/1.1", "Connection:\r\n", true),
        ("HTTP/1.1", "Connection: keep-alive, close\r\n", false),
        ("HTTP/1.0", "", false), ("HTTP/1.0", "Connection: keep-alive\r\n", true),
        ("HTTP/1.0", "Connection: Keep-Alive, close\r\n", false),
    ])
    func `says whether the connection stays`(
        version: String, fields: String, stays: Bool
    ) throws {
        let head = try request("GET / \(version)\r\nHost: a\r\n\(fields)\r\n").head
        #expect(head.keepAlive == stays)
        #expect(head.isHTTP10 == (version == "HTTP/1.0"))
    }

    @Test(
        arguments: [
            ("", .none), ("Content-Length: 0\r\n", .length(0)),
            ("Content-Length: 007\r\n", .length(7)),
            ("Content-Length: 999999999999999999\r\n", .length(999_999_999_999_999_999)),
            ("Transfer-Encoding: chunked\r\n", .chunked),
            ("transfer-encoding:\tCHUNKED \r\n", .chunked),
            ("Content_Length: 7\r\nTransfer_Encoding: x\r\n", .none),
        ] as [(String, BodyFraming)])
    func `says how its body is delimited`(fields: String, framing: BodyFraming) throws {
        #expect(try request("PUT / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n").head.framing == framing)
    }

    @Test(arguments: [
        ("HTTP/1.1", "Expect: 100-Continue\r\n", true, false),
        ("HTTP/1.1", "Expect: 100-continue\r\nExpect: 100-continue\r\n", true, false),
        ("HTTP/1.0", "Expect: 100-continue\r\nUpgrade: h2c\r\n", false, false),
        ("HTTP/1.1", "Upgrade: websocket\r\nConnection: Upgrade\r\n", false, true),
        ("HTTP/1.1", "Upgrade: websocket\r\n", false, true),
        ("HTTP/1.1", "Connection: upgrade\r\n", false, true),
        ("HTTP/1.1", "X-Upgrade: a\r\n", false, false),
    ])
    func `says what else the client wants`(
        version: String, fields: String, continues: Bool, upgrades: Bool
    ) throws {
        let head = try request("POST / \(version)\r\nHost: a\r\n\(fields)\r\n").head
        #expect(head.expectsContinue == continues)
        #expect(head.wantsUpgrade == upgrades)
    }

    @Test func `has a body or none`() {
        #expect(BodyFraming.none.isEmpty && BodyFraming.length(0).isEmpty)
        #expect(!BodyFraming.length(1).isEmpty && !BodyFraming.chunked.isEmpty)
        #expect(!BodyFraming.untilClose.isEmpty)
    }

    @Test func `may be sent again when its method is idempotent`() {
        let idempotent: Set<Wire.Method> = [.get, .head, .put, .delete, .options, .trace]
        #expect(Set(Wire.Method.allCases.filter(\.isIdempotent)) == idempotent)
    }

    @Test func `needs no Host in HTTP 1.0`() throws {
        #expect(try request("GET / HTTP/1.0\r\n\r\n").head.host == nil)
        let text = "GET http://a:1/ HTTP/1.0\r\n\r\n"
        #expect(try request(text).head.host.map { part(text, $0) } == "a:1")
    }

    @Test func `may follow one empty line`() throws {
        let text = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(try request(text).length == text.utf8.count)
    }

    @Test func `says which fields Connection nominates`() throws {
        let head = try request(
            "GET / HTTP/1.1\r\nX-A: 1\r\nHost: a\r\nConnection: x-a, TE,\r\n"
                + "Connection: X-b\r\nX-B: 2\r\nX-C: 3\r\nx-a: 4\r\nTE: trailers\r\n\r\n"
        ).head
        #expect(
            head.fields.map(\.isNominated)
                == [true, false, false, false, true, false, true, false])
    }
}
