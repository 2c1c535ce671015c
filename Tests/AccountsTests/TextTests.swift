// TextTests.swift: the file of an account: it reads back, and nothing else is believed.

import Testing

@testable import Accounts

@Suite struct `The file of an account` {
    private static func whole() throws -> Account {
        var account = Account(
            name: try name("anne"), professional: "899700218896", structure: "10B0152872",
            epoch: .max, createdAt: night, createdBy: "root")
        account.state = .disabled
        account.signedInAt = night + 5
        account.totp = OneTimeSecret(
            bytes: Array(0..<20), enrolledAt: night, lastStep: codeStep(at: night))
        account.keys = (0..<Account.keysMax).map {
            AccountKey(
                id: [UInt8](repeating: UInt8($0), count: AccountKey.idMax),
                bytes: [UInt8](repeating: 0xFF, count: AccountKey.bytesMax), enrolledAt: night)
        }
        account.link = EnrolmentLink(
            hash: [UInt8](repeating: 7, count: 32), factors: [.totp, .webauthn], expiresAt: .max)
        return account
    }

    /// A text with the last line that belongs to it.
    private static func sealed(_ text: String) -> [UInt8] {
        let content = Array(text.utf8)
        return content + Array("end \(hexadecimal(sha256(content.span)))\n".utf8)
    }

    private static let least = """
        herse account 1
        name anne
        professional 8
        state active
        epoch 1
        created 0 root

        """

    @Test func `reads back as what was written, the largest too`() throws {
        let large = try Self.whole()
        let text = accountText(large)
        #expect(text.count <= accountFileMax)
        #expect(account(text: text, name: large.name) == large)
        let small = Account(
            name: try name("anne"), professional: "8", epoch: 1, createdAt: 0, createdBy: "root")
        #expect(accountText(small) == Self.sealed(Self.least))
        #expect(account(text: accountText(small), name: small.name) == small)
    }

    @Test func `is not believed with one byte changed, less or more`() throws {
        let anne = try name("anne")
        let good = Self.sealed(Self.least)
        #expect(account(text: good, name: anne) != nil)
        for index in good.indices {
            var bad = good
            bad[index] ^= 1
            #expect(account(text: bad, name: anne) == nil, "byte \(index) changed")
            #expect(account(text: Array(good[..<index]), name: anne) == nil, "cut at \(index)")
        }
        #expect(account(text: good + [0x0A], name: anne) == nil)
        #expect(account(text: good, name: try name("paul")) == nil)
    }

    @Test(arguments: [
        // Lines that are missing, twice, unknown, or have too little or too much.
        ("professional 8\n", ""), ("epoch 1\n", ""), ("state active\n", ""),
        ("created 0 root\n", ""), ("name anne\n", ""), ("name anne\n", "name anne\nname anne\n"),
        ("epoch 1", "epoch 1\nsudo yes"), ("epoch 1", "epoch"), ("epoch 1", "epoch 1 2"),
        ("epoch 1", "epoch  1"), ("epoch 1", "epoch 1 "), ("epoch 1\n", "epoch 1\n\n"),
        ("created 0 root", "created 0"), ("herse account 1", "herse account 2"),
        // Values that are none.
        ("epoch 1", "epoch -1"), ("epoch 1", "epoch 18446744073709551616"),
        ("state active", "state gone"), ("created 0", "created x"), ("name anne", "name paul"),
        ("epoch 1", "epoch 1\nsigned-in x"), ("epoch 1", "epoch 1\ntotp 0 0 00"),
        ("epoch 1", "epoch 1\ntotp 0 0 " + String(repeating: "AA", count: 20)),
        ("epoch 1", "epoch 1\ntotp 0 x " + String(repeating: "aa", count: 20)),
        ("epoch 1", "epoch 1\nkey 0 A QQ"), ("epoch 1", "epoch 1\nkey x QQ QQ"),
        ("epoch 1", "epoch 1\nkey 0 QR QQ"), ("epoch 1", "epoch 1\nkey 0 QQ== QQ"),
        ("epoch 1", "epoch 1" + String(repeating: "\nkey 0 QQ QQ", count: 11)),
        ("epoch 1", "epoch 1\nlink 0 totp 00"),
        ("epoch 1", "epoch 1\nlink 0 sms " + String(repeating: "00", count: 32)),
        ("epoch 1", "epoch 1\nlink 0 totp, " + String(repeating: "00", count: 32)),
    ])
    func `is refused when a line of it is not as it is written`(line: String, bad: String) throws {
        let text = Self.least.replacing(line, with: bad)
        #expect(text != Self.least)
        #expect(account(text: Self.sealed(text), name: try name("anne")) == nil)
    }

    @Test(arguments: [
        "epoch 1\nsigned-in 5", "epoch 1\nkey 0 QQ QQ",
        "epoch 1\ntotp 0 0 " + String(repeating: "aa", count: 20),
        "epoch 1\nlink 0 totp " + String(repeating: "00", count: 32),
    ])
    func `is believed with the lines that may be there`(lines: String) throws {
        let text = Self.least.replacing("epoch 1", with: lines)
        #expect(account(text: Self.sealed(text), name: try name("anne")) != nil)
    }
}
