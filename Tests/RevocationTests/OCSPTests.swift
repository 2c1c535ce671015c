// OCSPTests.swift: whose word on a certificate counts, and for how long.

import Foundation
import Outbound
import StubServers
import Testing

@testable import Revocation

@Suite struct `An OCSP responder` {
    private let authority: RevokingAuthority
    private let now = nowInSeconds() + 2

    init() throws { authority = try RevokingAuthority() }

    private func client(
        _ server: StubServer, _ change: (inout OCSPSettings) -> Void = { _ in }
    ) -> OCSPClient {
        var settings = OCSPSettings(url: server.url("/ocsp"))
        change(&settings)
        return OCSPClient(settings)
    }

    @Test func `tells good from revoked and unknown`() throws {
        let server = try authority.serve()
        let client = client(server)
        let good = try #require(try authority.question(1))
        guard case .good(let until) = client.status(good, now: now) else {
            Issue.record("not good: \(client.status(good, now: now))")
            return
        }
        #expect((now + 200...now + 300).contains(until))
        let revoked = try #require(try authority.question(2))
        #expect(client.status(revoked, now: now) == .revoked(at: RevokingAuthority.revokedAt))
        let unknown = try #require(try authority.question(3))
        #expect(client.status(unknown, now: now) == .unknown)
    }

    @Test func `is asked once while its answer counts`() throws {
        let server = try authority.serve()
        let client = client(server)
        for serial in 1...3 {
            let question = try #require(try authority.question(serial))
            #expect(client.known(question, now: now) == nil)
            let status = client.status(question, now: now)
            #expect(client.status(question, now: now + 50) == status)
            #expect(client.known(question, now: now + 50) == status)
            #expect(server.requests.count == serial)
            #expect(client.known(question, now: now + 301) == nil)
        }
        // One that did not know may know soon.
        let unknown = try #require(try authority.question(3))
        #expect(client.known(unknown, now: now + 60) == nil)
        let brief = self.client(server) { $0.cache = 10 }
        let good = try #require(try authority.question(1))
        #expect(brief.status(good, now: now) == .good(until: now + 10))
        #expect(brief.known(good, now: now + 10) == nil)
    }

    @Test func `may be somebody the issuer delegated, and nobody else`() throws {
        let delegate = try authority.authority.issue("ocsp", ["extendedKeyUsage=OCSPSigning"])
        let undelegated = try authority.authority.issue("web", ["extendedKeyUsage=serverAuth"])
        let twin = try RevokingAuthority()
        let foreign = try twin.authority.issue("ocsp", ["extendedKeyUsage=OCSPSigning"])
        let question = try #require(try authority.question(1))
        for (signer, isBelieved) in [
            (delegate, true), (undelegated, false), (twin.authority.identity, false),
            (foreign, false),
        ] {
            let server = try authority.serve { try $0.respond(to: $1, by: signer) }
            let status = client(server).status(question, now: now)
            if isBelieved {
                guard case .good = status else {
                    Issue.record("\(signer.certificate): \(status)")
                    continue
                }
            } else {
                #expect(status == .unavailable(.signature), "\(signer.certificate)")
            }
        }
    }

    @Test func `is not believed with a signature that was changed`() throws {
        let question = try #require(try authority.question(1))
        let changed = try authority.serve { try $0.respond(to: $1, ["-nmin", "5", "-badsig"]) }
        #expect(client(changed).status(question, now: now) == .unavailable(.signature))
        let weak = try authority.serve { try $0.respond(to: $1, ["-nmin", "5", "-rmd", "sha1"]) }
        #expect(client(weak).status(question, now: now) == .unavailable(.weakSignature))
    }

    @Test func `may sign ahead of time, unless it must repeat what was sent`() throws {
        let ahead = try authority.respond(to: try authority.request(1, nonce: false))
        let server = try authority.serve { _, _ in ahead }
        let question = try #require(try authority.question(1))
        guard case .good = client(server).status(question, now: now) else {
            Issue.record("signed ahead, and refused")
            return
        }
        let strict = client(server) { $0.requiresNonce = true }
        #expect(strict.status(question, now: now) == .unavailable(.nonce))
        let live = client(try authority.serve()) { $0.requiresNonce = true }
        guard case .good = live.status(question, now: now) else {
            Issue.record("repeated, and refused")
            return
        }
        // What somebody else was told is no answer to us.
        let replayed = try authority.respond(to: try authority.request(1, nonce: true))
        let other = try authority.serve { _, _ in replayed }
        #expect(client(other).status(question, now: now) == .unavailable(.nonce))
    }

    @Test func `must speak of the certificate that was asked about`() throws {
        let other = try authority.respond(to: try authority.request(1, nonce: false))
        let server = try authority.serve { _, _ in other }
        let question = try #require(try authority.question(2))
        #expect(client(server).status(question, now: now) == .unavailable(.otherCertificate))
    }

    @Test func `is not believed once its answer has expired`() throws {
        let server = try authority.serve()
        let question = try #require(try authority.question(1))
        #expect(client(server).status(question, now: now + 700) == .unavailable(.expired))
        guard case .good(let until) = client(server).status(question, now: now + 400) else {
            Issue.record("refused within five minutes, by which clocks may differ")
            return
        }
        #expect(until == now + 400)
    }

