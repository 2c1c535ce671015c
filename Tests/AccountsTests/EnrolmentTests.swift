// EnrolmentTests.swift: links that work once, and what of the accounts a running gate sees.

import Foundation
import Testing

@testable import Accounts

@Suite struct `An enrolment link` {
    private let folder: TestFolder
    private let anne: AccountName

    init() throws {
        folder = try TestFolder()
        anne = try name("anne")
        try folder.store.add(anne, professional: "899700218896", by: "root", now: night)
    }

    private func link(
        _ factors: Set<SecondFactor> = [.totp, .webauthn], seconds: Int64 = 3600
    ) throws -> String {
        try folder.store.makeLink(for: anne, factors: factors, seconds: seconds, now: night)
    }

    private func code(_ secret: [UInt8]) -> [UInt8] {
        totp(secret: secret, step: codeStep(at: night))
    }

    @Test func `is 32 random bytes, of which only the hash is kept`() throws {
        let (one, other) = (try link(), try link())
        #expect(one != other)
        #expect(bytes(base64URL: one[...])?.count == 32)
        let file = try String(
            contentsOfFile: folder.path + "/accounts/anne.account", encoding: .utf8)
        #expect(!file.contains(other))
        #expect(file.contains(hexadecimal(sha256(Array(other.utf8).span))))
    }

