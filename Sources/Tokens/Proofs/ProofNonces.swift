// ProofNonces.swift: nonces that clients must put in their proofs, RFC 9449 §8 and §9.
//
// Nothing is kept: a nonce is a hash of the time under a key of this process, so that each worker
// knows those of all, and nobody can have proofs made in advance for longer than one is good.

/// The nonces of this process.
package struct ProofNonces: Sendable {
    private let key = randomBytes(32)
    /// Seconds after which a new one is given out; the one before is good for as long again.
    private let slotSeconds: Int64

    package init(slotSeconds: Int64 = 60) {
        precondition(slotSeconds > 0, "time must pass")
        self.slotSeconds = slotSeconds
    }

    /// For `DPoP-Nonce`.
    package func nonce(now: Int64) -> String { nonce(slot: now / slotSeconds) }

    func accepts(_ nonce: String, now: Int64) -> Bool {
        let given = Array(nonce.utf8)
        let slot = now / slotSeconds
        return [slot, slot - 1].contains { areSame(given, Array(self.nonce(slot: $0).utf8)) }
    }

    private func nonce(slot: Int64) -> String {
        let time = (0..<8).map { UInt8(truncatingIfNeeded: slot >> (8 * $0)) }
        return encodeBase64URL(Array(hmacSHA256(key: key, time).prefix(16)))
    }
}