    @Test(arguments: [
        StubReply.answer(200, []), .answer(200, Array("good".utf8)), .answer(404, []),
        .answer(200, [0x30, 0x03, 0x0A, 0x01, 0x06]), .answer(200, [0x30, 0x84, 0xFF, 0xFF]),
        .answer(200, [0x30, 0x03, 0x0A, 0x01, 0x00]), .answer(302, fields: ["Location: /"], []),
        .answer(200, [UInt8](repeating: 0x30, count: 70_000)), .bytes([]),
    ])
    func `that answers nonsense leaves it open`(reply: StubReply) throws {
        let server = try StubServer { _ in reply }
        let question = try #require(try authority.question(1))
        let client = client(server)
        guard case .unavailable(let problem) = client.status(question, now: now) else {
            Issue.record("believed")
            return
        }
        #expect(!problem.description.isEmpty)
        #expect(client.known(question, now: now) == nil)
    }

    @Test func `is asked once by many at once`() throws {
        let server = try authority.serve()
        let client = client(server)
        let question = try #require(try authority.question(2))
        DispatchQueue.concurrentPerform(iterations: 6) { _ in
            let status = client.status(question, now: now)
            #expect(status == .revoked(at: RevokingAuthority.revokedAt))
        }
        #expect(server.requests.count == 1)
    }

    @Test func `says what it said, or nothing, whatever is changed on the way`() throws {
        let question = try #require(try authority.question(2))
        let asked = try #require(question.request(nonce: true))
        let response = try authority.respond(
            to: asked.bytes, ["-nmin", "5", "-resp_no_certs"])
        let said = try question.read(response, to: asked, requiresNonce: true, now: now)
        var believed = 0
        for index in response.indices {
            for mask in [0x01, 0x80, 0xFF] as [UInt8] {
                var changed = response
                changed[index] ^= mask
                guard
                    let answer = try? question.read(
                        changed, to: asked, requiresNonce: true, now: now)
                else { continue }
                // Not all bytes are signed: what wraps the signed ones is not.
                #expect(answer == said, "byte \(index)")
                believed += 1
            }
            let cut = Array(response[..<index])
            #expect(throws: OCSPProblem.self) {
                try question.read(cut, to: asked, requiresNonce: true, now: now)
            }
        }
        #expect(believed < 20, "\(believed) of \(3 * response.count)")
    }

    @Test func `that cannot be reached is not waited for again and again`() throws {
        let server = try authority.serve()
        server.stop()
        let question = try #require(try authority.question(1))
        let client = client(server)
        for _ in 0..<3 {
            guard case .unavailable(.fetch) = client.status(question, now: now) else {
                Issue.record("reached")
                return
            }
        }
        #expect(client.status(question, now: now) == .unavailable(.paused))
    }

    @Test func `gives a response to staple, of a good certificate only`() throws {
        let server = try authority.serve()
        let client = client(server)
        let staple = try client.staple(try #require(try authority.question(1)), now: now)
        #expect(!staple.response.isEmpty)
        #expect((now + 200...now + 300).contains(staple.until))
        #expect(staple.renewAt > now && staple.renewAt < staple.until)
        // Anybody's client reads it.
        let path = try authority.authority.folder.write("staple.der", "")
        try Data(staple.response).write(to: URL(filePath: path))
        let text = try openssl([
            "ocsp", "-respin", path, "-CAfile", authority.authority.identity.certificate, "-text",
        ])
        #expect(String(decoding: text, as: UTF8.self).contains("Cert Status: good"))
        for serial in 2...3 {
            let question = try #require(try authority.question(serial))
            #expect(throws: OCSPProblem.notGood) { try client.staple(question, now: now) }
        }
    }
}

@Suite struct `An OCSP question` {
    @Test func `needs a certificate and who issued it`() throws {
        let one = try RevokingAuthority()
        let other = try RevokingAuthority("Other")
        let issuer = try one.authority.identity.der()
        let certificate = try one.authority.server().der()
        #expect(OCSPQuestion(certificate: certificate, issuer: issuer) != nil)
        #expect(OCSPQuestion(certificate: issuer, issuer: certificate) == nil)
        #expect(
            OCSPQuestion(certificate: certificate, issuer: try other.authority.identity.der())
                == nil)
        for broken in [[], [0x30], certificate.dropLast(), certificate + [0]] as [[UInt8]] {
            #expect(OCSPQuestion(certificate: broken, issuer: issuer) == nil)
            #expect(OCSPQuestion(certificate: certificate, issuer: broken) == nil)
        }
        let first = try #require(try one.question(1))
        let second = try #require(try one.question(2))
        #expect(first.key.count == 32)
        #expect(first.key == (try one.question(1))?.key)
        #expect(first.key != second.key)
    }
}

@Suite struct `The time of an OCSP answer` {
    @Test(
        arguments: [
            // thisUpdate, nextUpdate, until or why not; it is 10,000, and answers count for an hour.
            (10_000, 20_000, 13_600, nil), (10_000, 12_000, 12_000, nil), (1, 12_000, 12_000, nil),
            (10_300, 12_000, 12_000, nil), (10_301, 12_000, nil, .fromTheFuture),
            (9_000, 9_700, 10_000, nil), (9_000, 9_699, nil, .expired),
            (10_200, 10_100, nil, .expired), (9_000, nil, 13_600, nil), (6_100, nil, 13_600, nil),
            (6_099, nil, nil, .expired), (10_301, nil, nil, .fromTheFuture),
        ] as [(Int64, Int64?, Int64?, OCSPProblem?)])
    func `bounds how long it counts`(
        this: Int64, next: Int64?, until: Int64?, problem: OCSPProblem?
    ) {
        let answer = OCSPAnswer(verdict: .good, thisUpdate: this, nextUpdate: next)
        do throws(OCSPProblem) {
            #expect(try answer.until(cache: 3600, now: 10_000) == until)
            #expect(problem == nil)
        } catch {
            #expect(error == problem)
        }
    }
}
