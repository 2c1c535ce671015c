// SinkTests.swift: destinations at work: down, slow, replaced, and in a hurry.

import Foundation
import JSON
import Outbound
import StubServers
import Synchronization
import Testing

@testable import Alerts

/// What a desk said to the log.
private final class Said: Sendable {
    private let lines = Mutex<[String]>([])
    func say(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}

/// Whether a server is well.
private final class Mood: Sendable {
    private let isWell: Mutex<Bool>
    init(_ isWell: Bool) { self.isWell = Mutex(isWell) }
    var value: Bool { isWell.withLock { $0 } }
    func set(_ value: Bool) { isWell.withLock { $0 = value } }
}

private let secret = [UInt8](repeating: 7, count: 32)

private func hook(_ name: String, _ url: String) -> SinkSettings {
    SinkSettings(name: name, target: .webhook(WebhookTarget(url: url, secret: secret)))
}

private func alert(_ subject: String = "account:1", _ kind: AlertKind = .neutralized) -> Alert {
    Alert(kind, .warning, subject: subject, "about \(subject)")
}

/// Waits until something holds; the deadline is for failures alone.
///
/// It is longer than the longest pause of a destination: on a machine that is busy with other tests
/// many attempts may have failed before this one looks.
private func until(_ what: () -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(400)
    while !what() {
        try #require(ContinuousClock.now < end)
        try await Task.sleep(for: .milliseconds(5))
    }
}

@Suite struct `A destination` {
    @Test func `gets what it takes, and says so`() async throws {
        let server = try StubServer { _ in .answer(204, []) }
        let desk = AlertDesk { _ in }
        desk.use([hook("a", server.url("/hook"))])
        #expect(desk.reports[0].state == .unknown)
        desk.raise(alert())
        desk.raise(Alert(.started, .notice, subject: "gate", "not for here"))
        try await until { desk.reports[0].sent == 1 }
        #expect(desk.reports[0].state == .fresh)
        #expect(server.requests.count == 1)
        #expect(server.requests[0].fields["webhook-id"]?.hasPrefix("msg_") == true)
        desk.use([])
        #expect(desk.reports.isEmpty)
    }

    @Test func `that is down gets it when it is up again, under the same number`() async throws {
        let mood = Mood(false)
        let said = Said()
        let server = try StubServer { _ in .answer(mood.value ? 200 : 503, []) }
        let desk = AlertDesk { said.say($0) }
        desk.use([hook("a", server.url("/hook"))])
        desk.raise(alert())
        try await until { desk.reports[0].state == .failing }
        #expect(desk.reports[0].problem?.contains("answers 503") == true)
        #expect(desk.reports[0].waiting == 1)
        mood.set(true)
        try await until { desk.reports[0].sent == 1 }
        #expect(desk.reports[0].state == .fresh)
        #expect(Set(server.requests.compactMap { $0.fields["webhook-id"] }).count == 1)
        try await until { said.all.count == 2 }
        #expect(said.all[1] == "alerts: `a` takes them again")
        desk.use([])
    }

    @Test func `that never answers holds up nobody`() async throws {
        let slow = try StubServer { _ in .silence }
        let quick = try StubServer { _ in .answer(200, []) }
        let desk = AlertDesk { _ in }
        desk.use([hook("slow", slow.url("/")), hook("quick", quick.url("/"))])
        let begun = ContinuousClock.now
        for number in 0..<10_000 { desk.raise(alert("account:\(number % 50)")) }
        #expect(ContinuousClock.now - begun < .seconds(20))
        try await until { desk.reports[1].sent >= 50 }
        #expect(desk.reports[0].waiting + desk.reports[0].sent == 10_000)
        desk.use([])
        slow.stop()
    }

    @Test func `with the same settings goes on over a reload; a changed one takes over what waits`()
        async throws
    {
        let mood = Mood(false)
        let bad = try StubServer { _ in .answer(500, []) }
        let good = try StubServer { _ in .answer(mood.value ? 200 : 500, []) }
        let desk = AlertDesk { _ in }
        let same = hook("same", good.url("/same"))
        desk.use([same, hook("moved", bad.url("/"))])
        desk.raise(alert())
        try await until { desk.reports.allSatisfy { $0.state == .failing } }
        desk.use([hook("moved", good.url("/moved")), same])
        #expect(desk.reports.map(\.name) == ["moved", "same"])
        #expect(desk.reports[1].state == .failing)
        mood.set(true)
        try await until { desk.reports.allSatisfy { $0.sent == 1 } }
        let targets = Set(good.requests.map(\.target))
        #expect(targets == ["/same", "/moved"])
        desk.use([])
    }

