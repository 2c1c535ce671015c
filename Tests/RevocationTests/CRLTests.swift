// CRLTests.swift: which revocation lists are taken from an address, and kept.

import Foundation
import Outbound
import StubServers
import Synchronization
import Testing

@testable import Revocation

/// A server of one list, that changes while it runs.
private final class Shelf: Sendable {
    let server: StubServer

    private final class Box: Sendable { let reply = Mutex(StubReply.answer(404, [])) }
    private let box: Box

    init() throws {
        let box = Box()
        self.box = box
        server = try StubServer { request in
            let reply = box.reply.withLock { $0 }
            guard let tag = request.fields["if-none-match"], case .answer(_, let fields, _) = reply,
                fields.contains("ETag: \(tag)")
            else { return reply }
            return .answer(304, [])
        }
    }

    func put(_ reply: StubReply) { box.reply.withLock { $0 = reply } }
    func put(_ bytes: [UInt8]) { put(.answer(200, bytes)) }
    var settings: CRLSettings { CRLSettings(url: server.url("/a.crl")) }
}

@Suite struct `A fetched revocation list` {
    private let authority: RevokingAuthority
    private let shelf: Shelf

    init() throws {
        authority = try RevokingAuthority()
        shelf = try Shelf()
    }

    @Test func `may be DER or PEM, and is DER afterwards`() throws {
        let pem = try authority.list()
        let der = try der(ofList: pem)
        for bytes in [pem, der] {
            shelf.put(bytes)
            let source = CRLSource(shelf.settings, now: 0)
            #expect(source.list == nil)
            #expect(source.report(now: 0).state == .missing)
            #expect(source.isDue(now: 0))
            #expect(source.refresh(now: 0))
            #expect(source.list == der)
            let report = source.report(now: 100)
            #expect(report.state == .fresh)
            #expect(report.age == 100)
            #expect(report.thisUpdate == 1_767_225_600)
            #expect(report.nextUpdate == 2_082_758_400)
            #expect(report.bytes == der.count)
            #expect(report.problem == nil)
        }
    }

    @Test func `is replaced by no list, and by nothing that is none`() throws {
        let pem = try authority.list()
        shelf.put(pem)
        let source = CRLSource(shelf.settings, now: 0)
        source.refresh(now: 0)
        let first = try #require(source.list)
        let certificate = try authority.authority.identity.der()
        let replies: [StubReply] = [
            .answer(200, []), .answer(200, Array("<html>".utf8)), .answer(404, pem),
            .answer(302, fields: ["Location: /"], pem), .answer(200, certificate),
            .answer(200, first + [0]), .answer(200, first.dropLast()), .answer(200, pem + pem),
            .answer(304, []),
        ]
        for (index, reply) in replies.enumerated() {
            shelf.put(reply)
            let now = Int64(1 + index) * 100
            #expect(!source.refresh(now: now))
            #expect(source.list == first)
            #expect(source.report(now: now).age == now, "\(index)")
            #expect(source.report(now: now).problem?.hasPrefix(shelf.server.url("/a.crl")) == true)
        }
        #expect(shelf.server.requests.count == 1 + replies.count)
    }

    @Test func `is replaced by a newer one, and by no older one`() throws {
        let old = try authority.list(from: "20260101000000Z")
        let new = try authority.list(from: "20260102000000Z")
        shelf.put(old)
        let source = CRLSource(shelf.settings, now: 0)
        source.refresh(now: 0)
        shelf.put(new)
        #expect(source.refresh(now: 100))
        let newest = source.list
        #expect(newest == (try der(ofList: new)))
        shelf.put(old)
        #expect(!source.refresh(now: 200))
        #expect(source.list == newest)
        #expect(source.report(now: 200).problem?.contains("older than the list at hand") == true)
        // The same again is no other, and fresh.
        shelf.put(new)
        #expect(!source.refresh(now: 300))
        #expect(source.report(now: 300).age == 0)
    }

