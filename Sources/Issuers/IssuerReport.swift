// IssuerReport.swift: how an issuer's keys are, for status and metrics.

/// The state of what is known of an issuer.
package struct IssuerReport: Equatable, Sendable {
    /// Whether its tokens can be verified, and for how long still.
    package enum State: String, CaseIterable, Sendable {
        /// Keys are there, and the last fetch worked.
        case fresh
        /// Keys are there and still believed, but are not fetched any more.
        case stale
        /// No keys are believed: none of its tokens passes.
        case unknown
    }

    package var name: String
    package var state: State
    /// Seconds since the last fetch of keys that worked; nil when none did.
    package var age: Int64?
    /// Seconds until its keys are believed no more; nil when they are not.
    package var remaining: Int64?
    package var keys: Int
    /// What went wrong in the last fetch.
    package var problem: String?
}
