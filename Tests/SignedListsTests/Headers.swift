// Headers.swift: what a signed list says of itself, and how it may not say it.

import Neutralization
import Testing

@testable import SignedLists

private let good = """
    herse-list 1
    issuer cert-sante
    sequence 42
    issued 2026-11-20T08:00:00Z
    next-update 2026-11-21T08:00:00Z
    hash-key 2026-a

    account 899700218896

    """

private func header(_ text: String) throws -> ListHeader {
    let bytes = Array(text.utf8)
    return try ListHeader(bytes.span)
}

@Suite struct `A signed list's header` {
    @Test func `is read to the empty line`() throws {
        let header = try header(good)
        #expect(header.issuer == "cert-sante")
        #expect(header.sequence == 42)
        #expect(header.issued.description == "2026-11-20T08:00:00Z")
        #expect(header.nextUpdate?.description == "2026-11-21T08:00:00Z")
        #expect(header.hashKey == "2026-a")
        #expect(header.bodyLine == 8)
        #expect(Array(good.utf8)[header.bodyStart...].starts(with: Array("account".utf8)))
    }

    @Test func `may end its lines in CR LF, and needs neither next-update nor hash-key`() throws {
        let text = "herse-list 1\r\nissuer a\r\nsequence 1\r\nissued 2026-11-20T08:00:00Z\r\n\r\n"
        let header = try header(text)
        #expect(header.nextUpdate == nil && header.hashKey == nil && header.bodyLine == 6)
    }

    @Test(arguments: [
        ("", 1), ("herse-list 1", 1), ("herse-list 1\nissuer a\n", 3),
        ("issuer a\nherse-list 1\n\n", 1), ("herse-list 2\nissuer a\n\n", 1),
        ("herse-list 1\nissuer a b\n\n", 2), ("herse-list 1\nissuer \n\n", 2),
        ("herse-list 1\nissuer a\nissuer b\n\n", 3), ("herse-list 1\nauthor a\n\n", 2),
        ("herse-list 1\nissuer é\n\n", 2), ("herse-list 1\nissuer a\0\n\n", 2),
        ("herse-list 1\nsequence 1\nissued 2026-11-20T08:00:00Z\n\n", 1),
        ("herse-list 1\nissuer a\nsequence 0\nissued 2026-11-20T08:00:00Z\n\n", 1),
        ("herse-list 1\nissuer a\nsequence -1\nissued 2026-11-20T08:00:00Z\n\n", 1),
        (
            "herse-list 1\nissuer a\nsequence 1234567890123456789\nissued 2026-11-20T08:00:00Z\n\n",
            1
        ),
        ("herse-list 1\nissuer a\nsequence 1\nissued today\n\n", 1),
        (String(repeating: "herse-list 1\n", count: 40), 2),
    ])
    func `is refused`(text: String, line: Int) {
        let error = #expect(throws: ListHeaderError.self) { try header(text) }
        #expect(error?.line == line)
    }

    @Test func `never traps, however it is cut or changed`() {
        let bytes = Array(good.utf8)
        for count in 0...bytes.count { _ = try? ListHeader(Array(bytes[..<count]).span) }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            var changed = bytes
            for _ in 0..<3 {
                changed[Int.random(in: 0..<changed.count, using: &generator)] = .random(in: 0...255)
            }
            _ = try? ListHeader(changed.span)
        }
    }
}

@Suite struct `A scope` {
    private func covers(_ scope: ListScope, _ text: String) throws -> Bool {
        scope.covers(try Subject(text))
    }

    @Test func `covers kinds, and nothing of others`() throws {
        let scope = ListScope(kinds: [.account])
        #expect(try covers(scope, "899700218896"))
        #expect(try !covers(scope, "structure:10B0152872"))
        #expect(try !covers(scope, "network:203.0.113.0/24"))
        #expect(try !covers(scope, "issued-before:2026-11-20T08:00:00Z"))
    }

    @Test func `covers identifiers by their beginning, or whole`() throws {
        var scope = ListScope(kinds: [.account, .structure])
        scope.accounts = ["8*", "012345"]
        scope.structures = ["10B0*"]
        #expect(try covers(scope, "899700218896"))
        #expect(try covers(scope, "012345"))
        #expect(try !covers(scope, "0123456"))
        #expect(try covers(scope, "structure:10B0152872"))
        #expect(try !covers(scope, "structure:10C0152872"))
        // Nobody can tell whom a hash means.
        let hash = String(repeating: "0", count: 64)
        #expect(try !covers(scope, "account:hmac-sha256:\(hash)"))
        scope.accounts = []
        #expect(try covers(scope, "account:hmac-sha256:\(hash)"))
    }

    @Test func `covers networks within its own`() throws {
        var scope = ListScope(kinds: [.network])
        scope.networks = [try Network(Array("203.0.113.0/24".utf8).span)]
        #expect(try covers(scope, "network:203.0.113.0/24"))
        #expect(try covers(scope, "network:203.0.113.128/25"))
        #expect(try !covers(scope, "network:203.0.112.0/23"))
        #expect(try !covers(scope, "network:0.0.0.0/0"))
        #expect(try !covers(scope, "network:2001:db8::/32"))
    }
}

@Suite struct `A key that hides accounts` {
    @Test func `is 32 bytes, or their hexadecimal digits`() throws {
        let digits = String(repeating: "0f", count: 32)
        let raw = [UInt8](repeating: 0x0F, count: 32)
        #expect(ListHashKey(Array((digits + "\n").utf8)) == ListHashKey(raw))
        #expect(ListHashKey(Array(raw.dropLast())) == nil)
        #expect(ListHashKey(Array((digits + "0").utf8)) == nil)
        #expect(ListHashKey([]) == nil)
    }

    /// By `printf account:899700218896 | openssl dgst -sha256 -mac HMAC -macopt hexkey:0f…`.
    @Test func `gives what OpenSSL gives`() throws {
        let key = try #require(ListHashKey([UInt8](repeating: 0x0F, count: 32)))
        let line = key.line(for: try AccountID("899700218896"))
        #expect(
            line
                == "account hmac-sha256:5b091e7b7d611de3899bb0c17007bfd7f5620919cdc681b5316772f88e1a9e54"
        )
    }
}
