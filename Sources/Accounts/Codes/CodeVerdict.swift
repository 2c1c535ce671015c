// CodeVerdict.swift: whether the code of an authenticator app signs in.

/// What became of a code.
package enum CodeVerdict: Equatable, Sendable {
    /// It is right, and spent: on disk before anybody hears of it.
    case right
    /// It is not the one that is due, or there is no such account, or it has no app.
    case wrong
    /// It was right, and was used before.
    case replayed
}

extension AccountStore {
    /// Judges a code and spends it; throws when that cannot be kept, and then nobody is signed in.
    ///
    /// The code of a step is accepted once, and none of an older step after it (RFC 6238 §5.2):
    /// the step is on disk before this returns, so that not even a crash brings a code back.
    /// An account that does not exist costs the same three codes as one that does.
    package func useCode(
        _ code: Span<UInt8>, of name: AccountName?, now: Int64
    ) throws(AccountError) -> CodeVerdict {
        var account: Account?
        if let name { account = try self.account(named: name) }
        let secret = account?.totp?.bytes ?? Self.nobodysSecret
        let step = matchingStep(of: code, secret: secret, now: now)
        guard let name, let account, account.isActive, account.totp != nil, let step else {
            return .wrong
        }
        var verdict = CodeVerdict.wrong
        try judge(name) { account throws(AccountError) in
            // Another sign-in may have been faster, and the operator too.
            guard account.isActive, let totp = account.totp,
                isSame(totp.bytes.span, secret.span)
            else { return false }
            guard step > totp.lastStep else {
                verdict = .replayed
                return false
            }
            verdict = .right
            account.totp?.lastStep = step
            account.signedInAt = now
            return true
        }
        return verdict
    }

    /// What the codes of nobody are compared with.
    private static let nobodysSecret = randomBytes(OneTimeSecret.lengths.lowerBound)
}
