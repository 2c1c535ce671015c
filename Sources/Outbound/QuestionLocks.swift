// QuestionLocks.swift: one asks, and the others wait for what it learns.

internal import Synchronization

/// Has equal questions asked one after another, so that all but the first find the answer kept.
///
/// A token comes with many requests at once, a card with the six connections of a browser. Others
/// wait for them now and then by chance: there are fewer locks than questions.
package final class QuestionLocks: Sendable {
    private final class Lock: Sendable { let mutex = Mutex(()) }

    private let locks: [Lock]

    /// - Parameter count: A power of two, at most 256.
    package init(count: Int = 64) {
        precondition((1...256).contains(count) && count & (count - 1) == 0, "a mask picks the lock")
        locks = (0..<count).map { _ in Lock() }
    }

    /// Does something alone among all with this key, the digest of a question.
    package func withLock<Result, Failure>(
        for key: [UInt8], _ body: () throws(Failure) -> sending Result
    ) throws(Failure) -> Result {
        let index = Int(key.first ?? 0) & (locks.count - 1)
        return try locks[index].mutex.withLock { _ throws(Failure) in try body() }
    }
}
