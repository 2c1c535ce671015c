// WebAuthnRefusal.swift: why a registration or an assertion was refused.

/// Why what a browser sent does not prove a key.
///
/// Everything but the last two groups is the client's fault, or an attack; nothing here holds
/// what was sent, so that a log may say it whole.
package enum WebAuthnRefusal: Error, Equatable, Sendable {
    /// More than ``WebAuthnLimits`` allows.
    case tooLarge
    /// Not what the specification says this part looks like.
    case malformed(Part)

    // What the browser saw, §7.1 steps 7–11 and §7.2 steps 10–14.
    /// A registration shown for an assertion, or the reverse.
    case wrongType
    /// Not the challenge of this ceremony: replayed, or another's.
    case wrongChallenge
    /// Made on another site: this is what phishing looks like.
    case wrongOrigin
    /// Made in a frame of another site.
    case crossOrigin

    // What the authenticator saw.
    /// Made for another relying party.
    case wrongParty
    case userNotPresent
    case userNotVerified
    /// Flags that contradict one another, or the key as it was registered.
    case inconsistentBackup

    // Which key.
    /// `id`, `rawId` and what the authenticator says are not the same.
    case differentIDs
    /// None of ES256, EdDSA, RS256.
    case unsupportedAlgorithm
    case unusableKey
    /// The key is registered already.
    case alreadyRegistered
    /// The account has no such key: never registered, removed, or somebody else's.
    case unknownKey
    /// The key answers for another user handle than the account's.
    case otherUser
    case wrongSignature
    /// The counter did not grow: there is a second copy of this key.
    case counterWentBack(kept: UInt32, received: UInt32)

    // Attestation, where policy asks for it.
    /// None came, or one the key makes about itself.
    case noAttestation
    case unsupportedAttestation
    case wrongAttestation
    /// No configured authority vouches for it; OpenSSL's reason.
    case untrustedAttestation(Int32)
    case modelNotAllowed(Model)

    /// A library had no memory: nobody's fault who asked.
    case unavailable

    /// A part of what a browser sends.
    package enum Part: String, Equatable, Sendable {
        case json = "json"
        case credentialID = "credential-id"
        case clientData = "client-data"
        case attestation = "attestation"
        case authenticatorData = "authenticator-data"
        case publicKey = "public-key"
        case signature = "signature"
    }

    /// One word for the log and for metrics.
    package var word: String {
        switch self {
        case .tooLarge: "too-large"
        case .malformed(let part): "malformed-\(part.rawValue)"
        case .wrongType: "wrong-type"
        case .wrongChallenge: "wrong-challenge"
        case .wrongOrigin: "wrong-origin"
        case .crossOrigin: "cross-origin"
        case .wrongParty: "wrong-party"
        case .userNotPresent: "user-not-present"
        case .userNotVerified: "user-not-verified"
        case .inconsistentBackup: "inconsistent-backup"
        case .differentIDs: "different-ids"
        case .unsupportedAlgorithm: "unsupported-algorithm"
        case .unusableKey: "unusable-key"
        case .alreadyRegistered: "already-registered"
        case .unknownKey: "unknown-key"
        case .otherUser: "other-user"
        case .wrongSignature: "wrong-signature"
        case .counterWentBack: "counter-went-back"
        case .noAttestation: "no-attestation"
        case .unsupportedAttestation: "unsupported-attestation"
        case .wrongAttestation: "wrong-attestation"
        case .untrustedAttestation: "untrusted-attestation"
        case .modelNotAllowed: "model-not-allowed"
        case .unavailable: "unavailable"
        }
    }
}

/// How much is read, and how much an account may have.
package enum WebAuthnLimits {
    /// Bytes of what a browser sends for one ceremony.
    package static let jsonMax = 64 * 1024
    /// Bytes of a credential's id, §6.5.2 step "credentialIdLength".
    package static let idMax = 1023
    /// Bytes of a user handle, §5.4.3.
    package static let userMax = 64
    /// Keys of one account; what options list stays small.
    package static let keysMax = 16
    /// Certificates of one attestation, and their bytes.
    static let certificatesMax = 8
    static let certificateMax = 8192
    /// Bytes of an assertion's authenticator data: libfido2 has no room for more.
    static let assertionDataMax = 900
    static let signatureMax = 1024
    static let transportsMax = 8
    /// Bytes of the name its owner gives a key.
    package static let nameMax = 100
}
