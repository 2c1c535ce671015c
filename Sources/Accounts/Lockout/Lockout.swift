// Lockout.swift: growing delays for those who guess.
//
// Three counts for each try, and the longest delay holds:
//
// - this account from this source: three tries are free, then 1, 2, 4 … seconds up to 15 minutes;
// - this source, whatever the account: somebody tries one password on everybody;
// - this account, whatever the source: somebody guesses from many places. Then a source that has
//   not signed this account in lately waits before each try, however few it made.
//
// INVARIANT: no try waits longer than 15 minutes after the last from the same source, whatever
// others do. So whoever knows only a name slows its owner down at most, and only where the owner
// has not signed in before. No count knows whether the account exists.
//
// Everything is in memory: a restart forgives, and nobody outside can make the gate restart.

internal import Synchronization

/// How long somebody who failed must wait before the next try.
package final class Lockout: Sendable {
    /// What is guessed; failures with one do not delay the other.
    package enum Factor: UInt8, CaseIterable, Sendable {
        case password
        case totp
        case webauthn
        /// The random part of an enrolment link; there is no account then.
        case link
    }

    private let table: Mutex<LockoutTable>
    private let key = randomBytes(32)

    /// Bytes of name and source that tell one from another; longer ones are nobody's.
    private static let textMax = 256

    /// A table of `buckets` times eight counts; the default takes some 2.5 MiB.
    package init(buckets: Int = 8192) {
        table = Mutex(LockoutTable(buckets: buckets))
    }

    /// Seconds to wait, or nil: then this is a try and counted as a failure, until `succeeded` or
    /// `undecided` says otherwise.
    ///
    /// Counting first is what stops a thousand tries at once.
    /// `account` is the name as typed, there or not; `source` an address without port.
    package func mayTry(account: String, source: String, factor: Factor, now: Int64) -> Int64? {
        let keys = keys(account, source, factor)
        return table.withLock { table in
            var wait = table.wait(keys.pair, .pair, now: now)
            wait = max(wait, table.wait(keys.source, .source, now: now))
            if !table.isTrusted(keys.pair, now: now) {
                let brake = table.brake(keys.account, now: now)
                if brake > 0 { wait = max(wait, table.ticketWait(keys.pair, brake, now: now)) }
            }
            guard wait == 0 else { return wait }
            table.count(keys.pair, .pair, now: now)
            table.count(keys.source, .source, now: now)
            table.count(keys.account, .account, now: now)
            return nil
        }
    }

    /// The try failed: the delay runs from now on.
    package func failed(account: String, source: String, factor: Factor, now: Int64) {
        let keys = keys(account, source, factor)
        table.withLock { table in
            for key in [keys.pair, keys.source, keys.account] { table.touch(key, now: now) }
        }
    }

    /// The try succeeded: this source is forgiven and trusted with this account for a while.
    package func succeeded(account: String, source: String, factor: Factor, now: Int64) {
        let keys = keys(account, source, factor)
        table.withLock { table in
            table.trust(keys.pair, now: now)
            table.uncount(keys.source, .source, now: now)
            table.uncount(keys.account, .account, now: now)
        }
    }

    /// Nothing was learnt from the try, PAM being unavailable, say: it does not count.
    package func undecided(account: String, source: String, factor: Factor, now: Int64) {
        let keys = keys(account, source, factor)
        table.withLock { table in
            table.uncount(keys.pair, .pair, now: now)
            table.uncount(keys.source, .source, now: now)
            table.uncount(keys.account, .account, now: now)
        }
    }

    /// Counts kept, and counts that were given up for others since the start: many of these are
    /// the trace of somebody who tries to be forgotten.
    package var usage: (kept: Int, evicted: UInt64) {
        table.withLock { ($0.kept, $0.evicted) }
    }

    /// Hashes under a key of this process: nobody outside can choose names that meet.
    private func keys(
        _ account: String, _ source: String, _ factor: Factor
    ) -> (pair: LockoutKey, source: LockoutKey, account: LockoutKey) {
        let account = Array(account.utf8.prefix(Self.textMax))
        let source = Array(lockoutSource(source).utf8.prefix(Self.textMax))
        return (
            LockoutKey(key, [factor.rawValue, 0], account, source),
            LockoutKey(key, [factor.rawValue, 1], [], source),
            LockoutKey(key, [factor.rawValue, 2], account, [])
        )
    }
}
