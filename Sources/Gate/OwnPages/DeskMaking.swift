// DeskMaking.swift: the sign-in desk of one configuration, and what the gate has to say to it.

internal import Accounts
internal import Directory
internal import Glibc
internal import Identity
internal import Neutralization
internal import Policy
internal import SignIn
internal import Signals
internal import Synchronization

/// What local accounts are kept and judged by; kept over a reload as far as its settings stay.
final class AccountDesk: Sendable {
    let store: AccountStore
    /// The state of the accounts for which sessions were judged last.
    private let judged: Mutex<UInt64>
    let passwords: PasswordChecker
    private let service: String
    private let helpers: Int
    private let deadline: Int

    init(_ rule: AccountRule, state: String, after former: AccountDesk?) {
        // The store keeps what it has offered to those who are enrolling now.
        store = former?.store ?? AccountStore(folder: state + "/accounts")
        // Known before the first of them comes; what fails here is told a second later.
        if former == nil { _ = try? store.roll(after: 0) }
        judged = Mutex(former?.judged.withLock { $0 } ?? 0)
        (service, helpers, deadline) = (rule.service, rule.helpers, rule.deadline)
        if let former, former.service == service, former.helpers == helpers,
            former.deadline == deadline
        {
            passwords = former.passwords
        } else {
            passwords = PasswordChecker(service: service, helpers: helpers, deadline: deadline)
        }
    }

    /// Ends the sessions of accounts that were removed, disabled or begun anew; blocks on the disk.
    ///
    /// Returns how many, and throws when the accounts cannot be read: then none ends.
    func endSessions(in sessions: SessionStore) throws(AccountError) -> Int {
        guard let roll = try store.roll(after: judged.withLock { $0 }) else { return 0 }
        let count = sessions.endAll(.account) { session in
            guard let account = session.account else { return false }
            return AccountName(account).flatMap { roll.epochs[$0] } != session.proof.accountEpoch
        }
        judged.withLock { $0 = roll.version }
        return count
    }
}

/// Makes the desk of a configuration; nil when nobody signs in with a browser.
func makeDesk(
    _ authentication: Authentication, _ material: Material, issuers: [IssuerDesk],
    accounts: AccountDesk?, _ services: Services, contact: String?
) -> SignInDesk? {
    guard let rule = authentication.signIn else { return nil }
    var settings = SignInSettings(url: rule.url)
    let log = services.log
    for provider in rule.providers {
        let issuer = authentication.issuers[provider.issuer]
        let desk = issuers[provider.issuer]
        guard let client = desk.issuer, let clientID = issuer.clientID else { continue }
        var made = Provider(
            name: issuer.name, label: provider.label, issuer: issuer.issuer, clientID: clientID,
            algorithms: issuer.algorithms,
            client: IssuerClient(client, fixed: desk.fixed) { problem in
                log.say("sign-in: \(problem)", kind: "sign-in provider")
            })
        made.scopes = provider.scopes
        made.contexts = provider.contexts
        made.acceptedContexts = provider.acceptedContexts
        made.levels = issuer.levels
        made.level = issuer.level
        made.professionalClaim = issuer.professionalClaim
        made.leeway = issuer.leeway
        settings.providers.append(made)
    }
    if let rule = authentication.accounts, let accounts {
        var made = AccountSettings(
            store: accounts.store, passwords: accounts.passwords, lockout: services.lockout)
        made.totpLevel = rule.totpLevel
        made.webAuthnLevel = rule.webAuthnLevel
        made.attestation = material.attestation
        settings.accounts = made
    }
    return SignInDesk(
        settings, sessions: services.sessions, memory: services.signIns,
        hooks: hooks(authentication, material.directory?.directory, services, contact: contact))
}

/// What the desk asks of the gate, and tells it.
private func hooks(
    _ authentication: Authentication, _ directory: Directory?, _ services: Services,
    contact: String?
) -> SignInHooks {
    var hooks = SignInHooks()
    let rule = authentication.directory
    let signals = services.signals
    hooks.admit = { proof in
        var proof = proof
        let id = Array(proof.professional.description.utf8)
        if let found = services.neutralization.verdict(on: proof, directory) {
            // Whom to ask, without telling why.
            let incident = RequestID(random: .random(in: .min ... .max), number: 1).text
            services.probing.attempted(
                found.subject.description, from: proof.peer, now: Int64(time(nil)))
            services.log.say(
                "sign-in: neutralized by \(found.subject), incident \(incident)",
                kind: "sign-in neutralized")
            return .neutralized(incident: incident, contact: contact)
        }
        // What a provider vouched for before it took that back begins no session.
        let person = directory?.person(id.span)
        let names = [proof.professional.description] + (person.map { [$0.id] + $0.aliases } ?? [])
        if proof.provenAt > 0, let since = signals.moments.moment(of: names),
            proof.provenAt <= since
        {
            return .refused("revoked-elsewhere")
        }
        if let issuer = proof.issuer, let subject = proof.subject {
            signals.book.learn(
                issuer: issuer, subject: subject, professional: proof.professional.description)
        }
        if let directory, let rule {
            switch directory.standing(of: id.span) {
            case .left where !rule.acceptsLeft: return .refused("left")
            case .unknown where !rule.acceptsUnknown: return .refused("not-in-directory")
            case .left, .unknown, .known, .unchecked: break
            }
            if let person, let counted = try? ProfessionalID(person.id) {
                proof.professional = counted
            }
        }
        return .admitted(proof)
    }
    hooks.isSame = { certificate, professional in
        let bytes = Array(certificate.utf8)
        let name = professional.description
        if certificate == name { return true }
        guard let person = directory?.person(bytes.span) else { return false }
        return person.id == name || person.aliases.contains(name)
    }
    hooks.provenSince = { now in
        services.neutralization.current.provenSince(now: UnixSeconds(now))?.value
    }
    let events = services.events
    hooks.journal = { events.add($0) }
    return hooks
}
