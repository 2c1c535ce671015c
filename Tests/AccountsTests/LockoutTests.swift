// LockoutTests.swift: who waits, how long, and whom nobody can keep waiting.

import Testing

@testable import Accounts

@Suite struct `The lockout` {
    /// Fails as often as it may, and says how long it had to wait before each try.
    private func waits(
        _ lockout: Lockout, _ account: String, _ source: String, tries: Int, from now: Int64 = night
    ) -> [Int64] {
        var (now, waits) = (now, [Int64]())
        for _ in 0..<tries {
            let wait = lockout.mayTry(account: account, source: source, factor: .password, now: now)
            waits.append(wait ?? 0)
            if let wait {
                now += wait
                let again = lockout.mayTry(
                    account: account, source: source, factor: .password, now: now)
                #expect(again == nil, "what was said is enough")
            }
            lockout.failed(account: account, source: source, factor: .password, now: now)
        }
        return waits
    }

    @Test func `lets three tries go free and then doubles the wait, up to 15 minutes`() {
        let waits = waits(Lockout(), "anne", "203.0.113.7", tries: 16)
        #expect(
            waits == [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900])
    }

    @Test func `keeps sources, accounts and factors apart`() {
        let lockout = Lockout()
        _ = waits(lockout, "anne", "203.0.113.7", tries: 10)
        func wait(_ account: String, _ source: String, _ factor: Lockout.Factor) -> Int64? {
            lockout.mayTry(account: account, source: source, factor: factor, now: night + 130)
        }
        #expect(wait("anne", "203.0.113.7", .password) != nil)
        #expect(wait("anne", "203.0.113.8", .password) == nil)
        #expect(wait("paul", "203.0.113.7", .password) == nil)
        #expect(wait("anne", "203.0.113.7", .totp) == nil)
    }

    @Test func `forgives whoever succeeds, and does not count what was not decided`() {
        let lockout = Lockout()
        func wait() -> Int64? {
            lockout.mayTry(account: "anne", source: "::1", factor: .totp, now: night)
        }
        for _ in 0..<10 {
            #expect(wait() == nil)
            lockout.undecided(account: "anne", source: "::1", factor: .totp, now: night)
        }
        for _ in 0..<10 {
            #expect(wait() == nil)
            #expect(wait() == nil)
            lockout.succeeded(account: "anne", source: "::1", factor: .totp, now: night)
        }
    }

    @Test func `counts tries that are under way`() {
        let lockout = Lockout()
        let begun = (0..<100).filter { _ in
            lockout.mayTry(account: "anne", source: "::1", factor: .password, now: night) == nil
        }
        #expect(begun.count == 3)
    }

    @Test func `never keeps waiting the owner whom it knows`() {
        let lockout = Lockout()
        let home = "198.51.100.1"
        _ = lockout.mayTry(account: "anne", source: home, factor: .password, now: night)
        lockout.succeeded(account: "anne", source: home, factor: .password, now: night)
        for number in 0..<2000 {
            let source = "203.0.\(number / 250).\(number % 250)"
            _ = lockout.mayTry(account: "anne", source: source, factor: .password, now: night)
        }
        #expect(lockout.mayTry(account: "anne", source: home, factor: .password, now: night) == nil)
        // A source nobody knows waits its turn, and then has it, however many others try.
        let new = "192.0.2.9"
        let wait = lockout.mayTry(account: "anne", source: new, factor: .password, now: night)
        #expect((1...900).contains(wait ?? 0))
        for number in 0..<2000 {
            let source = "203.1.\(number / 250).\(number % 250)"
            _ = lockout.mayTry(account: "anne", source: source, factor: .password, now: night + 5)
        }
        #expect(
            lockout.mayTry(
                account: "anne", source: new, factor: .password, now: night + (wait ?? 0)) == nil)
    }

    @Test func `slows down who tries one password on everybody`() {
        let lockout = Lockout()
        let begun = (0..<1000).filter {
            lockout.mayTry(account: "user\($0)", source: "::1", factor: .password, now: night)
                == nil
        }
        #expect(begun.count == 30)
    }

    @Test func `forgets in time`() {
        let lockout = Lockout()
        _ = waits(lockout, "anne", "::1", tries: 5)
        let later = night + 86_400
        #expect(
            lockout.mayTry(account: "anne", source: "::1", factor: .password, now: later) == nil)
    }

    @Test(arguments: [Int64.min, -1, 0, .max])
    func `stands a clock that jumps`(now: Int64) {
        let lockout = Lockout()
        _ = waits(lockout, "anne", "::1", tries: 5)
        let wait = lockout.mayTry(account: "anne", source: "::1", factor: .password, now: now)
        #expect((0...900).contains(wait ?? 0))
        lockout.failed(account: "anne", source: "::1", factor: .password, now: now)
        lockout.succeeded(account: "anne", source: "::1", factor: .password, now: now)
        let after = lockout.mayTry(account: "anne", source: "::1", factor: .password, now: night)
        #expect((0...900).contains(after ?? 0))
    }

    @Test func `is not made to forget by a flood of names`() {
        let lockout = Lockout(buckets: 16)
        _ = waits(lockout, "anne", "203.0.113.7", tries: 10)
        for number in 0..<20_000 {
            _ = lockout.mayTry(
                account: "user\(number)", source: "198.51.\(number / 250).\(number % 250)",
                factor: .password, now: night + 200)
        }
        #expect(lockout.usage.kept <= 16 * LockoutTable.ways)
        #expect(lockout.usage.evicted > 0)
        let wait = lockout.mayTry(
            account: "anne", source: "203.0.113.7", factor: .password, now: night + 200)
        #expect(wait != nil)
    }

    @Test(arguments: [
        ("203.0.113.7", "203.0.113.7"), ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "20010db800010002/64"),
        ("2001:db8:1:2::9", "20010db800010002/64"), ("", ""), ("not an address", "not an address"),
    ])
    func `takes for one source what one subscriber has`(address: String, source: String) {
        #expect(lockoutSource(address) == source)
    }
}
