// StripeLocks.swift: one lock for each stripe of professionals, in the process and not in the file.

import Synchronization

/// 256 locks; two professionals share one once in 256 times, and then wait for each other.
struct StripeLocks: Sendable {
    private let locks: [StripeLock]

    static let count = 256

    init() { locks = (0..<Self.count).map { _ in StripeLock() } }

    @inline(__always)
    func withLock<Result: Sendable>(_ stripe: Int, _ body: () -> Result) -> Result {
        locks[stripe].mutex.withLock { _ in body() }
    }

    /// `nil` when somebody holds it.
    func withLockIfFree<Result: Sendable>(_ stripe: Int, _ body: () -> Result) -> Result? {
        locks[stripe].mutex.withLockIfAvailable { _ in body() }
    }
}

private final class StripeLock: Sendable {
    let mutex = Mutex(())
}
