// ProviderSignIn.swift: signing in at an identity provider: authorization code with PKCE,
// OpenID Connect Core 1.0 §3.1, RFC 7636, RFC 9207.

internal import Identity
internal import JSON
internal import Tokens

extension SignInDesk {
    /// Sends the browser to the provider.
    func start(_ request: OwnRequest, _ form: Form, _ provider: Provider) -> OwnReply {
        let wish = Wish(form)
        if provider.client.endpoints(now: request.now) == nil {
            provider.client.refresh(now: request.now)
        }
        guard let endpoints = provider.client.endpoints(now: request.now) else {
            return failed(.unavailable, request, wish, provider)
        }
        let (state, nonce, verifier) = (secretText(), secretText(), secretText())
        let ticket = Ticket(
            stage: .provider(
                name: provider.name, state: state, nonce: nonce, verifier: verifier),
            wish: wish, endsAt: later(request.now, by: Ticket.seconds),
            certificate: request.certificate)
        guard let cookie = cookie(ticket, now: request.now) else {
            return problem(request, 503, \.unavailable, wish: wish)
        }
        var fields = [
            (name: "response_type", value: "code"),
            (name: "client_id", value: provider.clientID),
            (name: "redirect_uri", value: callbackAddress(provider)),
            (name: "scope", value: provider.scopes.joined(separator: " ")),
            (name: "state", value: state), (name: "nonce", value: nonce),
            (name: "code_challenge", value: codeChallenge(of: verifier)),
            (name: "code_challenge_method", value: "S256"),
        ]
        let contexts = provider.contexts(for: wish.level)
        if !contexts.isEmpty {
            fields.append((name: "acr_values", value: contexts.joined(separator: " ")))
        }
        // A provider that knows its user already would otherwise give what it gave before.
        if wish.isStepUp { fields.append((name: "prompt", value: "login")) }
        if let ageMax = ageMax(wish, now: request.now) {
            fields.append((name: "max_age", value: String(ageMax)))
        }
        return redirect(address(endpoints.authorization, fields), cookies: [cookie])
    }

    /// Seconds that a proof may be old: as was wished for, and as counts for everybody now.
    private func ageMax(_ wish: Wish, now: Int64) -> Int64? {
        guard let since = hooks.provenSince(now) else { return wish.ageMax }
        let age = max(0, now - since)
        return min(wish.ageMax ?? age, age)
    }

    private func callbackAddress(_ provider: Provider) -> String {
        "\(settings.url)/.herse/openid/\(provider.name)/callback"
    }

    /// The browser is back, with a code or without.
    func callback(_ request: OwnRequest, _ form: Form, _ provider: Provider) -> OwnReply {
        guard request.method == .get else { return problem(request, 405, \.badRequest) }
        // Whoever mixes up states, sends a code to another browser, or takes too long.
        guard let ticket = Ticket(request, seal: memory.seal),
            case .provider(let name, let state, let nonce, let verifier) = ticket.stage,
            areSame(name, provider.name), let given = form["state"],
            areSame(Array(given.utf8), Array(state.utf8))
        else {
            hooks.journal(event(.refused, request, provider, "state"))
            return problem(request, 400, \.tooOld, cookies: [Self.noTicket])
        }
        let wish = ticket.wish
        if let issuer = form["iss"], !areSame(issuer, provider.issuer) {
            hooks.journal(event(.refused, request, provider, "issuer"))
            return problem(request, 400, \.refused, wish: wish, cookies: [Self.noTicket])
        }
        guard let code = form["code"], form["error"] == nil else {
            hooks.journal(event(.refused, request, provider, "provider-error"))
            return problem(request, 403, \.cancelled, wish: wish, cookies: [Self.noTicket])
        }
        do throws(ProviderFailure) {
            let arrival = Arrival(
                code: code, nonce: nonce, verifier: verifier, wish: wish,
                namesItself: form["iss"] != nil)
            let (proof, idToken) = try proof(arrival, request, provider)
            guard memory.states.use(state, of: name, now: request.now) else {
                hooks.journal(event(.refused, request, provider, "replayed"))
                return problem(request, 400, \.tooOld, wish: wish, cookies: [Self.noTicket])
            }
            return begin(proof, idToken: idToken, request, wish, provider: provider.name)
        } catch {
            return failed(error, request, wish, provider)
        }
    }

