// Scalars.swift: addresses, durations and sizes, good beside bad.

import Testing

@testable import Policy

private func scalar(_ text: String) -> Scalar {
    Scalar(text: text, isQuoted: false, place: SourceLocation(startOf: "h"))
}

@Suite struct `An address` {
    @Test(arguments: [
        ("127.0.0.1:8443", "127.0.0.1:8443"), ("0.0.0.0:0", "0.0.0.0:0"), ("[::]:1", "[::]:1"),
        ("[2001:db8::8:800:200c:417a]:443", "[2001:db8::8:800:200c:417a]:443"),
        ("[::ffff:192.0.2.1]:443", "[::ffff:192.0.2.1]:443"),
    ])
    func `of a listener is an IP address and a port`(text: String, shown: String) throws {
        #expect(try scalar(text).listenerAddress().description == shown)
    }

    @Test(arguments: [
        "", ":", ":1", "1", "[", "[]:1", "[::1]", "[::1]1", "[1::2::3]:1", "[1:2:3:4:5:6:7]:1",
        "[1:2:3:4:5:6:7:8:9]:1", "[12345::]:1", "[fe80::1%eth0]:1", "127.0.0.1:-1",
        "127.0.0.1:+1", "127.0.0.1: 1", "127.0.0.1:01", "0127.0.0.1:1", "127.0.1:1",
        "127.0.0.1:99999999999999999999", "a b:1", "é:1", "[:::]:1", "[1:2:3:4:5:6:7::8]:1",
    ])
    func `that is none is refused`(text: String) {
        #expect(throws: Complaint.self) { try scalar(text).listenerAddress() }
    }

    @Test(arguments: [
        ("http://mpi", "mpi:80", false), ("https://mpi.example.org", "mpi.example.org:443", true),
        ("https://[::1]:9443", "[::1]:9443", true),
        ("http://localhost:9000", "localhost:9000", false),
    ])
    func `of an identity server has its port by default`(
        text: String, address: String, isTLS: Bool
    ) throws {
        let endpoint = try scalar(text).endpoint()
        #expect(endpoint.address.description == address)
        #expect(endpoint.isTLS == isTLS)
    }

    @Test(arguments: [
        "mpi", "http://", "https://", "HTTP://mpi", "http://mpi:0", "http://mpi/", "http://mpi?x",
        "http://u:p@mpi", "http://mpi:80:80", "http://1.2.3", "http://mpi_x", "unix:/run/x",
    ])
    func `of an identity server that is no bare URL is refused`(text: String) {
        #expect(throws: Complaint.self) { try scalar(text).endpoint() }
    }

    @Test func `on this machine is known as such`() throws {
        let texts = ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::2]:1", "10.0.0.1:1"]
        let loopback = try texts.map { try scalar($0).listenerAddress().isLoopback }
        #expect(loopback == [true, true, true, false, false])
    }
}

@Suite struct `A duration` {
    @Test(arguments: [
        ("1s", Duration.seconds(1)), ("90s", .seconds(90)), ("5m", .seconds(300)),
        ("1h", .seconds(3600)), ("30d", .seconds(2_592_000)), ("500ms", .milliseconds(500)),
    ])
    func `is a number and a unit`(text: String, duration: Duration) throws {
        let range = Duration.milliseconds(10) ... .seconds(1 << 40)
        #expect(try scalar(text).duration(range) == duration)
        #expect(shown(duration) == (text == "90s" ? "90s" : text))
    }

    @Test(arguments: [
        "", "s", "10", "10 s", "-1s", "+1s", "1.5s", "01s", "1S", "1w", "ms", "10sm",
        "1000000000000000000s", "9999999999d",
    ])
    func `that is none is refused`(text: String) {
        let range = Duration.milliseconds(10) ... .seconds(1 << 60)
        #expect(throws: Complaint.self) { try scalar(text).duration(range) }
    }

    @Test func `takes milliseconds only where they make sense`() {
        #expect(throws: Complaint.self) {
            try scalar("1500ms").duration(.seconds(1) ... .seconds(9))
        }
    }
}

@Suite struct `A size` {
    @Test(arguments: [("0", 0), ("1024", 1024), ("64k", 65_536), ("1024M", 1 << 30)])
    func `is a number of bytes`(text: String, bytes: Int) throws {
        #expect(try scalar(text).size(max: 1 << 30) == bytes)
    }

    @Test(arguments: ["", "k", "-1", "1K", "1m", "1G", "1.5M", "1025M", "999999999999999999M"])
    func `that is none, or too large, is refused`(text: String) {
        #expect(throws: Complaint.self) { try scalar(text).size(max: 1 << 30) }
    }
}

@Suite struct `A misspelt word` {
    @Test(arguments: [
        ("lisener", "listeners"), ("Routes", "routes"), ("identity-servers", "identity_servers"),
        ("contorl", "control"), ("stat", "state"),
    ])
    func `is answered with the one that was meant`(word: String, meant: String) {
        #expect(nearest(to: word, among: Assembly.listKeys + Assembly.singleKeys) == meant)
    }

    @Test(arguments: ["", "x", "certificate", String(repeating: "s", count: 100_000)])
    func `like nothing known is answered with nothing`(word: String) {
        #expect(nearest(to: word, among: Assembly.listKeys + Assembly.singleKeys) == nil)
    }
}
