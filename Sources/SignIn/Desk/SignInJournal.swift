// SignInJournal.swift: what is told of a sign-in to whoever keeps log and record.

package import Identity

/// Something that happened at the desk; nothing in it is a secret, nor typed by a stranger.
package struct SignInEvent: Equatable, Sendable {
    /// What happened.
    package enum Kind: Sendable {
        case signedIn
        case signedOut
        /// Sessions ended because the identity provider said so; `count` says how many.
        case providerLogout
        /// A second factor was enrolled.
        case enrolled
        /// A password was right, and a second factor is waited for.
        case halfway
        /// It came to nothing; `reason` says why.
        case refused
        /// Somebody has to wait.
        case delayed
    }

    package var kind: Kind
    /// One word of this source's.
    package var reason: String?
    package var peer: String
    package var listener = 0
    /// The identity provider's name in the configuration.
    package var provider: String?
    /// Only of an account that exists: what others type may be anything, passwords among it.
    package var account: String?
    package var professional: ProfessionalID?
    package var method: ProofMethod?
    package var level: AssuranceLevel?
    /// The session's public name.
    package var session: String?
    package var count = 0

    init(_ kind: Kind, _ request: OwnRequest, _ reason: String? = nil) {
        self.kind = kind
        self.reason = reason
        peer = request.peer
        listener = request.listener
    }
}

/// What the gate says of somebody who has proven who they are.
package enum SignInVerdict: Equatable, Sendable {
    /// May go on, as this: aliases resolved, the structure known.
    case admitted(SignInProof)
    /// Cut off; told an incident's number and whom to call, never why.
    case neutralized(incident: String, contact: String?)
    /// One word for the log: left, unknown.
    case refused(String)
}

/// What the desk asks of the gate, and tells it.
package struct SignInHooks: Sendable {
    /// Asked before a session begins, and once more after it has.
    package var admit: @Sendable (SignInProof) -> SignInVerdict = { .admitted($0) }
    /// Whether a certificate's professional is the same person, aliases considered.
    package var isSame: @Sendable (String, ProfessionalID) -> Bool = { $0 == $1.description }
    /// Since when one must have proven oneself, in seconds since 1970, whoever one is.
    package var provenSince: @Sendable (_ now: Int64) -> Int64? = { _ in nil }
    package var journal: @Sendable (SignInEvent) -> Void = { _ in }
    /// The keys of Herse-Assertion as a JWKS; nil when there are none to publish.
    package var assertionKeys: @Sendable () -> [UInt8]? = { nil }

    package init() {}
}
