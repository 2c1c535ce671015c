// Account.swift: what is known of a local account.

/// Somebody who signs in with a password that PAM judges and a second factor kept here.
package struct Account: Equatable, Sendable {
    package let name: AccountName
    /// Whom the account proves to be: idNat_PS, upper-cased.
    package let professional: String
    /// Struct_IdNat, upper-cased.
    package let structure: String?
    package var state = State.active
    /// Changed by all that must end the sessions begun before: a session remembers it, and is over
    /// once the account has another.
    ///
    /// An account removed and made again has another as well.
    package var epoch: UInt64
    package let createdAt: Int64
    /// The system user who made it.
    package let createdBy: String
    package var signedInAt: Int64?
    package var totp: OneTimeSecret?
    package var keys: [AccountKey] = []
    /// The enrolment link that waits to be used.
    package var link: EnrolmentLink?

    /// Whether it may sign in.
    package enum State: String, Sendable {
        case active
        case disabled
    }

    package var isActive: Bool { state == .active }

    /// The kinds of second factor it can sign in with.
    package var factors: Set<SecondFactor> {
        var factors: Set<SecondFactor> = []
        if totp != nil { factors.insert(.totp) }
        if !keys.isEmpty { factors.insert(.webauthn) }
        return factors
    }

    /// Security keys of one account.
    package static let keysMax = 10
    /// Bytes of an idNat_PS, of a Struct_IdNat, and of who made it.
    package static let textMax = 64

    package init(
        name: AccountName, professional: String, structure: String? = nil, epoch: UInt64,
        createdAt: Int64, createdBy: String
    ) {
        self.name = name
        self.professional = professional
        self.structure = structure
        self.epoch = epoch
        self.createdAt = createdAt
        self.createdBy = createdBy
    }
}

/// The secret that an authenticator app shares with the gate; never shown again, not by accident
/// either.
package struct OneTimeSecret: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
    package let bytes: [UInt8]
    package let enrolledAt: Int64
    /// The last step a code was accepted for; that code and older ones are refused from then on.
    package var lastStep: Int64

    /// Bytes a secret has; RFC 4226 §4 asks for 16 and recommends 20.
    package static let lengths = 20...64

    package init(bytes: [UInt8], enrolledAt: Int64, lastStep: Int64) {
        self.bytes = bytes
        self.enrolledAt = enrolledAt
        self.lastStep = lastStep
    }

    package var description: String { "a secret" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// A security key: bytes that WebAuthn reads and the store keeps.
package struct AccountKey: Equatable, Sendable {
    /// The credential id.
    package let id: [UInt8]
    package var bytes: [UInt8]
    package let enrolledAt: Int64

    /// WebAuthn Level 2 §5.1 lets a credential id have as many bytes.
    package static let idMax = 1023
    package static let bytesMax = 4096

    package init(id: [UInt8], bytes: [UInt8], enrolledAt: Int64) {
        self.id = id
        self.bytes = bytes
        self.enrolledAt = enrolledAt
    }

    /// Eight digits that tell the keys of an account apart: for people, and for `forget`.
    package var label: String { hexadecimal(Array(sha256(id.span).prefix(4))) }
}

/// A link that lets whoever has it enrol one second factor, once.
package struct EnrolmentLink: Equatable, Sendable {
    /// SHA-256 of the link's 32 random bytes; the link itself is kept nowhere.
    package let hash: [UInt8]
    /// Any of these, but only one.
    package let factors: Set<SecondFactor>
    package let expiresAt: Int64

    package init(hash: [UInt8], factors: Set<SecondFactor>, expiresAt: Int64) {
        self.hash = hash
        self.factors = factors
        self.expiresAt = expiresAt
    }
}
