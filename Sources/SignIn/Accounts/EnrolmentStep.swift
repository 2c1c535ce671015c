// EnrolmentStep.swift: a second factor is enrolled by whoever has the operator's link.

internal import Accounts
internal import Identity
internal import Tokens
internal import WebAuthn

extension SignInDesk {
    /// What the link offers.
    func enrolment(
        _ request: OwnRequest, _ link: String, alert: String? = nil, status: Int = 200
    ) -> OwnReply {
        guard let accounts = settings.accounts else { return problem(request, 404, \.notFound) }
        let offer: EnrolmentOffer
        switch offered(link, request, accounts) {
        case .success(let found): offer = found
        case .failure(let refusal): return refusal.reply
        }
        let account = offer.account
        let app =
            offer.factors.contains(.totp)
            ? AppOffer(
                secret: base32(offer.secret),
                address: codeAddress(
                    secret: offer.secret, account: account.name.description,
                    issuer: party?.id ?? "Herse")) : nil
        var options: String?
        var cookies: [String] = []
        if offer.factors.contains(.webauthn), let party, let challenge = Challenge() {
            options = creationOptions(
                challenge: challenge, party: party,
                user: WebAuthnUser(handle: handle(of: account), name: account.name.description),
                existing: registeredKeys(of: account), policy: accounts.attestation)
            let ticket = Ticket(
                stage: .enrolment(link: digest(of: link), challenge: challenge),
                endsAt: later(request.now, by: Ticket.enrolmentSeconds),
                certificate: request.certificate)
            guard let cookie = cookie(ticket, now: request.now) else {
                return problem(request, 503, \.unavailable, wish: nil)
            }
            cookies = [cookie]
        }
        return reply(
            Page.enrolment(
                language(request), link: link, account: account.name.description, app: app,
                keyOptions: options, alert: alert, status: status), cookies: cookies)
    }

    /// A code of the new app, or a new key, was sent.
    func enrol(_ request: OwnRequest, _ form: Form, _ link: String) -> OwnReply {
        guard let accounts = settings.accounts else { return problem(request, 404, \.notFound) }
        let words = language(request).words
        let account: Account
        switch offered(link, request, accounts) {
        case .success(let found): account = found.account
        case .failure(let refusal): return refusal.reply
        }
        do throws(AccountError) {
            if let credential = form["credential"] {
                guard
                    try enrol(
                        credential, name: form["key_name"] ?? "", account, request, link, accounts)
                else {
                    return enrolment(request, link, alert: words.wrongKey, status: 400)
                }
            } else {
                let code = Array((form["code"] ?? "").utf8)
                _ = try accounts.store.enrolTOTP(link: link, code: code.span, now: request.now)
            }
        } catch {
            switch error {
            case .wrongCode:
                accounts.lockout.failed(
                    account: "", source: request.peer, factor: .link, now: request.now)
                journal(.refused, request, account, "enrolment-code")
                return enrolment(request, link, alert: words.wrongCode, status: 400)
            case .keyKnown, .tooManyKeys, .value:
                journal(.refused, request, account, "enrolment-key")
                return enrolment(request, link, alert: words.wrongKey, status: 400)
            case .linkOver, .unknown:
                return problem(request, 410, \.linkOver, wish: nil)
            default:
                journal(.refused, request, account, "accounts")
                return problem(request, 503, \.unavailable, wish: nil)
            }
        }
        journal(.enrolled, request, account)
        return reply(Page.enrolled(language(request)), cookies: [Self.noTicket])
    }

    /// Enrols a key; false when what the browser sent is not to be believed.
    private func enrol(
        _ credential: String, name: String, _ account: Account, _ request: OwnRequest,
        _ link: String, _ accounts: AccountSettings
    ) throws(AccountError) -> Bool {
        guard let party, let ticket = Ticket(request, seal: memory.seal),
            case .enrolment(let digest, let challenge) = ticket.stage,
            areSame(digest, self.digest(of: link)),
            memory.challenges.use(challenge.text, of: digest, now: request.now)
        else {
            journal(.refused, request, account, "key-challenge")
            return false
        }
        let key: RegisteredKey
        do throws(WebAuthnRefusal) {
            let json = Array(credential.utf8)
            key = try verifyRegistration(
                json.span, challenge: challenge, party: party, policy: accounts.attestation,
                existing: registeredKeys(of: account), name: name, now: request.now)
        } catch {
            journal(.refused, request, account, "key-\(error.word)")
            return false
        }
        _ = try accounts.store.enrolKey(
            link: link, id: key.id, bytes: Array(key.text.utf8), now: request.now)
        return true
    }

    private struct Refused: Error {
        let reply: OwnReply
    }

    /// What a link offers, unless it is over, or its guessers have to wait.
    private func offered(
        _ link: String, _ request: OwnRequest, _ accounts: AccountSettings
    ) -> Result<EnrolmentOffer, Refused> {
        let (lockout, now) = (accounts.lockout, request.now)
        if let wait = lockout.mayTry(account: "", source: request.peer, factor: .link, now: now) {
            let words = language(request).words
            journal(.delayed, request, nil, "link")
            return .failure(
                Refused(
                    reply: reply(
                        Page.problem(
                            language(request), 429, "\(words.wait) \(wait)", wish: nil),
                        retryAfter: wait)))
        }
        do throws(AccountError) {
            let offer = try accounts.store.offer(link: link, now: now)
            lockout.undecided(account: "", source: request.peer, factor: .link, now: now)
            return .success(offer)
        } catch {
            switch error {
            case .linkOver, .unknown, .value:
                lockout.failed(account: "", source: request.peer, factor: .link, now: now)
                journal(.refused, request, nil, "link")
                return .failure(Refused(reply: problem(request, 410, \.linkOver, wish: nil)))
            default:
                lockout.undecided(account: "", source: request.peer, factor: .link, now: now)
                return .failure(Refused(reply: problem(request, 503, \.unavailable, wish: nil)))
            }
        }
    }

    /// What the ticket names a link by, which it must not hold itself.
    private func digest(of link: String) -> String { hexadecimal(sha256(link)) }
}
