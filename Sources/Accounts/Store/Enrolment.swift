// Enrolment.swift: how a second factor gets into an account: by a link that works once.

internal import Synchronization

/// What a link that is still good offers.
package struct EnrolmentOffer: Sendable {
    package let account: Account
    /// Any of these, but only one.
    package let factors: Set<SecondFactor>
    package let expiresAt: Int64
    /// The secret for an authenticator app, when `factors` has it: the same each time the page is
    /// shown, until the link is used or the gate restarted.
    package let secret: [UInt8]
}

/// Secrets shown on enrolment pages and not yet confirmed, by the hash of their link.
struct SecretOffers {
    private var secrets: [[UInt8]: (secret: [UInt8], expiresAt: Int64)] = [:]

    /// Pages open at once; each is of a link an operator made, so more means links nobody uses.
    static let countMax = 1024

    mutating func secret(for link: EnrolmentLink, now: Int64) -> [UInt8] {
        if let known = secrets[link.hash] { return known.secret }
        if secrets.count >= Self.countMax {
            secrets = secrets.filter { $0.value.expiresAt > now }
            if secrets.count >= Self.countMax { secrets = [:] }
        }
        let secret = randomBytes(OneTimeSecret.lengths.lowerBound)
        secrets[link.hash] = (secret, link.expiresAt)
        return secret
    }

    mutating func remove(_ hash: [UInt8]) { secrets[hash] = nil }
}

extension AccountStore {
    /// Seconds a link may live at most.
    package static let linkSecondsMax: Int64 = 30 * 86_400

    /// Makes a link for one second factor and returns it as base64url; it replaces the account's
    /// last one, and only its hash is kept.
    package func makeLink(
        for name: AccountName, factors: Set<SecondFactor>, seconds: Int64, now: Int64
    ) throws(AccountError) -> String {
        guard !factors.isEmpty, (1...Self.linkSecondsMax).contains(seconds) else {
            throw .value("a link without factors or end")
        }
        let token = base64URL(randomBytes(32))
        let (end, isBeyond) = now.addingReportingOverflow(seconds)
        let link = EnrolmentLink(
            hash: hash(of: token), factors: factors, expiresAt: isBeyond ? .max : end)
        try change(name) { account throws(AccountError) in
            guard account.isActive else { throw .value("a link for a disabled account") }
            account.link = link
        }
        return token
    }

    /// What a link offers; changes nothing, however often the page is loaded.
    package func offer(link token: String, now: Int64) throws(AccountError) -> EnrolmentOffer {
        let (name, hash) = try owner(of: token)
        guard let account = try account(named: name), let link = good(account, hash, now) else {
            throw .linkOver
        }
        let secret =
            link.factors.contains(.totp)
            ? offers.withLock { $0.secret(for: link, now: now) } : []
        return EnrolmentOffer(
            account: account, factors: link.factors, expiresAt: link.expiresAt, secret: secret)
    }

    /// Enrols the authenticator app that shows `code`, instead of the one before if there was one,
    /// and ends the link.
    package func enrolTOTP(
        link token: String, code: Span<UInt8>, now: Int64
    ) throws(AccountError) -> AccountName {
        let (name, hash) = try owner(of: token)
        guard let link = try account(named: name).flatMap({ good($0, hash, now) }),
            link.factors.contains(.totp)
        else { throw .linkOver }
        let secret = offers.withLock { $0.secret(for: link, now: now) }
        // The step is spent: the code that confirmed the app cannot sign in as well.
        guard let step = matchingStep(of: code, secret: secret, now: now) else { throw .wrongCode }
        try change(name) { account throws(AccountError) in
            guard good(account, hash, now)?.factors.contains(.totp) == true else {
                throw .linkOver
            }
            account.totp = OneTimeSecret(bytes: secret, enrolledAt: now, lastStep: step)
            account.link = nil
        }
        offers.withLock { $0.remove(hash) }
        return name
    }

    /// Enrols a security key that WebAuthn has verified, and ends the link.
    package func enrolKey(
        link token: String, id: [UInt8], bytes: [UInt8], now: Int64
    ) throws(AccountError) -> AccountName {
        guard (1...AccountKey.idMax).contains(id.count),
            (1...AccountKey.bytesMax).contains(bytes.count)
        else { throw .value("the security key") }
        let (name, hash) = try owner(of: token)
        try change(name) { account throws(AccountError) in
            guard good(account, hash, now)?.factors.contains(.webauthn) == true else {
                throw .linkOver
            }
            guard account.keys.count < Account.keysMax else { throw .tooManyKeys }
            guard !account.keys.contains(where: { $0.id == id }) else { throw .keyKnown }
            account.keys.append(AccountKey(id: id, bytes: bytes, enrolledAt: now))
            account.link = nil
        }
        offers.withLock { $0.remove(hash) }
        return name
    }

    private func owner(of token: String) throws(AccountError) -> (AccountName, hash: [UInt8]) {
        // 32 bytes in base64url.
        guard token.utf8.count == 43, bytes(base64URL: token[...])?.count == 32 else {
            throw .linkOver
        }
        let hash = hash(of: token)
        guard let name = try owner(ofLink: hash) else { throw .linkOver }
        return (name, hash)
    }
}

/// The link of an account, when it is this one and still good.
private func good(_ account: Account, _ hash: [UInt8], _ now: Int64) -> EnrolmentLink? {
    guard account.isActive, let link = account.link, isSame(link.hash.span, hash.span),
        now < link.expiresAt
    else { return nil }
    return link
}

private func hash(of token: String) -> [UInt8] { sha256(Array(token.utf8).span) }
