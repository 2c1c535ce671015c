// FetchTLSTests.swift: whom a fetch trusts, and what it shows.

import COpenSSL
import StubServers
import Testing

@testable import Outbound

@Suite struct `A fetch over TLS` {
    private let authority: ScratchAuthority

    init() throws { authority = try ScratchAuthority() }

    private func request(_ url: String) -> FetchRequest {
        var request = FetchRequest(url: url)
        request.tls.authorities = authority.identity.certificate
        return request
    }

    @Test func `trusts its authorities, by address and by name`() throws {
        let server = try StubServer(tls: StubTLS(try authority.server())) { _ in .answer(200, [1]) }
        #expect(try fetch(request(server.url("/"))).body == [1])
        #expect(try fetch(request(server.url("/", host: "localhost"))).body == [1])
    }

    @Test func `asks nobody without authorities`() throws {
        let server = try StubServer(tls: StubTLS(try authority.server())) { _ in .answer(200, []) }
        #expect(problem(FetchRequest(url: server.url("/"))) == .noAuthorities)
        #expect(server.connectionCount == 0)
    }

    @Test func `refuses another host's certificate`() throws {
        let other = try authority.issue("other", ["subjectAltName=DNS:other.example"])
        let both = try authority.issue("127.0.0.1", ["subjectAltName=DNS:other.example"])
        for identity in [other, both] {
            let server = try StubServer(tls: StubTLS(identity)) { _ in .answer(200, []) }
            #expect(problem(request(server.url("/"))) == .otherHostName)
            #expect(server.requests.isEmpty)
        }
    }

    @Test func `refuses another authority's certificate, even one of the same name`() throws {
        let twin = try ScratchAuthority()
        let server = try StubServer(tls: StubTLS(try twin.server())) { _ in
            .answer(200, [])
        }
        let found = problem(request(server.url("/")))
        // OpenSSL finds the name, and that the signature is not its.
        #expect(
            found == .unknownAuthority || found == .notTrusted(7), "\(String(describing: found))")
        #expect(server.requests.isEmpty)
        let stranger = try ScratchAuthority("Stranger")
        let second = try StubServer(tls: StubTLS(try stranger.server())) { _ in .answer(200, []) }
        #expect(problem(request(second.url("/"))) == .unknownAuthority)
    }

    @Test func `speaks nothing older than TLS 1_2`() throws {
        let identity = try authority.server()
        for (version, isFine) in [
            (TLS1_1_VERSION, false), (TLS1_2_VERSION, true), (TLS1_3_VERSION, true),
        ] {
            var tls = StubTLS(identity)
            tls.versionMax = version
            let server = try StubServer(tls: tls) { _ in .answer(200, []) }
            #expect(problem(request(server.url("/"))) == (isFine ? nil : .handshake))
        }
    }

    @Test func `shows a certificate where it has one`() throws {
        var tls = StubTLS(try authority.server())
        tls.clientAuthorities = authority.identity.certificate
        let server = try StubServer(tls: tls) { .answer(200, Array(($0.certificate ?? "").utf8)) }
        #expect(problem(request(server.url("/"))) != nil)
        let client = try authority.issue("herse", ["extendedKeyUsage=clientAuth"])
        var showing = request(server.url("/"))
        showing.tls.certificate = client.certificate
        showing.tls.privateKey = client.key
        #expect(try fetch(showing).body == Array("herse".utf8))
        showing.tls.privateKey = try authority.issue("other").key
        #expect(problem(showing) == .ownCertificate)
    }

    @Test func `says when a file cannot be used`() throws {
        let server = try StubServer(tls: StubTLS(try authority.server())) { _ in .answer(200, []) }
        var request = FetchRequest(url: server.url("/"))
        for path in [
            authority.folder.file("none.pem"), try authority.folder.write("empty.pem", ""),
        ] {
            request.tls.authorities = path
            #expect(problem(request) == .authorities)
        }
        request.tls.authorities = authority.identity.certificate
        request.tls.certificate = authority.folder.file("none.pem")
        request.tls.privateKey = authority.identity.key
        #expect(problem(request) == .ownCertificate)
    }

    @Test func `refuses clear text where TLS was meant`() throws {
        let server = try StubServer { _ in .bytes(Array("HTTP/1.1 200 OK\r\n\r\n".utf8)) }
        #expect(problem(request("https://127.0.0.1:\(server.port)/")) != nil)
    }
}