    @Test func `must pass whoever knows its authority`() throws {
        let stranger = try RevokingAuthority("Stranger").list(from: "20260103000000Z")
        let own = try authority.list()
        let ownDER = try der(ofList: own)
        shelf.put(own)
        let source = CRLSource(shelf.settings, now: 0) { $0 == ownDER ? nil : "signed by nobody" }
        source.refresh(now: 0)
        shelf.put(stranger)
        #expect(!source.refresh(now: 100))
        #expect(source.list == ownDER)
        #expect(
            source.report(now: 100).problem == shelf.server.url("/a.crl") + ": signed by nobody")
    }

    @Test func `is not sent again when it is the same`() throws {
        let pem = try authority.list()
        shelf.put(.answer(200, fields: ["ETag: \"v1\""], pem))
        let source = CRLSource(shelf.settings, now: 0)
        source.refresh(now: 0)
        #expect(!source.refresh(now: 3600))
        #expect(shelf.server.requests.last?.fields["if-none-match"] == "\"v1\"")
        #expect(source.report(now: 3600).age == 0)
        #expect(source.report(now: 3600).problem == nil)
        shelf.put(
            .answer(200, fields: ["ETag: \"v2\""], try authority.list(from: "20260102000000Z")))
        #expect(source.refresh(now: 7200))
    }

    @Test func `grows stale, and is asked for sooner when it is over`() throws {
        shelf.put(try authority.list(to: "20260201000000Z"))
        let over: Int64 = 1_769_904_000
        var settings = shelf.settings
        settings.stale = 1000
        let source = CRLSource(settings, now: over - 5000)
        source.refresh(now: over - 5000)
        #expect(!source.isDue(now: over - 4000))
        #expect(source.isDue(now: over - 5000 + 3600))
        #expect(source.report(now: over - 4000).state == .fresh)
        #expect(source.report(now: over - 3999).state == .stale)
        source.refresh(now: over - 30)
        #expect(!source.isDue(now: over))
        #expect(!source.isDue(now: over + 29))
        #expect(source.isDue(now: over + 30))
    }

    @Test func `is read or refused, whatever was changed on the way`() throws {
        let der = try der(ofList: try authority.list())
        for index in der.indices {
            for mask in [0x01, 0x80, 0xFF] as [UInt8] {
                var changed = der
                changed[index] ^= mask
                if let list = try? FetchedCRL(changed) { #expect(!list.der.isEmpty) }
            }
            #expect(throws: CRLUnreadable.self) { try FetchedCRL(Array(der[..<index])) }
        }
    }

    @Test func `outlives a restart`() throws {
        let folder = try ScratchFolder()
        var settings = shelf.settings
        settings.stateFolder = folder.file("lists")
        shelf.put(try authority.list())
        let first = CRLSource(settings, now: 1000)
        #expect(first.refresh(now: 1000))
        shelf.put(.answer(503, []))
        let second = CRLSource(settings, now: 2000)
        #expect(second.list == first.list)
        #expect(second.report(now: 2000).age == 1000)
        #expect(second.isDue(now: 2000))
        second.refresh(now: 2000)
        #expect(second.list == first.list)
        // It is looked at again: an authority may be trusted no longer.
        #expect(CRLSource(settings, now: 2000) { _ in "signed by nobody" }.list == nil)
        settings.url += "?other"
        #expect(CRLSource(settings, now: 2000).list == nil)
    }

    @Test func `has a largest size`() throws {
        let pem = try authority.list()
        shelf.put(pem)
        var settings = shelf.settings
        settings.bytesMax = pem.count - 1
        let source = CRLSource(settings, now: 0)
        source.refresh(now: 0)
        #expect(source.list == nil)
        #expect(source.report(now: 0).problem?.contains("larger than \(pem.count - 1)") == true)
        settings.bytesMax = pem.count
        let wider = CRLSource(settings, now: 0)
        #expect(wider.refresh(now: 0))
    }

    @Test func `is fetched once by many at once`() throws {
        shelf.put(try authority.list())
        let source = CRLSource(shelf.settings, now: 0)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in source.refresh(now: 0) }
        #expect(shelf.server.requests.count == 1)
        source.refresh(now: 9)
        #expect(shelf.server.requests.count == 1)
    }
}