    @Test func `offers the same secret until it is used, and works once`() throws {
        let store = folder.store
        let link = try link()
        let offer = try store.offer(link: link, now: night)
        #expect(offer.account.name == anne)
        #expect(offer.factors == [.totp, .webauthn])
        #expect(offer.secret.count == 20)
        #expect(try store.offer(link: link, now: night + 3599).secret == offer.secret)
        #expect(throws: AccountError.wrongCode) {
            _ = try span("000000x") { try store.enrolTOTP(link: link, code: $0, now: night) }
        }
        let code = code(offer.secret)
        #expect(try store.enrolTOTP(link: link, code: code.span, now: night) == anne)
        #expect(try store.account(named: anne)?.totp?.bytes == offer.secret)
        #expect(throws: AccountError.linkOver) { try store.offer(link: link, now: night) }
        #expect(throws: AccountError.linkOver) {
            try store.enrolTOTP(link: link, code: code.span, now: night)
        }
        #expect(throws: AccountError.linkOver) {
            try store.enrolKey(link: link, id: [1], bytes: [1], now: night)
        }
    }

    @Test func `is over when a later one is made, at its end, and with its account`() throws {
        let store = folder.store
        let first = try link()
        let second = try link(seconds: 60)
        #expect(throws: AccountError.linkOver) { try store.offer(link: first, now: night) }
        _ = try store.offer(link: second, now: night + 59)
        #expect(throws: AccountError.linkOver) { try store.offer(link: second, now: night + 60) }
        let third = try link()
        try store.set(.disabled, of: anne)
        #expect(throws: AccountError.linkOver) { try store.offer(link: third, now: night) }
        #expect(throws: AccountError.self) { try link() }
        try store.set(.active, of: anne)
        #expect(throws: AccountError.linkOver) { try store.offer(link: third, now: night) }
        let last = try link()
        try store.remove(anne)
        #expect(throws: AccountError.linkOver) { try store.offer(link: last, now: night) }
    }

    @Test func `enrols nothing it was not made for`() throws {
        let store = folder.store
        let keys = try link([.webauthn])
        #expect(try store.offer(link: keys, now: night).secret.isEmpty)
        #expect(throws: AccountError.linkOver) {
            _ = try span("000000") { try store.enrolTOTP(link: keys, code: $0, now: night) }
        }
        let apps = try link([.totp])
        #expect(throws: AccountError.linkOver) {
            try store.enrolKey(link: apps, id: [1], bytes: [1], now: night)
        }
    }

    @Test(arguments: [
        "", "x", String(repeating: "A", count: 43), String(repeating: "é", count: 43),
    ])
    func `is no other text`(text: String) throws {
        _ = try link()
        #expect(throws: AccountError.linkOver) { try folder.store.offer(link: text, now: night) }
    }

    @Test(arguments: [0, -1, 30 * 86_400 + 1] as [Int64])
    func `is made for a while, no longer than thirty days`(seconds: Int64) throws {
        #expect(throws: AccountError.self) { try link(seconds: seconds) }
        #expect(throws: AccountError.self) { try link([]) }
        _ = try link(seconds: 30 * 86_400)
    }

    @Test func `enrols as many keys as are kept, none twice, and one app`() throws {
        let store = folder.store
        for id in 0..<UInt8(Account.keysMax) {
            _ = try store.enrolKey(link: try link(), id: [id], bytes: [id], now: night)
        }
        #expect(throws: AccountError.tooManyKeys) {
            try store.enrolKey(link: try link(), id: [99], bytes: [1], now: night)
        }
        let first = try #require(try store.account(named: anne)).keys[0]
        try store.forgetKey(first.label, of: anne)
        #expect(throws: AccountError.keyKnown) {
            try store.enrolKey(link: try link(), id: [1], bytes: [1], now: night)
        }
        for (id, bytes) in [(0, 1), (1024, 1), (1, 0), (1, 4097)] {
            #expect(throws: AccountError.value("the security key")) {
                try store.enrolKey(
                    link: try link(), id: [UInt8](repeating: 0, count: id),
                    bytes: [UInt8](repeating: 0, count: bytes), now: night)
            }
        }
    }

    @Test func `used twice at the same time works once`() async throws {
        let link = try link([.webauthn])
        let won = await withTaskGroup(of: Bool.self) { group in
            for id in 0..<UInt8(8) {
                let store = folder.store
                group.addTask {
                    (try? store.enrolKey(link: link, id: [id], bytes: [1], now: night)) != nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(won == 1)
        #expect(try folder.store.account(named: anne)?.keys.count == 1)
    }
}

@Suite struct `A gate that runs` {
    @Test func `sees what the command line has changed, and what was always so`() throws {
        let folder = try TestFolder()
        let (gate, command) = (folder.store, folder.store)
        let (anne, paul) = (try name("anne"), try name("paul"))
        #expect(try gate.roll(after: 0)?.epochs.isEmpty == true)
        try command.add(anne, professional: "8", by: "root", now: night)
        let first = try #require(try gate.roll(after: 1))
        let epoch = try #require(first.epochs[anne])
        #expect(gate.isLive(anne, epoch: epoch))
        #expect(try gate.roll(after: first.version) == nil)
        // What ends no session is no new version.
        _ = try command.makeLink(for: anne, factors: [.totp], seconds: 60, now: night)
        #expect(try gate.roll(after: first.version) == nil)
        try command.add(paul, professional: "8", by: "root", now: night)
        try command.set(.disabled, of: anne)
        let second = try #require(try gate.roll(after: first.version))
        #expect(second.epochs.keys.sorted() == [paul])
        #expect(!gate.isLive(anne, epoch: epoch))
        try command.set(.active, of: anne)
        _ = try gate.roll(after: second.version)
        // Sessions of before stay over.
        #expect(!gate.isLive(anne, epoch: epoch))
        try command.remove(paul)
        #expect(try gate.roll(after: second.version)?.epochs.keys.sorted() == [anne])
    }

    @Test func `ends the sessions of an account whose file is damaged, and no other's`() throws {
        let folder = try TestFolder()
        let gate = folder.store
        let (anne, paul) = (try name("anne"), try name("paul"))
        for name in [anne, paul] { try gate.add(name, professional: "8", by: "root", now: night) }
        let first = try #require(try gate.roll(after: 0))
        #expect(first.epochs.count == 2)
        try folder.write("rubbish", to: "accounts/anne.account")
        #expect(try gate.roll(after: first.version)?.epochs.keys.sorted() == [paul])
    }

    @Test func `finds a link made a moment ago by another`() throws {
        let folder = try TestFolder()
        let (gate, command) = (folder.store, folder.store)
        let anne = try name("anne")
        try command.add(anne, professional: "8", by: "root", now: night)
        _ = try gate.roll(after: 0)
        for _ in 0..<20 {
            let link = try command.makeLink(for: anne, factors: [.totp], seconds: 60, now: night)
            #expect(try gate.offer(link: link, now: night).account.name == anne)
        }
    }
}
