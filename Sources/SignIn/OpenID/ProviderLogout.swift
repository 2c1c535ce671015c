// ProviderLogout.swift: an identity provider says that a session is over, OpenID Connect
// Back-Channel Logout 1.0.

internal import JSON
internal import Tokens

extension SignInDesk {
    /// Ends the sessions that a logout token names.
    ///
    /// The provider itself asks, not a browser: the token's signature is its proof.
    func providerLogout(_ request: OwnRequest, _ provider: Provider) -> OwnReply {
        guard request.method == .post else {
            return problem(request, 405, \.badRequest)
        }
        guard let token = form(of: request)?["logout_token"] else {
            return refused(request, provider, "no-token")
        }
        let bytes = Array(token.utf8)
        let logout: LogoutToken
        do throws(ProviderFailure) {
            let (rules, now) = (provider.rules, request.now)
            logout = try provider.verified(now: now) { (keys) throws(TokenRefusal) in
                try verifyLogoutToken(bytes.span, keys: keys, rules: rules, now: now)
            }
        } catch {
            if error == .unavailable {
                hooks.journal(event(.refused, request, provider, "unavailable"))
                return answer(503, [:])
            }
            if case .token(let why) = error { return refused(request, provider, "\(why.word)") }
            return refused(request, provider, "token")
        }
        // What may come again later than anybody remembers would end sessions begun since.
        guard logout.expiresAt - request.now <= SignInMemory.logoutSecondsMax,
            memory.logouts.use(logout.id, of: provider.issuer, now: request.now)
        else { return refused(request, provider, "replayed") }
        let count = sessions.endAll(.provider) { session in
            guard session.issuer.map({ areSame($0, provider.issuer) }) == true else { return false }
            if let wanted = logout.session {
                guard session.providerSession.map({ areSame($0, wanted) }) == true else {
                    return false
                }
            }
            guard let subject = logout.subject else { return true }
            return session.proof.subject.map { areSame($0, subject) } == true
        }
        var event = event(.providerLogout, request, provider)
        event.count = count
        hooks.journal(event)
        return answer(200, [:])
    }

    private func refused(
        _ request: OwnRequest, _ provider: Provider, _ reason: String
    ) -> OwnReply {
        hooks.journal(event(.refused, request, provider, "logout-\(reason)"))
        return answer(400, ["error": .string("invalid_request")])
    }

    private func answer(_ status: Int, _ object: JSONObject) -> OwnReply {
        OwnReply(
            status: status,
            fields: [
                ("Content-Type", "application/json"), ("Cache-Control", "no-store"),
            ], body: JSONValue.object(object).encoded)
    }
}
