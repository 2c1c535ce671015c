// ProofReplays.swift: which proofs were used, so that none is twice, RFC 9449 §11.1.

internal import Synchronization

/// A bounded memory of what may be used once.
///
/// Two sets take turns: what was used is remembered for at least `seconds`, and forgotten at the
/// second turn. A clock that jumps ahead and back again makes one turn, and so frees nothing.
package final class ProofReplays: Sendable {
    /// The first half of a SHA-256: nobody makes two that collide.
    private struct Key: Hashable {
        let high: UInt64
        let low: UInt64
    }

    private struct State {
        var current: Set<Key> = []
        var previous: Set<Key> = []
        /// When `current` began.
        var beganAt: Int64 = .min
    }

    private let state = Mutex(State())
    private let seconds: Int64
    private let countMax: Int

    /// - Parameters:
    ///   - seconds: For which each must be remembered: `ProofRules.seconds`.
    ///   - countMax: In that time; from then on all are refused, since some could not be told from
    ///     those used before.
    package init(seconds: Int64, countMax: Int = 262_144) {
        self.seconds = max(seconds, 1)
        self.countMax = countMax
    }

    /// Whether this proof is used for the first time, which it now is.
    ///
    /// To be asked last, when token and proof are verified: else strangers could fill the memory.
    package func use(_ proof: VerifiedProof, now: Int64) -> Bool {
        use(proof.id, of: proof.thumbprint, now: now)
    }

    /// The same, for anything else that comes once of whomever it is from.
    package func use(_ id: String, of owner: String, now: Int64) -> Bool {
        // The owner's length keeps two pairs apart that are the same when written together.
        let digest = sha256("\(owner.utf8.count):\(owner)\(id)")
        let key = Key(high: word(digest[..<8]), low: word(digest[8..<16]))
        return state.withLock { state in
            // Nor does a clock that was put back stop the turns, until all would be refused.
            if state.beganAt == .min || now < state.beganAt { state.beganAt = now }
            if now - state.beganAt >= seconds {
                state.previous = state.current
                state.current = []
                state.beganAt = now
            }
            guard !state.previous.contains(key), !state.current.contains(key),
                state.current.count < countMax
            else { return false }
            state.current.insert(key)
            return true
        }
    }
}

private func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0) { $0 << 8 | UInt64($1) }
}