    /// What the browser came back with, and what it was sent with.
    private struct Arrival {
        let code: String
        let nonce: String
        let verifier: String
        let wish: Wish
        /// Whether `iss` came, and was the provider's.
        let namesItself: Bool
    }

    /// What the provider says of whoever signed in there.
    private func proof(
        _ arrival: Arrival, _ request: OwnRequest, _ provider: Provider
    ) throws(ProviderFailure) -> (SignInProof, idToken: String) {
        let now = request.now
        let endpoints = provider.client.endpoints(now: now)
        // A provider that always says who it is and did not: another one's answer, RFC 9207 §2.4.
        if endpoints?.namesItself == true, !arrival.namesItself { throw .refused }
        let tokens: ProviderTokens
        do throws(ProviderProblem) {
            tokens = try provider.client.exchange(
                code: arrival.code, verifier: arrival.verifier,
                redirect: callbackAddress(provider), now: now)
        } catch {
            throw error == .unavailable ? .unavailable : .refused
        }
        var rules = provider.rules
        rules.nonce = arrival.nonce
        rules.ageMax = ageMax(arrival.wish, now: request.now)
        rules.accessToken = tokens.accessToken
        let asked = rules
        let token = try provider.verified(now: now) { (keys) throws(TokenRefusal) in
            try verifyIDToken(tokens.idToken.span, keys: keys, rules: asked, now: now)
        }
        var name = token.professional
        if name.isEmpty, endpoints?.userInfo == true, let accessToken = tokens.accessToken {
            let answer: JSONValue
            do throws(ProviderProblem) {
                answer = try provider.client.userInfo(accessToken: accessToken, now: now)
            } catch {
                throw error == .unavailable ? .unavailable : .refused
            }
            do throws(TokenRefusal) {
                name = try judgeUserInfo(
                    answer, subject: token.subject, claim: provider.professionalClaim)
            } catch {
                throw .token(error)
            }
        }
        guard let professional = try? ProfessionalID(name) else { throw .professional }
        let level = provider.level(of: token.context)
        if let wanted = arrival.wish.level, level < wanted { throw .notEnough }
        var proof = SignInProof(
            professional: professional, method: .session, level: level,
            provenAt: token.authenticatedAt ?? 0)
        proof.issuer = provider.issuer
        proof.subject = token.subject
        proof.providerSession = token.session
        proof.context = token.context
        proof.client = provider.clientID
        return (proof, String(decoding: tokens.idToken, as: UTF8.self))
    }

    private func failed(
        _ failure: ProviderFailure, _ request: OwnRequest, _ wish: Wish, _ provider: Provider
    ) -> OwnReply {
        let (status, sentence, reason): (Int, KeyPath<Words, String>, String) =
            switch failure {
            case .unavailable: (503, \.unavailable, "unavailable")
            case .refused: (403, \.refused, "provider-refused")
            case .token(.stale), .token(.context): (403, \.notEnough, "context")
            case .token(let why): (403, \.refused, "token-\(why.word)")
            case .professional: (403, \.refused, "professional")
            case .notEnough: (403, \.notEnough, "level")
            }
        hooks.journal(event(.refused, request, provider, reason))
        return problem(request, status, sentence, wish: wish, cookies: [Self.noTicket])
    }

    func event(
        _ kind: SignInEvent.Kind, _ request: OwnRequest, _ provider: Provider,
        _ reason: String? = nil
    ) -> SignInEvent {
        var event = SignInEvent(kind, request, reason)
        event.provider = provider.name
        return event
    }
}
