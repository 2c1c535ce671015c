// SignInMemory.swift: what sign-ins under way need of the process, whatever generation is in force.

internal import Tokens

/// The key of the sealed cookies and the memory of what may be used once; one for a process, so
/// that a reload of the configuration stops nobody in the middle of a sign-in.
package final class SignInMemory: Sendable {
    let seal = Seal()

    // Each only remembers what somebody with a proof used: a verified id token, a right password,
    // a logout token's signature, an operator's link. Strangers put nothing in, and so can push
    // nothing out.

    /// States of sign-ins at identity providers.
    let states = ProofReplays(seconds: Ticket.seconds)
    /// Challenges of security keys.
    let challenges = ProofReplays(seconds: Ticket.enrolmentSeconds)
    /// `jti` of logout tokens.
    let logouts = ProofReplays(seconds: logoutSecondsMax)

    /// Seconds for which a logout token may be good, so that all that may come again is known.
    static let logoutSecondsMax: Int64 = 86_400

    package init() {}
}
