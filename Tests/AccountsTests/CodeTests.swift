// CodeTests.swift: one-time codes against the RFCs' own tables, and as sign-ins use them.

import Foundation
import Testing

@testable import Accounts

@Suite struct `A one-time code` {
    /// RFC 6238 appendix B: the digits are repeated until they are as long as the hash.
    private static func secret(_ hash: CodeHash) -> [UInt8] {
        let length =
            switch hash {
            case .sha1: 20
            case .sha256: 32
            case .sha512: 64
            }
        return (1...length).map { UInt8(ascii: "0") + UInt8($0 % 10) }
    }

    @Test(
        arguments: [
            (59, CodeHash.sha1, "94287082"), (59, .sha256, "46119246"), (59, .sha512, "90693936"),
            (1_111_111_109, .sha1, "07081804"), (1_111_111_109, .sha256, "68084774"),
            (1_111_111_109, .sha512, "25091201"), (1_111_111_111, .sha1, "14050471"),
            (1_111_111_111, .sha256, "67062674"), (1_111_111_111, .sha512, "99943326"),
            (1_234_567_890, .sha1, "89005924"), (1_234_567_890, .sha256, "91819424"),
            (1_234_567_890, .sha512, "93441116"), (2_000_000_000, .sha1, "69279037"),
            (2_000_000_000, .sha256, "90698825"), (2_000_000_000, .sha512, "38618901"),
            (20_000_000_000, .sha1, "65353130"), (20_000_000_000, .sha256, "77737706"),
            (20_000_000_000, .sha512, "47863826"),
        ] as [(Int64, CodeHash, String)])
    func `is that of RFC 6238 appendix B`(time: Int64, hash: CodeHash, code: String) {
        let made = totp(secret: Self.secret(hash), step: codeStep(at: time), digits: 8, hash: hash)
        #expect(String(decoding: made, as: UTF8.self) == code)
    }

    @Test(
        arguments: [
            (0, "755224"), (1, "287082"), (2, "359152"), (3, "969429"), (4, "338314"),
            (5, "254676"),
            (6, "287922"), (7, "162583"), (8, "399871"), (9, "520489"),
        ] as [(Int64, String)])
    func `is that of RFC 4226 appendix D`(step: Int64, code: String) {
        let made = totp(secret: Self.secret(.sha1), step: step)
        #expect(String(decoding: made, as: UTF8.self) == code)
    }

    @Test(arguments: [(-2, nil), (-1, -1), (0, 0), (1, 1), (2, nil)] as [(Int64, Int64?)])
    func `is good one step early and one step late`(late: Int64, match: Int64?) {
        let secret = Self.secret(.sha1)
        let now: Int64 = 1_234_567_890
        let code = totp(secret: secret, step: codeStep(at: now) + late)
        let found = matchingStep(of: code.span, secret: secret, now: now)
        #expect(found == match.map { codeStep(at: now) + $0 })
    }

    @Test(arguments: [
        ("005924", true), ("", false), ("00592", false), ("0059240", false), ("00592a", false),
        (" 05924", false), ("005924\n", false), ("٠٠٥٩٢٤", false), ("89005924", false),
    ])
    func `is six digits and nothing else`(text: String, isGood: Bool) {
        let match = span(text) {
            matchingStep(of: $0, secret: Self.secret(.sha1), now: 1_234_567_890)
        }
        #expect((match != nil) == isGood)
    }

    @Test(arguments: [Int64.min, -1, 0, 29, .max])
    func `is asked at the ends of time without harm`(now: Int64) {
        let secret = Self.secret(.sha1)
        let code = totp(secret: secret, step: codeStep(at: now))
        #expect(matchingStep(of: code.span, secret: secret, now: now) == codeStep(at: now))
    }

    @Test func `reaches the app by an address it can read`() {
        let address = codeAddress(
            secret: Array("12345678901234567890".utf8), account: "anne@chu", issuer: "CHU de Lyon")
        #expect(
            address == "otpauth://totp/CHU%20de%20Lyon:anne%40chu?"
                + "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=CHU%20de%20Lyon"
                + "&algorithm=SHA1&digits=6&period=30")
    }
}

@Suite struct `A code that signs in` {
    private func judge(
        _ store: AccountStore, _ code: [UInt8], _ name: AccountName?, _ now: Int64
    ) throws -> CodeVerdict { try store.useCode(code.span, of: name, now: now) }

    @Test func `is taken once, and no older one after it`() throws {
        let folder = try TestFolder()
        let anne = try name("anne")
        let secret = try folder.store.addWithApp(anne, now: night)
        func code(_ late: Int64) -> [UInt8] {
            totp(secret: secret, step: codeStep(at: night) + late)
        }
        // The one that confirmed the app is spent.
        #expect(try judge(folder.store, code(0), anne, night) == .replayed)
        #expect(try judge(folder.store, code(1), anne, night) == .right)
        #expect(try judge(folder.store, code(1), anne, night) == .replayed)
        #expect(try judge(folder.store, code(0), anne, night + 30) == .replayed)
        #expect(try judge(folder.store, code(2), anne, night + 30) == .right)
        let account = try #require(try folder.store.account(named: anne))
        #expect(account.signedInAt == night + 30)
        #expect(account.totp?.lastStep == codeStep(at: night) + 2)
    }

    @Test func `is nobody's and no disabled account's`() throws {
        let folder = try TestFolder()
        let (anne, paul) = (try name("anne"), try name("paul"))
        let secret = try folder.store.addWithApp(anne, now: night)
        let code = totp(secret: secret, step: codeStep(at: night) + 1)
        try folder.store.add(paul, professional: "899700218896", by: "root", now: night)
        #expect(try judge(folder.store, code, nil, night) == .wrong)
        #expect(try judge(folder.store, code, paul, night) == .wrong)
        #expect(try judge(folder.store, code, try name("nobody"), night) == .wrong)
        try folder.store.set(.disabled, of: anne)
        #expect(try judge(folder.store, code, anne, night) == .wrong)
        try folder.store.set(.active, of: anne)
        #expect(try judge(folder.store, code, anne, night) == .right)
    }

    @Test func `is only one of many at the same time`() async throws {
        let folder = try TestFolder()
        let anne = try name("anne")
        let secret = try folder.store.addWithApp(anne, now: night)
        let code = totp(secret: secret, step: codeStep(at: night) + 1)
        let verdicts = try await withThrowingTaskGroup(of: CodeVerdict.self) { group in
            // Each with a store of its own: two gates, or a gate and the command line.
            for _ in 0..<8 {
                let store = folder.store
                group.addTask { try store.useCode(code.span, of: anne, now: night) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(verdicts.filter { $0 == .right }.count == 1)
        #expect(verdicts.filter { $0 != .right }.allSatisfy { $0 == .replayed })
    }

    @Test func `is not taken when that cannot be kept`() throws {
        let folder = try TestFolder()
        let anne = try name("anne")
        let secret = try folder.store.addWithApp(anne, now: night)
        let code = totp(secret: secret, step: codeStep(at: night) + 1)
        // A folder stands where the new file has to be made: missing rights would not stop root.
        let obstacle = folder.path + "/accounts/new"
        try FileManager.default.createDirectory(
            atPath: obstacle, withIntermediateDirectories: false)
        #expect(throws: AccountError.self) { try judge(folder.store, code, anne, night) }
        try FileManager.default.removeItem(atPath: obstacle)
        #expect(try judge(folder.store, code, anne, night) == .right)
    }
}
