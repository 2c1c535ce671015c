// SignInDesk.swift: the pages under `/.herse/`: which of them answers, and what holds for all.

internal import Identity
internal import Tokens
internal import WebAuthn

/// Answers requests for the gate's own pages; every call may block for as long as a password or an
/// identity provider takes, and may come from any thread.
package final class SignInDesk: Sendable {
    let settings: SignInSettings
    let sessions: SessionStore
    let memory: SignInMemory
    let hooks: SignInHooks
    /// Nil when browsers would refuse security keys at this address.
    let party: RelyingParty?

    /// - Parameters:
    ///   - settings: The ways to sign in.
    ///   - sessions: Where they begin and end; outlives the desk.
    ///   - memory: What may be used once; outlives the desk.
    ///   - hooks: What the gate has to say, and is told.
    package init(
        _ settings: SignInSettings, sessions: SessionStore, memory: SignInMemory,
        hooks: SignInHooks
    ) {
        self.settings = settings
        self.sessions = sessions
        self.memory = memory
        self.hooks = hooks
        party = RelyingParty(url: settings.url)
    }

    /// Bytes of a form.
    static let bodyMax = 64 * 1024

    /// The answer to a request whose path begins with `/.herse/`.
    package func answer(_ request: OwnRequest) -> OwnReply {
        let words = request.path.split(separator: "/", omittingEmptySubsequences: false)
            .dropFirst(2).map(String.init)
        guard request.body.count <= Self.bodyMax else {
            return problem(request, 413, \.badRequest)
        }
        switch words {
        case ["sign-in"]: return reading(request) { choice(request, $0) }
        case ["session"]: return reading(request) { sessionPage(request, $0) }
        case ["sign-out"]: return changing(request) { _ in signOut(request) }
        case ["password"]: return changing(request) { password(request, $0) }
        case ["code"]: return changing(request) { code(request, $0) }
        case ["key"]: return changing(request) { key(request, $0) }
        case ["style.css"]:
            return reading(request) { _ in file(styleSheet, "text/css; charset=utf-8") }
        case ["webauthn.js"]:
            return reading(request) { _ in
                file(webAuthnScript, "text/javascript; charset=utf-8")
            }
        default: break
        }
        if words.count == 2, words[0] == "enrol" {
            let link = words[1]
            return request.method == .post
                ? changing(request) { enrol(request, $0, link) }
                : reading(request) { _ in enrolment(request, link) }
        }
        if words.count == 3, words[0] == "openid",
            let provider = settings.providers.first(where: { areSame($0.name, words[1]) })
        {
            switch words[2] {
            case "start": return reading(request) { start(request, $0, provider) }
            case "callback": return reading(request) { callback(request, $0, provider) }
            case "logout": return providerLogout(request, provider)
            default: break
            }
        }
        return problem(request, 404, \.notFound)
    }

    // MARK: What holds for all

    /// A page that changes nothing: GET or HEAD, with its query.
    private func reading(_ request: OwnRequest, _ body: (Form) -> OwnReply) -> OwnReply {
        guard request.method != .post else { return notAllowed(request, "GET, HEAD") }
        guard let form = try? Form(query: request.query) else {
            return problem(request, 400, \.badRequest)
        }
        return body(form)
    }

    /// A form that changes something: POST, from a page of ours.
    private func changing(_ request: OwnRequest, _ body: (Form) -> OwnReply) -> OwnReply {
        guard request.method == .post else { return notAllowed(request, "POST") }
        guard isOurs(request) else {
            hooks.journal(SignInEvent(.refused, request, "other-origin"))
            return problem(request, 403, \.otherOrigin)
        }
        guard let form = form(of: request) else { return problem(request, 400, \.badRequest) }
        return body(form)
    }

    /// The fields of a request's body; nil when it is no form.
    func form(of request: OwnRequest) -> Form? {
        let type = request.contentType.utf8.prefix { $0 != UInt8(ascii: ";") }
        let name = String(type)?.lowercased().filter { $0 != " " } ?? ""
        // A body of nothing needs no type.
        guard areSame(name, "application/x-www-form-urlencoded") || request.body.isEmpty else {
            return nil
        }
        return try? Form(request.body.span, lengthMax: Self.bodyMax)
    }

    /// Whether a form was sent by one of our pages: no other site's may act for who looks at it.
    private func isOurs(_ request: OwnRequest) -> Bool {
        if !request.origin.isEmpty { return areSame(request.origin, settings.url) }
        return areSame(request.fetchSite, "same-origin")
    }

    func language(_ request: OwnRequest, _ wish: Wish? = nil) -> Language {
        Language.of(chosen: wish?.language?.rawValue, accepted: request.acceptLanguage)
    }

    func reply(_ page: Page, cookies: [String] = [], retryAfter: Int64? = nil) -> OwnReply {
        var fields = page.fields + cookies.map { ("Set-Cookie", $0) }
        if let retryAfter { fields.append(("Retry-After", String(retryAfter))) }
        return OwnReply(status: page.status, fields: fields, body: Array(page.html.utf8))
    }

    func problem(
        _ request: OwnRequest, _ status: Int, _ sentence: KeyPath<Words, String>,
        wish: Wish? = Wish(), cookies: [String] = []
    ) -> OwnReply {
        let language = language(request, wish)
        return reply(
            Page.problem(language, status, language.words[keyPath: sentence], wish: wish),
            cookies: cookies)
    }

    /// Sends the browser on.
    func redirect(_ address: String, cookies: [String] = []) -> OwnReply {
        let fields =
            [(name: "Location", value: address)] + Page.guards
            + cookies.map { (name: "Set-Cookie", value: $0) }
        return OwnReply(status: 303, fields: fields)
    }

    private func notAllowed(_ request: OwnRequest, _ methods: String) -> OwnReply {
        var reply = problem(request, 405, \.badRequest)
        reply.fields.append(("Allow", methods))
        return reply
    }

    private func file(_ text: String, _ type: String) -> OwnReply {
        OwnReply(
            status: 200,
            fields: [
                ("Content-Type", type), ("Cache-Control", "max-age=300"),
                ("X-Content-Type-Options", "nosniff"),
            ], body: Array(text.utf8))
    }

    // MARK: Cookies

    private static let attributes = "; Path=/; Secure; HttpOnly; SameSite=Lax"

    func sessionCookie(_ value: String) -> String {
        "\(CookieName.session)=\(value)\(Self.attributes)"
    }

    static let noSession = "\(CookieName.session)=\(attributes); Max-Age=0"
    static let noTicket = "\(CookieName.signIn)=\(attributes); Max-Age=0"

    /// The cookie of a sign-in under way; nil when it cannot be sealed.
    func cookie(_ ticket: Ticket, now: Int64) -> String? {
        guard let value = ticket.sealed(memory.seal) else { return nil }
        return "\(CookieName.signIn)=\(value)\(Self.attributes); Max-Age=\(ticket.endsAt - now)"
    }

    /// The session a request shows.
    func session(of request: OwnRequest) -> LiveSession? {
        let field = Array(request.cookie.utf8)
        guard let place = SignIn.sessionCookie(in: field.span) else { return nil }
        let value = Array(field[place])
        guard let certificate = request.certificate else {
            return sessions.session(value.span, certificate: nil, now: request.now)
        }
        return sessions.session(value.span, certificate: certificate.span, now: request.now)
    }
}
