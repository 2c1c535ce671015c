// SecondFactorStep.swift: the second half of a local account's sign-in: a code or a security key.

internal import Accounts
internal import Identity
internal import Tokens
internal import WebAuthn

extension SignInDesk {
    /// Whose password was right, on this connection and a moment ago.
    private struct Halfway {
        let account: Account
        let challenge: Challenge?
        let wish: Wish
        let accounts: AccountSettings
    }

    private func halfway(_ request: OwnRequest) -> Halfway? {
        guard let accounts = settings.accounts, let ticket = Ticket(request, seal: memory.seal),
            case .password(let text, let epoch, let challenge) = ticket.stage,
            let name = AccountName(text),
            let account = (try? accounts.store.account(named: name)) ?? nil,
            // Whatever ends an account's sessions ends what it has begun, too.
            account.isActive, account.epoch == epoch
        else { return nil }
        return Halfway(
            account: account, challenge: challenge, wish: ticket.wish, accounts: accounts)
    }

    /// The digits of an authenticator app were sent.
    func code(_ request: OwnRequest, _ form: Form) -> OwnReply {
        guard let halfway = halfway(request) else {
            return problem(request, 400, \.tooOld, cookies: [Self.noTicket])
        }
        let account = halfway.account
        let words = language(request, halfway.wish).words
        switch judge(
            code: Array((form["code"] ?? "").utf8), account.name, halfway.accounts,
            source: request.peer, now: request.now)
        {
        case .right: break
        case .wait(let seconds):
            journal(.delayed, request, account, "code")
            return secondFactor(
                account, request, halfway.wish, alert: "\(words.wait) \(seconds)", status: 429,
                retryAfter: seconds)
        case .unavailable:
            journal(.refused, request, account, "accounts")
            return problem(request, 503, \.unavailable, wish: halfway.wish)
        case .wrong(let word):
            journal(.refused, request, account, word)
            return secondFactor(
                account, request, halfway.wish, alert: words.wrongCode, status: 401)
        }
        guard let proof = proof(of: account, .pamTOTP, halfway.accounts, now: request.now) else {
            return problem(request, 403, \.refused, cookies: [Self.noTicket])
        }
        return begin(proof, request, halfway.wish)
    }

    /// What became of a code.
    enum CodeOutcome: Equatable {
        case right
        case wrong(String)
        case wait(Int64)
        case unavailable
    }

    /// Judges a code and spends it; `name` is nil for nobody, at the same cost.
    func judge(
        code: [UInt8], _ name: AccountName?, _ accounts: AccountSettings, source: String, now: Int64
    ) -> CodeOutcome {
        let key = name?.description ?? ""
        if let wait = accounts.lockout.mayTry(
            account: key, source: source, factor: .totp, now: now)
        {
            return .wait(wait)
        }
        let verdict: CodeVerdict
        do throws(AccountError) {
            verdict = try accounts.store.useCode(code.span, of: name, now: now)
        } catch {
            accounts.lockout.undecided(account: key, source: source, factor: .totp, now: now)
            return .unavailable
        }
        guard verdict == .right else {
            accounts.lockout.failed(account: key, source: source, factor: .totp, now: now)
            return .wrong(verdict == .replayed ? "code-replayed" : "code")
        }
        accounts.lockout.succeeded(account: key, source: source, factor: .totp, now: now)
        return .right
    }

    /// A security key has signed.
    func key(_ request: OwnRequest, _ form: Form) -> OwnReply {
        guard let halfway = halfway(request), let challenge = halfway.challenge, let party else {
            return problem(request, 400, \.tooOld, cookies: [Self.noTicket])
        }
        let (account, now) = (halfway.account, request.now)
        let name = account.name.description
        let words = language(request, halfway.wish).words
        let lockout = halfway.accounts.lockout
        if let wait = lockout.mayTry(
            account: name, source: request.peer, factor: .webauthn, now: now)
        {
            journal(.delayed, request, account, "key")
            return secondFactor(
                account, request, halfway.wish, alert: "\(words.wait) \(wait)", status: 429,
                retryAfter: wait)
        }
        // Forgotten before it is looked at: an answer that comes twice is for no challenge.
        guard memory.challenges.use(challenge.text, of: name, now: now) else {
            journal(.refused, request, account, "key-replayed")
            return secondFactor(
                account, request, halfway.wish, alert: words.wrongKey, status: 401)
        }
        do throws(WebAuthnRefusal) {
            let answer = Array((form["credential"] ?? "").utf8)
            let used = try verifyAssertion(
                answer.span, challenge: challenge, party: party, user: handle(of: account),
                keys: registeredKeys(of: account), now: now)
            guard keep(used, of: account, halfway.accounts, now: now) else {
                lockout.undecided(account: name, source: request.peer, factor: .webauthn, now: now)
                journal(.refused, request, account, "accounts")
                return problem(request, 503, \.keyUnavailable, wish: halfway.wish)
            }
        } catch {
            lockout.failed(account: name, source: request.peer, factor: .webauthn, now: now)
            journal(.refused, request, account, "key-\(error.word)")
            return secondFactor(
                account, request, halfway.wish, alert: words.wrongKey, status: 401)
        }
        lockout.succeeded(account: name, source: request.peer, factor: .webauthn, now: now)
        guard let proof = proof(of: account, .pamWebAuthn, halfway.accounts, now: now) else {
            return problem(request, 403, \.refused, cookies: [Self.noTicket])
        }
        return begin(proof, request, halfway.wish)
    }

    /// Keeps a key's new counter; false, and nobody is signed in, when it cannot be kept.
    private func keep(
        _ used: RegisteredKey, of account: Account, _ accounts: AccountSettings, now: Int64
    ) -> Bool {
        guard let old = account.keys.first(where: { $0.id == used.id })?.bytes else { return false }
        do throws(AccountError) {
            try accounts.store.useKey(
                used.id, of: account.name, from: old, to: Array(used.text.utf8), now: now)
            return true
        } catch {
            return false
        }
    }

    /// What an account proves; nil when whom it names is no professional.
    func proof(
        of account: Account, _ method: ProofMethod, _ accounts: AccountSettings, now: Int64
    ) -> SignInProof? {
        guard let professional = try? ProfessionalID(account.professional) else { return nil }
        var proof = SignInProof(
            professional: professional, method: method,
            level: method == .pamTOTP ? accounts.totpLevel : accounts.webAuthnLevel, provenAt: now)
        proof.structure = account.structure
        proof.account = account.name.description
        proof.accountEpoch = account.epoch
        return proof
    }

    /// What security keys know an account by: the same for all its keys and all its life, and
    /// nothing that its name could be told from without guessing it.
    func handle(of account: Account) -> [UInt8] {
        sha256("herse account \(account.name) \(account.createdAt)")
    }
}
