// ProofDesk.swift: what proofs of possession must keep to, and those that were used, RFC 9449.

internal import Tokens

/// The gate's side of DPoP; the same for all workers.
final class ProofDesk: Sendable {
    let rules: ProofRules
    let nonces = ProofNonces()
    let replays: ProofReplays

    init() {
        var rules = ProofRules()
        rules.nonces = nonces
        self.rules = rules
        replays = ProofReplays(seconds: rules.seconds)
    }
}
