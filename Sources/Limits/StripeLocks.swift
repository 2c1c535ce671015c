// StripeLocks.swift: one lock for each stripe of professionals, in the process and not in the file.

import Synchronization

/// 256 locks; two professionals share one once in 256 times, and then wait for each other.
struct StripeLocks: Sendable {
    private let locks: [StripeLock]

    static let count = 256

    init() { locks = (0..<Self.count).map { _ in StripeLock() } }

    @inline(__always)
    static func stripe(of owner: ProfessionalKey) -> Int {
        Int(truncatingIfNeeded: owner.high & UInt64(count - 1))
    }

    @inline(__always)
    func withLock<Result: Sendable>(_ stripe: Int, _ body: () -> Result) -> Result {
        locks[stripe].mutex.withLock { _ in body() }
    }

    /// Takes two stripes, the lower first, so that no two callers wait for each other.
    @inline(__always)
    func withLocks<Result: Sendable>(
        _ first: Int, _ second: Int, _ body: (HeldStripes) -> Result
    ) -> Result {
        let held = HeldStripes(locks: self, first: first, second: second)
        if first == second { return withLock(first) { body(held) } }
        return withLock(min(first, second)) {
            withLock(max(first, second)) { body(held) }
        }
    }

    /// `nil` when somebody holds it.
    func withLockIfFree<Result: Sendable>(_ stripe: Int, _ body: () -> Result) -> Result? {
        locks[stripe].mutex.withLockIfAvailable { _ in body() }
    }
}

/// Stripes that a charge holds: taken again, they would stop it for ever.
struct HeldStripes {
    fileprivate let locks: StripeLocks
    let first: Int
    let second: Int

    fileprivate init(locks: StripeLocks, first: Int, second: Int) {
        self.locks = locks
        self.first = first
        self.second = second
    }

    /// Runs `body` under a stripe's lock; `nil` when somebody else holds it.
    func withLockIfFree<Result: Sendable>(_ stripe: Int, _ body: () -> Result) -> Result? {
        if stripe == first || stripe == second { return body() }
        return locks.withLockIfFree(stripe, body)
    }
}

private final class StripeLock: Sendable {
    let mutex = Mutex(())
}
