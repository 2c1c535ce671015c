// PasswordStep.swift: the first half of a local account's sign-in: the password, which PAM judges.
//
// What is said does not tell whether an account exists: a name nobody has goes the same way, at
// the same cost, to the same words.

internal import Accounts
internal import Identity
internal import WebAuthn

/// What became of a password.
enum PasswordOutcome: Equatable {
    /// It is right, and its account may go on to a second factor.
    case right(Account)
    /// There is no such account, or the password is not its.
    case wrong
    /// The password is right, and has to be changed elsewhere first.
    case mustChange
    /// The password is right, and there is no signing in with it: expired, refused by PAM, without
    /// a second factor.
    case refused(String)
    /// Seconds to wait before it is tried.
    case wait(Int64)
    /// Nothing was learnt; one word for the log.
    case unavailable(String)
}

extension SignInDesk {
    /// Name and password were sent.
    func password(_ request: OwnRequest, _ form: Form) -> OwnReply {
        guard let accounts = settings.accounts else { return problem(request, 404, \.notFound) }
        let wish = Wish(form)
        let language = language(request, wish)
        let words = language.words
        let typed = form["name"] ?? ""
        let outcome = judge(
            name: typed, password: Array((form["password"] ?? "").utf8), accounts,
            source: request.peer, now: request.now)
        switch outcome {
        case .right(let account):
            journal(.halfway, request, account)
            return secondFactor(account, request, wish)
        case .wrong:
            journal(.refused, request, nil, "password")
            return reply(choicePage(request, wish, alert: words.wrong, status: 401))
        case .mustChange:
            journal(.refused, request, nil, "must-change")
            return problem(request, 403, \.mustChange, wish: wish)
        case .refused(let word):
            journal(.refused, request, nil, word)
            return problem(request, 403, \.refused, wish: wish)
        case .wait(let seconds):
            journal(.delayed, request, nil, "password")
            return reply(
                choicePage(request, wish, alert: "\(words.wait) \(seconds)", status: 429),
                retryAfter: seconds)
        case .unavailable(let word):
            journal(.refused, request, nil, "pam-\(word)")
            return problem(request, 503, \.unavailable, wish: wish)
        }
    }

    /// Asks PAM, and says whose password it is.
    func judge(
        name typed: String, password: [UInt8], _ accounts: AccountSettings, source: String,
        now: Int64
    ) -> PasswordOutcome {
        let lockout = accounts.lockout
        // Read as accounts are known, so that another way to write a name is no other account.
        let bytes = Array(typed.utf8)
        let name = AccountName(typed: bytes.span)
        let key = name?.description ?? typed
        if let wait = lockout.mayTry(account: key, source: source, factor: .password, now: now) {
            return .wait(wait)
        }
        var account: Account?
        do throws(AccountError) {
            if let name { account = try accounts.store.account(named: name) }
        } catch {
            lockout.undecided(account: key, source: source, factor: .password, now: now)
            return .unavailable("accounts")
        }
        // Somebody PAM knows and the gate does not has no account here, whatever their password.
        let known = account?.isActive == true ? name : nil
        let verdict = accounts.passwords.check(
            user: known, password: password.span, source: source)
        if case .unavailable(let problem) = verdict {
            lockout.undecided(account: key, source: source, factor: .password, now: now)
            return .unavailable(problem.word)
        }
        guard let account, known != nil, verdict != .wrong else {
            lockout.failed(account: key, source: source, factor: .password, now: now)
            return .wrong
        }
        lockout.succeeded(account: key, source: source, factor: .password, now: now)
        switch verdict {
        case .expired(mustChange: true): return .mustChange
        case .expired: return .refused("expired")
        case .denied: return .refused("pam-denied")
        case .right, .wrong, .unavailable: break
        }
        return account.factors.isEmpty ? .refused("no-second-factor") : .right(account)
    }

    /// The page for the second factor; its challenge and whose it is stand in the ticket.
    func secondFactor(
        _ account: Account, _ request: OwnRequest, _ wish: Wish, alert: String? = nil,
        status: Int = 200, retryAfter: Int64? = nil
    ) -> OwnReply {
        guard let accounts = settings.accounts else { return problem(request, 404, \.notFound) }
        func isEnough(_ level: AssuranceLevel) -> Bool { wish.level.map { level >= $0 } ?? true }
        let hasCode = account.factors.contains(.totp) && isEnough(accounts.totpLevel)
        var challenge: Challenge?
        var options: String?
        let keys = registeredKeys(of: account)
        if !keys.isEmpty, isEnough(accounts.webAuthnLevel), let party, let fresh = Challenge() {
            challenge = fresh
            options = requestOptions(challenge: fresh, party: party, keys: keys)
        }
        guard hasCode || options != nil else {
            return problem(request, 403, \.notEnough, wish: wish, cookies: [Self.noTicket])
        }
        let ticket = Ticket(
            stage: .password(
                account: account.name.description, epoch: account.epoch, challenge: challenge),
            wish: wish, endsAt: later(request.now, by: Ticket.passwordSeconds),
            certificate: request.certificate)
        guard let cookie = cookie(ticket, now: request.now) else {
            return problem(request, 503, \.unavailable, wish: wish)
        }
        return reply(
            Page.secondFactor(
                language(request, wish), wish: wish, hasCode: hasCode, keyOptions: options,
                alert: alert, status: status), cookies: [cookie], retryAfter: retryAfter)
    }

    /// The security keys of an account that are still what was written.
    func registeredKeys(of account: Account) -> [RegisteredKey] {
        account.keys.compactMap { RegisteredKey(text: String(decoding: $0.bytes, as: UTF8.self)) }
    }

    /// Tells of something about a local account; only one that exists is named.
    func journal(
        _ kind: SignInEvent.Kind, _ request: OwnRequest, _ account: Account?,
        _ reason: String? = nil
    ) {
        var event = SignInEvent(kind, request, reason)
        event.account = account?.name.description
        event.professional = account.flatMap { try? ProfessionalID($0.professional) }
        hooks.journal(event)
    }
}
