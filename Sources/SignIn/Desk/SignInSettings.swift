// SignInSettings.swift: what the desk is made of: ways to sign in, and where things are kept.

package import Accounts
package import Identity
package import WebAuthn

/// The ways to sign in that one configuration offers.
package struct SignInSettings: Sendable {
    /// The origin browsers know the gate by: `https://gate.example.fr`.
    package var url: String
    package var providers: [Provider] = []
    /// Nil when nobody signs in with a password here.
    package var accounts: AccountSettings?

    package init(url: String) { self.url = url }
}

/// How local accounts sign in.
package struct AccountSettings: Sendable {
    package var store: AccountStore
    package var passwords: PasswordChecker
    package var lockout: Lockout
    /// What a password and a code are worth, and a password and a security key.
    package var totpLevel = AssuranceLevel.substantial
    package var webAuthnLevel = AssuranceLevel.substantial
    /// Which security keys may be enrolled.
    package var attestation = AttestationPolicy.none

    package init(store: AccountStore, passwords: PasswordChecker, lockout: Lockout) {
        self.store = store
        self.passwords = passwords
        self.lockout = lockout
    }

    /// What any of its ways can be worth at most.
    var levelMax: AssuranceLevel { max(totpLevel, webAuthnLevel) }
}
