// Beginning.swift: a session begins: asked of the gate before and after, bound, told, rotated.

internal import Identity

extension SignInDesk {
    /// The page on which one chooses how to sign in.
    func choice(_ request: OwnRequest, _ form: Form) -> OwnReply {
        reply(choicePage(request, Wish(form)))
    }

    func choicePage(
        _ request: OwnRequest, _ wish: Wish, alert: String? = nil, status: Int = 200
    ) -> Page {
        let providers = settings.providers.filter { provider in
            wish.level.map(provider.mayReach) ?? true
        }
        var hasAccounts = false
        if let accounts = settings.accounts {
            hasAccounts = wish.level.map { accounts.levelMax >= $0 } ?? true
        }
        return Page.choice(
            language(request, wish), wish: wish, providers: providers.map { ($0.name, $0.label) },
            hasAccounts: hasAccounts, alert: alert, status: status)
    }

    /// Begins a session for whoever has proven who they are, and sends the browser to what it
    /// wanted.
    ///
    /// The session this browser had before ends: what somebody may have learnt of it is worth
    /// nothing now.
    func begin(
        _ proof: SignInProof, idToken: String? = nil, _ request: OwnRequest, _ wish: Wish,
        provider: String? = nil
    ) -> OwnReply {
        var proof = proof
        proof.peer = request.peer
        proof.userAgent = String(request.userAgent.prefix(200))
        proof.certificate = request.certificate
        func told(_ kind: SignInEvent.Kind, _ reason: String? = nil) -> SignInEvent {
            var event = SignInEvent(kind, request, reason)
            event.provider = provider
            event.account = proof.account
            event.professional = proof.professional
            event.method = proof.method
            event.level = proof.level
            return event
        }
        if let other = request.certificateProfessional, !hooks.isSame(other, proof.professional) {
            hooks.journal(told(.refused, "other-certificate"))
            return problem(
                request, 403, \.otherCertificate, wish: wish, cookies: [Self.noTicket])
        }
        if let wanted = wish.level, proof.level < wanted {
            hooks.journal(told(.refused, "level"))
            return problem(request, 403, \.notEnough, wish: wish, cookies: [Self.noTicket])
        }
        switch hooks.admit(proof) {
        case .admitted(let admitted): proof = admitted
        case let verdict:
            hooks.journal(told(.refused, word(verdict)))
            return refusal(verdict, request)
        }
        let former = session(of: request)
        let begun: (cookieValue: String, session: LiveSession)
        do throws(SessionRefusal) {
            begun = try sessions.begin(proof, idToken: idToken, now: request.now)
        } catch {
            hooks.journal(told(.refused, "full"))
            return problem(request, 503, \.full, wish: wish)
        }
        if let former { sessions.end(former, .replaced) }
        // Who was neutralized while the session began would not have been found among the others.
        let again = hooks.admit(proof)
        guard case .admitted = again else {
            sessions.end(begun.session, .neutralized)
            hooks.journal(told(.refused, word(again)))
            return refusal(again, request)
        }
        var event = told(.signedIn)
        event.session = begun.session.publicID
        hooks.journal(event)
        return redirect(
            wish.to.text, cookies: [sessionCookie(begun.cookieValue), Self.noTicket])
    }

    /// The page for somebody who may not go on; nobody is told why they are cut off.
    private func refusal(_ verdict: SignInVerdict, _ request: OwnRequest) -> OwnReply {
        let language = language(request)
        guard case .neutralized(let incident, let contact) = verdict else {
            return problem(request, 403, \.refused, cookies: [Self.noTicket])
        }
        let words = language.words
        let sentence = [
            words.neutralized, "\(words.incident) \(incident).", contact ?? "",
        ].filter { !$0.isEmpty }.joined(separator: " ")
        return reply(
            Page.problem(language, 403, sentence, wish: nil), cookies: [Self.noTicket])
    }

    private func word(_ verdict: SignInVerdict) -> String {
        switch verdict {
        case .admitted: "admitted"
        case .neutralized: "neutralized"
        case .refused(let word): word
        }
    }
}
