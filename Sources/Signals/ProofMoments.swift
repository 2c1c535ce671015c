// ProofMoments.swift: since when somebody has to have proven who they are, because a session or a
// credential of theirs was revoked elsewhere.

internal import Synchronization

/// Moments by account, durable; every call may be made from any thread.
///
/// What was proven at a moment or before does not count after it. A moment is forgotten once nothing
/// that was proven before it can be left.
package final class ProofMoments: Sendable {
    private struct State {
        var moments: [String: Int64] = [:]
        var journal: LineJournal?
        /// Lines in the journal.
        var lines = 0
    }

    private let state = Mutex(State())
    private let changes = Atomic<UInt64>(0)

    /// Accounts at once; at 100 bytes each, some megabytes.
    package static let countMax = 65_536
    /// Seconds after which nothing can be left that was proven before: no token lives as long.
    static let seconds: Int64 = 30 * 86_400

    package init() {}

    /// Changes whenever a moment does; 0 while there never was one.
    package var epoch: UInt64 { changes.load(ordering: .acquiring) }

    /// The latest moment of these accounts; proofs of that second or earlier count no more.
    package func moment(of accounts: [String]) -> Int64? {
        state.withLock { state in accounts.compactMap { state.moments[$0] }.max() }
    }

    /// Reads what a journal kept, and keeps in it from now on; does nothing when it has one.
    package func open(folder: String, now: Int64) throws(LineJournalError) {
        try state.withLock { state throws(LineJournalError) in
            guard state.journal == nil else { return }
            let (journal, lines) = try LineJournal.open(folder: folder, name: "proven-since")
            for line in lines {
                guard let (account, moment) = Self.read(line) else { continue }
                state.moments[account] = max(state.moments[account] ?? moment, moment)
            }
            Self.forget(&state, now: now)
            state.journal = journal
            state.lines = lines.count
            if !state.moments.isEmpty { changes.add(1, ordering: .releasing) }
        }
    }

    /// Notes that nothing proven by `account` at `moment` or before counts.
    ///
    /// When it throws, it holds in memory all the same, until the gate stops.
    package func set(_ account: String, _ moment: Int64, now: Int64) throws(LineJournalError) {
        try state.withLock { state throws(LineJournalError) in
            let isNew = state.moments[account].map { $0 < moment } ?? true
            if isNew {
                if state.moments.count >= Self.countMax { Self.forget(&state, now: now) }
                guard state.moments.count < Self.countMax || state.moments[account] != nil else {
                    throw LineJournalError(
                        path: state.journal?.path ?? "", problem: "\(Self.countMax) accounts wait",
                        hint: "neutralize, or look at what the stream sends")
                }
                state.moments[account] = moment
                changes.add(1, ordering: .releasing)
            }
            guard let journal = state.journal else { return }
            // Written though it is known: it may be known only because writing failed before.
            if state.lines > 2 * Self.countMax {
                let lines = state.moments.map { Self.line($0.key, $0.value) }
                try journal.replace(with: lines)
                state.lines = lines.count
            } else {
                try journal.append([Self.line(account, state.moments[account] ?? moment)])
                state.lines += 1
            }
        }
    }

    private static func line(_ account: String, _ moment: Int64) -> String {
        "\(moment) \(account)"
    }

    static func read(_ line: String) -> (account: String, moment: Int64)? {
        let parts = line.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let moment = Int64(parts[0]) else { return nil }
        return (String(parts[1]), moment)
    }

    private static func forget(_ state: inout State, now: Int64) {
        state.moments = state.moments.filter { now - $0.value <= seconds }
    }
}
