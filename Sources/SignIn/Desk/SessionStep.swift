// SessionStep.swift: a session is looked at, and ended by whom it belongs to.

internal import Identity
internal import JSON
internal import Tokens

extension SignInDesk {
    /// Who is signed in: a page, or JSON for scripts that ask for it.
    func sessionPage(_ request: OwnRequest, _ form: Form) -> OwnReply {
        let session = session(of: request)
        guard !request.accept.contains("application/json") else { return json(session) }
        let wish = Wish(form)
        return reply(
            Page.session(
                language(request, wish), session,
                formOrigin: session.flatMap { endOfSession($0, request) }.flatMap(origin(of:))))
    }

    private func json(_ session: LiveSession?) -> OwnReply {
        var object: JSONObject = ["error": .string("unauthenticated")]
        if let session {
            object = [
                "professional": .string(session.professional.description),
                "method": .string(session.method.rawValue),
                "level": .string(session.level.rawValue),
                "session": .string(session.publicID),
                "began_at": .string(timeText(session.beganAt)),
                "ends_at": .string(timeText(session.absoluteEnd)),
            ]
        }
        return OwnReply(
            status: session == nil ? 401 : 200,
            fields: [(name: "Content-Type", value: "application/json")] + Page.guards,
            body: JSONValue.object(object).encoded)
    }

    /// Ends the session here and, where it began at an identity provider that can, there
    /// (OpenID Connect RP-Initiated Logout 1.0 §2).
    func signOut(_ request: OwnRequest) -> OwnReply {
        guard let session = session(of: request) else {
            return redirect("/.herse/sign-in", cookies: [Self.noSession, Self.noTicket])
        }
        sessions.end(session, .signedOut)
        var event = SignInEvent(.signedOut, request)
        event.professional = session.professional
        event.account = session.account
        event.session = session.publicID
        hooks.journal(event)
        let address = endOfSession(session, request) ?? "/.herse/sign-in"
        return redirect(address, cookies: [Self.noSession, Self.noTicket])
    }

    /// Where the provider ends its own session; nil when it does not say, or there is none.
    private func endOfSession(_ session: LiveSession, _ request: OwnRequest) -> String? {
        guard let issuer = session.issuer,
            let provider = settings.providers.first(where: { areSame($0.issuer, issuer) }),
            let end = provider.client.endpoints(now: request.now)?.endSession
        else { return nil }
        var fields = [
            (name: "client_id", value: provider.clientID),
            (name: "post_logout_redirect_uri", value: settings.url + "/.herse/sign-in"),
        ]
        if let idToken = session.idToken {
            fields.insert((name: "id_token_hint", value: idToken), at: 0)
        }
        return address(end, fields)
    }

    /// `https://host:port` of an address.
    private func origin(of address: String) -> String? {
        let parts = address.utf8.split(
            separator: UInt8(ascii: "/"), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[1].isEmpty, let scheme = String(parts[0]),
            let host = String(parts[2].prefix { $0 != UInt8(ascii: "?") })
        else { return nil }
        return "\(scheme)//\(host)"
    }
}
