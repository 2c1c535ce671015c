// LockoutTable.swift: the counts behind the delays, in room that does not grow.
//
// Eight places for each bucket, and a keyed hash says which bucket. When all eight are taken the
// count that is worth least gives way: the fewest failures, then the oldest. Whoever floods the
// table with made-up names makes counts of one failure, which push out one another; the count that
// holds him back has more, and stays.

/// What a count is kept under.
struct LockoutKey: Equatable {
    let high: UInt64
    let low: UInt64

    /// The hash of three parts, each with its length, under a secret.
    init(_ secret: [UInt8], _ kind: [UInt8], _ account: [UInt8], _ source: [UInt8]) {
        var message = kind
        for part in [account, source] {
            message += [UInt8(truncatingIfNeeded: part.count >> 8)]
            message += [UInt8(truncatingIfNeeded: part.count)] + part
        }
        let mac = hmac(.sha256, key: secret, message)
        func word(_ start: Int) -> UInt64 {
            mac[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
        }
        (high, low) = (word(0), word(8))
    }
}

/// How the failures of one kind of count become seconds.
struct LockoutRule {
    let free: Int32
    let secondsMax: Int64
    /// Seconds after which one failure is forgotten; longer than `secondsMax`, so that nobody who
    /// tries as soon as it is allowed is ever forgiven.
    let forget: Int64

    /// One account from one source.
    static let pair = LockoutRule(free: 3, secondsMax: 900, forget: 1800)
    /// One source, all accounts: a hospital behind one address must be able to live with it.
    static let source = LockoutRule(free: 30, secondsMax: 30, forget: 60)
    /// One account, all sources: what a source waits that has not signed it in lately.
    static let account = LockoutRule(free: 20, secondsMax: 900, forget: 1800)

    /// The delay after so many failures.
    func seconds(after failures: Int32) -> Int64 {
        guard failures >= free, failures > 0 else { return 0 }
        let doublings = min(failures - free, 20)
        return min(secondsMax, 1 << Int64(doublings))
    }
}

/// The counts of all accounts and sources.
struct LockoutTable {
    private struct Entry {
        let key: LockoutKey
        var failures: Int32 = 0
        /// Of the last failure, or of the last time one was forgotten.
        var last: Int64
        /// When a source may try that the brake holds back; 0 when it has not asked.
        var ticket: Int64 = 0
        /// Until when this source needs no ticket for this account.
        var trustedUntil: Int64 = 0
    }

    private var buckets: [[Entry]]
    private(set) var kept = 0
    private(set) var evicted: UInt64 = 0

    static let ways = 8
    /// Failures beyond these make no difference.
    private static let failuresMax: Int32 = 64
    /// Seconds a ticket is good for once it is due.
    static let ticketSeconds: Int64 = 900
    /// Seconds that a source is trusted with an account it signed in.
    static let trustSeconds: Int64 = 30 * 86_400

    init(buckets: Int) {
        precondition(buckets > 0, "a table without places forgets everybody")
        self.buckets = Array(repeating: [], count: buckets)
    }

    /// Seconds until the next try.
    mutating func wait(_ key: LockoutKey, _ rule: LockoutRule, now: Int64) -> Int64 {
        guard let (bucket, index) = find(key) else { return 0 }
        settle(bucket, index, rule, now: now)
        let entry = buckets[bucket][index]
        return left(of: rule.seconds(after: entry.failures), since: entry.last, now: now)
    }

    func isTrusted(_ key: LockoutKey, now: Int64) -> Bool {
        guard let (bucket, index) = find(key) else { return false }
        return buckets[bucket][index].trustedUntil > now
    }

    /// What a source without trust must wait before each try at this account.
    mutating func brake(_ key: LockoutKey, now: Int64) -> Int64 {
        guard let (bucket, index) = find(key) else { return 0 }
        settle(bucket, index, .account, now: now)
        return LockoutRule.account.seconds(after: buckets[bucket][index].failures)
    }

