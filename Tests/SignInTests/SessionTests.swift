// SessionTests.swift: how sessions begin, live and end.

import Identity
import Testing

@testable import SignIn

private func proof(_ number: String = "899700218896") throws -> SignInProof {
    SignInProof(
        professional: try ProfessionalID(number), method: .session, level: .high, provenAt: 1000)
}

extension SessionStore {
    fileprivate func find(
        _ cookie: String, certificate: [UInt8]? = nil, now: Int64
    ) -> LiveSession? {
        let bytes = Array(cookie.utf8)
        guard let certificate else { return session(bytes.span, certificate: nil, now: now) }
        return session(bytes.span, certificate: certificate.span, now: now)
    }
}

@Suite struct `A session` {
    private static var lifetimes: SessionLifetimes {
        var lifetimes = SessionLifetimes()
        lifetimes.idle = 60
        lifetimes.absolute = 600
        lifetimes.perProfessionalMax = 3
        return lifetimes
    }

    @Test func `is found by its cookie and by nothing else`() throws {
        let store = SessionStore(Self.lifetimes)
        let (cookie, session) = try store.begin(try proof(), now: 1000)
        #expect(store.find(cookie, now: 1001) === session)
        #expect(store.find(session.publicID, now: 1001) == nil)
        #expect(store.find(String(cookie.dropLast()) + "x", now: 1001) == nil)
        #expect(store.find("", now: 1001) == nil)
        #expect(store.session(named: session.publicID) === session)
        #expect(session.publicID.hasPrefix("s-") && session.publicID.count == 18)
    }

    @Test func `ends when it is idle, and lives on while it is used`() throws {
        let store = SessionStore(Self.lifetimes)
        let (cookie, session) = try store.begin(try proof(), now: 1000)
        for moment in stride(from: Int64(1050), to: 1550, by: 50) {
            #expect(store.find(cookie, now: moment) != nil)
        }
        #expect(store.find(cookie, now: 1620) == nil)
        #expect(session.end == .absolute)
        let (other, idle) = try store.begin(try proof(), now: 2000)
        #expect(store.find(other, now: 2060) == nil)
        #expect(idle.end == .idle)
        #expect(store.sweep(now: 3000).isEmpty == false)
        #expect(store.count == 0)
    }

    @Test func `is worth nothing without the certificate it was begun with`() throws {
        let store = SessionStore(Self.lifetimes)
        var bound = try proof()
        let certificate = [UInt8](repeating: 7, count: 32)
        bound.certificate = certificate
        let (cookie, session) = try store.begin(bound, now: 1000)
        #expect(store.find(cookie, now: 1001) == nil)
        #expect(store.find(cookie, certificate: [UInt8](repeating: 8, count: 32), now: 1001) == nil)
        #expect(store.find(cookie, certificate: certificate, now: 1001) === session)
    }

    @Test func `ends when its professional has too many`() throws {
        let store = SessionStore(Self.lifetimes)
        let sessions = try (0..<4).map { try store.begin(try proof(), now: 1000 + $0).session }
        #expect(sessions.map(\.end) == [.tooMany, nil, nil, nil])
        let other = try store.begin(try proof("899700427885"), now: 1000).session
        #expect(!other.isOver)
    }

    @Test func `is refused when there are as many as may be, and those that live live on`() throws {
        let store = SessionStore(Self.lifetimes, countMax: 2)
        let first = try store.begin(try proof("899700218896"), now: 1000)
        _ = try store.begin(try proof("899700427885"), now: 1000)
        #expect(throws: SessionRefusal.full) {
            try store.begin(try proof("810107592544"), now: 1001)
        }
        #expect(store.find(first.cookieValue, now: 1002) != nil)
        // Those that have outlived themselves make room.
        #expect(throws: Never.self) { try store.begin(try proof("810107592544"), now: 9000) }
    }

    @Test func `may only be shortened by another configuration`() throws {
        let store = SessionStore(Self.lifetimes)
        let (_, session) = try store.begin(try proof(), now: 1000)
        var longer = Self.lifetimes
        longer.absolute = 6000
        store.apply(longer)
        #expect(session.absoluteEnd == 1600)
        longer.absolute = 100
        store.apply(longer)
        #expect(session.absoluteEnd == 1100)
    }

    @Test func `ends once, for one reason`() throws {
        let store = SessionStore(Self.lifetimes)
        let (cookie, session) = try store.begin(try proof(), now: 1000)
        #expect(store.end(session, .neutralized))
        #expect(!store.end(session, .signedOut))
        #expect(session.end == .neutralized && store.find(cookie, now: 1001) == nil)
    }
}

@Suite struct `A sealed ticket` {
    @Test func `opens for whom it was sealed, in time, and unchanged`() throws {
        let memory = SignInMemory()
        let ticket = Ticket(
            stage: .provider(name: "psc", state: "s", nonce: "n", verifier: "v"), endsAt: 2000,
            certificate: [1, 2, 3])
        let text = try #require(ticket.sealed(memory.seal))
        var request = OwnRequest()
        request.cookie = "__Host-herse-sign-in=\(text)"
        request.certificate = [1, 2, 3]
        request.now = 1999
        #expect(Ticket(request, seal: memory.seal) == ticket)
        request.now = 2000
        #expect(Ticket(request, seal: memory.seal) == nil)
        request.now = 1999
        request.certificate = nil
        #expect(Ticket(request, seal: memory.seal) == nil)
        request.certificate = [1, 2, 3]
        #expect(Ticket(request, seal: SignInMemory().seal) == nil)
        var bytes = Array(text.utf8)
        for index in bytes.indices {
            let kept = bytes[index]
            bytes[index] = kept == 0x41 ? 0x42 : 0x41
            request.cookie = "__Host-herse-sign-in=" + String(decoding: bytes, as: UTF8.self)
            #expect(Ticket(request, seal: memory.seal) == nil || kept == bytes[index])
            bytes[index] = kept
        }
    }
}