    @Test func `that is removed loses what waits, and the log says so`() async throws {
        let said = Said()
        let server = try StubServer { _ in .answer(500, []) }
        let desk = AlertDesk { said.say($0) }
        desk.use([hook("a", server.url("/"))])
        desk.raise(alert())
        try await until { desk.reports[0].state == .failing }
        desk.use([])
        try await until { said.all.contains { $0.contains("1 alerts for it are dropped") } }
    }

    @Test func `is given what waits when the gate ends, for as long as there is`() async throws {
        let server = try StubServer { _ in .answer(200, []) }
        let down = try StubServer { _ in .answer(500, []) }
        let desk = AlertDesk { _ in }
        var slow = hook("slow", server.url("/"))
        slow.rate = 1
        desk.use([slow, hook("down", down.url("/"))])
        for number in 0..<5 { desk.raise(alert("account:\(number)")) }
        // On a busy machine more than one may have gone before this looks.
        try await until { desk.reports[0].sent >= 1 }
        let end = ContinuousClock.now + .seconds(400)
        let left = await desk.flush(
            while: { desk.reports[0].sent < 5 && ContinuousClock.now < end }
        ) {
            try? await Task.sleep(for: .milliseconds(5))
        }
        #expect(server.requests.count == 5)
        #expect(left.map(\.name) == ["down"])
        #expect(left.map(\.left) == [5])
        desk.use([])
    }

    @Test func `answers a test at once, one after the other`() async throws {
        let server = try StubServer { _ in .answer(200, []) }
        let desk = AlertDesk { _ in }
        desk.use([hook("a", server.url("/")), hook("b", "http://127.0.0.1:1/")])
        let results = Mutex<[AlertDesk.TestResult]>([])
        let count = desk.test(nil, alert("test", .test)) { result in
            results.withLock { $0.append(result) }
        }
        #expect(count == 2)
        try await until { results.withLock { $0.count } == 2 }
        let found = results.withLock { $0 }.sorted { $0.name < $1.name }
        #expect(found.map(\.isTaken) == [true, false])
        #expect(found[0].answer == "200")
        #expect(found[1].answer.contains("cannot be connected to"))
        #expect(desk.test("a", alert("test", .test)) { _ in } == 1)
        desk.use([])
    }
}

@Suite struct `A syslog connection` {
    @Test func `is refused without authorities, by a stranger and for another name`() throws {
        let authority = try ScratchAuthority()
        let server = try StubServer(tls: StubTLS(try authority.server())) { _ in .silence }
        func problem(_ change: (inout StreamTarget) -> Void) -> FetchProblem? {
            var target = StreamTarget(host: "127.0.0.1", port: server.port)
            change(&target)
            do throws(FetchError) {
                _ = try ByteStream(target)
                return nil
            } catch {
                return error.problem
            }
        }
        let own = authority.identity.certificate
        #expect(problem { _ in } == .noAuthorities)
        #expect(problem { $0.tls.authorities = own } == nil)
        let stranger = try ScratchAuthority("Stranger")
        #expect(
            problem { $0.tls.authorities = stranger.identity.certificate } == .unknownAuthority)
        #expect(
            problem {
                $0.tls.authorities = own
                $0.serverName = "localhost"
            } == nil)
        #expect(
            problem {
                $0.tls.authorities = own
                $0.serverName = "other.example"
            } == .otherHostName)
        server.stop()
    }

    @Test func `notices that its certificate was not accepted`() throws {
        let authority = try ScratchAuthority()
        var tls = StubTLS(try authority.server())
        tls.clientAuthorities = authority.identity.certificate
        let server = try StubServer(tls: tls) { _ in .silence }
        var target = StreamTarget(host: "127.0.0.1", port: server.port)
        target.tls.authorities = authority.identity.certificate
        let stream = try ByteStream(target)
        #expect(throws: FetchError.self) { try stream.send([1, 2, 3], deadline: 2000) }
        let client = try authority.issue("client")
        target.tls.certificate = client.certificate
        target.tls.privateKey = client.key
        let accepted = try ByteStream(target)
        try accepted.send([1, 2, 3], deadline: 2000)
        #expect(accepted.isOpen)
        server.stop()
    }

    @Test func `gives up on a peer that takes nothing`() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        // Safe because the address is read and written within the size it has.
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                #expect(unsafe bind(listener, pointer, size) == 0)
                #expect(unsafe getsockname(listener, pointer, &size) == 0)
            }
        }
        #expect(listen(listener, 1) == 0)
        var target = StreamTarget(host: "127.0.0.1", port: UInt16(bigEndian: address.sin_port))
        target.isTLS = false
        let stream = try ByteStream(target)
        // More than both systems' buffers hold.
        let error = #expect(throws: FetchError.self) {
            try stream.send([UInt8](repeating: 0, count: 64 << 20), deadline: 300)
        }
        #expect(error?.problem == .tooSlow(milliseconds: 300))
    }
}