    /// Seconds until the ticket of a source is due; it draws one if it has none, and nobody can
    /// take it away.
    mutating func ticketWait(_ key: LockoutKey, _ brake: Int64, now: Int64) -> Int64 {
        let (bucket, index) = findOrMake(key, now: now)
        let ticket = buckets[bucket][index].ticket
        // A clock set back must not make anybody wait longer than the brake says.
        if ticket > 0, ticket <= now &+ brake, now &- ticket < Self.ticketSeconds {
            return max(0, ticket - now)
        }
        buckets[bucket][index].ticket = now &+ brake
        return brake
    }

    /// Counts a try.
    mutating func count(_ key: LockoutKey, _ rule: LockoutRule, now: Int64) {
        let (bucket, index) = findOrMake(key, now: now)
        settle(bucket, index, rule, now: now)
        let failures = buckets[bucket][index].failures
        buckets[bucket][index].failures = min(failures + 1, Self.failuresMax)
        buckets[bucket][index].last = now
        // One ticket, one try.
        buckets[bucket][index].ticket = 0
    }

    /// The failure was at this moment.
    mutating func touch(_ key: LockoutKey, now: Int64) {
        guard let (bucket, index) = find(key) else { return }
        buckets[bucket][index].last = max(buckets[bucket][index].last, now)
    }

    mutating func uncount(_ key: LockoutKey, _ rule: LockoutRule, now: Int64) {
        guard let (bucket, index) = find(key) else { return }
        settle(bucket, index, rule, now: now)
        buckets[bucket][index].failures = max(0, buckets[bucket][index].failures - 1)
    }

    /// Forgives a source its failures with an account, and trusts it.
    mutating func trust(_ key: LockoutKey, now: Int64) {
        let (bucket, index) = findOrMake(key, now: now)
        buckets[bucket][index].failures = 0
        buckets[bucket][index].ticket = 0
        buckets[bucket][index].trustedUntil = now &+ Self.trustSeconds
    }

    /// Forgets the failures that time has healed.
    private mutating func settle(_ bucket: Int, _ index: Int, _ rule: LockoutRule, now: Int64) {
        let (passed, isBeyond) = now.subtractingReportingOverflow(buckets[bucket][index].last)
        guard !isBeyond else { return }
        // A clock set back: the delay begins again, and is not longer than it was.
        guard passed >= 0 else {
            buckets[bucket][index].last = now
            return
        }
        let healed = min(passed / rule.forget, Int64(buckets[bucket][index].failures))
        guard healed > 0 else { return }
        buckets[bucket][index].failures -= Int32(healed)
        buckets[bucket][index].last += healed * rule.forget
    }

    private func left(of seconds: Int64, since last: Int64, now: Int64) -> Int64 {
        let (passed, isBeyond) = now.subtractingReportingOverflow(last)
        return isBeyond || passed >= seconds ? 0 : seconds - max(0, passed)
    }

    private func bucket(of key: LockoutKey) -> Int { Int(key.high % UInt64(buckets.count)) }

    private func find(_ key: LockoutKey) -> (Int, Int)? {
        let bucket = bucket(of: key)
        return buckets[bucket].firstIndex { $0.key == key }.map { (bucket, $0) }
    }

    private mutating func findOrMake(_ key: LockoutKey, now: Int64) -> (Int, Int) {
        if let found = find(key) { return found }
        let bucket = bucket(of: key)
        if buckets[bucket].count < Self.ways {
            buckets[bucket].append(Entry(key: key, last: now))
            kept += 1
            return (bucket, buckets[bucket].count - 1)
        }
        // Trust counts as much as the failures that would be free: it cannot be had by failing.
        func worth(_ entry: Entry) -> Int32 {
            max(entry.failures, entry.trustedUntil > now ? LockoutRule.pair.free : 0)
        }
        var least = 0
        for index in 1..<Self.ways {
            let (one, other) = (buckets[bucket][index], buckets[bucket][least])
            if (worth(one), one.last) < (worth(other), other.last) { least = index }
        }
        buckets[bucket][least] = Entry(key: key, last: now)
        evicted &+= 1
        return (bucket, least)
    }
}
