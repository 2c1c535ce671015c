// SignalEvent.swift: the events that are understood, and what can be done about one.

/// What is done when an event comes.
package enum SignalAction: String, CaseIterable, Sendable {
    /// The account is cut off.
    case neutralize
    /// What was proven before the event has to be proven again.
    case endSessions = "end-sessions"
    /// What the same stream neutralized is undone, and nothing else.
    case reinstate
    case ignore
    /// Operators are told.
    case alert
}

/// An event of CAEP 1.0 or RISC 1.0, by the last part of its address; no two have the same.
package enum SignalEvent: String, CaseIterable, Sendable {
    // CAEP 1.0 §3.
    case sessionRevoked = "session-revoked"
    case tokenClaimsChange = "token-claims-change"
    case credentialChange = "credential-change"
    case assuranceLevelChange = "assurance-level-change"
    case deviceComplianceChange = "device-compliance-change"
    // RISC 1.0 §2.
    case accountDisabled = "account-disabled"
    case accountEnabled = "account-enabled"
    case accountPurged = "account-purged"
    case credentialChangeRequired = "account-credential-change-required"
    case identifierChanged = "identifier-changed"
    case identifierRecycled = "identifier-recycled"
    case credentialCompromise = "credential-compromise"
    /// Deprecated in favour of `session-revoked`, and still sent.
    case sessionsRevoked = "sessions-revoked"

    private static let caep = "https://schemas.openid.net/secevent/caep/event-type/"
    private static let risc = "https://schemas.openid.net/secevent/risc/event-type/"

    /// Its address, the key in `events`.
    package var uri: String {
        switch self {
        case .sessionRevoked, .tokenClaimsChange, .credentialChange, .assuranceLevelChange,
            .deviceComplianceChange:
            Self.caep + rawValue
        case .accountDisabled, .accountEnabled, .accountPurged, .credentialChangeRequired,
            .identifierChanged, .identifierRecycled, .credentialCompromise, .sessionsRevoked:
            Self.risc + rawValue
        }
    }

    init?(uri: String) {
        guard let found = Self.allCases.first(where: { $0.uri.utf8.elementsEqual(uri.utf8) }) else {
            return nil
        }
        self = found
    }

    /// What is done unless the configuration says otherwise.
    package var standardAction: SignalAction {
        switch self {
        case .accountDisabled, .accountPurged, .credentialCompromise: .neutralize
        case .accountEnabled: .reinstate
        case .sessionRevoked, .sessionsRevoked, .tokenClaimsChange, .credentialChange,
            .assuranceLevelChange, .credentialChangeRequired, .identifierRecycled:
            .endSessions
        case .deviceComplianceChange, .identifierChanged: .alert
        }
    }
}

/// An event about the stream itself, SSF 1.0 §8.1.4 and §8.1.5.
enum StreamEvent: String, CaseIterable {
    case verification = "https://schemas.openid.net/secevent/ssf/event-type/verification"
    case updated = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated"
}
