// SampleIdentityServerTests.swift: the sample identity server over real connections.

import Demo
import FlyingSocks
import Foundation
import Testing

/// Writes `text` on one connection to `port` and reads until the server closes it.
private func exchange(_ text: String, port: UInt16) async throws -> String {
    let pool = try await SocketPool<Poll>.client
    let socket = try await AsyncSocket.connected(
        to: sockaddr_in.inet(ip4: "127.0.0.1", port: port), pool: pool)
    try await socket.write(Data(text.utf8))
    var answer: [UInt8] = []
    do {
        while answer.count < 1 << 20 { answer += try await socket.read(atMost: 4096) }
    } catch SocketError.disconnected {}
    try socket.close()
    return String(decoding: answer, as: UTF8.self)
}

@Suite struct `A running sample identity server` {
    @Test(.timeLimit(.minutes(1)))
    func `keeps a connection through reads, HEAD and refusals`() async throws {
        let server = SampleIdentityServer(patients: 10)
        let port = try await server.start()
        let answer = try await exchange(
            """
            GET /fhir/Patient/p000001 HTTP/1.1\r\nHost: mpi\r\n\r\n\
            HEAD /fhir/Patient/p000001 HTTP/1.1\r\nHost: mpi\r\n\r\n\
            GET /fhir/Patient/nobody HTTP/1.1\r\nHost: mpi\r\n\r\n\
            POST /fhir/Patient/_search HTTP/1.1\r\nHost: mpi\r\n\
            Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 11\r\n\r\n\
            _id=p000002\
            GET /fhir/metadata HTTP/1.1\r\nHost: mpi\r\nConnection: close\r\n\r\n
            """, port: port)
        let statuses = answer.split(separator: "HTTP/1.1 ").map { $0.prefix(3) }
        #expect(statuses == ["200", "200", "404", "200", "200"])
        #expect(answer.contains(#""fullUrl":"http://mpi/fhir/Patient/p000002""#))
        await server.stop()
    }

    @Test(.timeLimit(.minutes(1)))
    func `stops, frees its port, and starts again`() async throws {
        let server = SampleIdentityServer(patients: 1)
        let port = try await server.start()
        await #expect(throws: SampleIdentityServerError.alreadyRunning) {
            try await server.start()
        }
        let rival = SampleIdentityServer(patients: 1)
        await #expect(throws: SampleIdentityServerError.cannotListen(port: port)) {
            try await rival.start(port: port)
        }
        await server.stop()
        #expect(try await rival.start(port: port) == port)
        await rival.stop()
        await rival.stop()
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            "garbage\r\n\r\n", "\0\0\0\r\n\r\n",
            "GET http://[::: HTTP/1.1\r\nConnection: close\r\n\r\n",
            "POST /fhir/Patient/_search HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        ])
    func `outlives bad requests`(request: String) async throws {
        let server = SampleIdentityServer(patients: 1)
        let port = try await server.start()
        _ = try await exchange(request, port: port)
        let good = try await exchange(
            "GET /fhir/metadata HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", port: port)
        #expect(good.hasPrefix("HTTP/1.1 200"))
        await server.stop()
    }
}
