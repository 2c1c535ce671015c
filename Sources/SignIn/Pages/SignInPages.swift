// SignInPages.swift: the pages on which one signs in: the choice, the password, the second factor.

internal import Identity

/// What was asked for before the pages were shown, and goes along with every form and link.
struct Wish: Equatable, Sendable {
    var to = LocalPath.session
    var level: AssuranceLevel?
    /// Seconds since the proof at most.
    var ageMax: Int64?
    /// Chosen on the page; nil when the browser's preference holds.
    var language: Language?

    /// Seconds of `max_age` that are believed: more says nothing about a session of hours.
    static let ageMaxMax: Int64 = 86_400

    init() {}

    /// Of a query or a form; whatever is no good there is as if it were not.
    init(_ form: Form) {
        to = form["to"].flatMap(LocalPath.init) ?? .session
        level = form["level"].flatMap(AssuranceLevel.init(rawValue:))
        ageMax = form["max_age"].flatMap { text in
            guard text.utf8.count <= 6, let seconds = Int64(text), seconds >= 0 else { return nil }
            return min(seconds, Self.ageMaxMax)
        }
        language = form["lang"].flatMap(Language.init(rawValue:))
    }

    var isStepUp: Bool { level != nil || ageMax != nil }

    var fields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        if to != .session { fields.append(("to", to.text)) }
        if let level { fields.append(("level", level.rawValue)) }
        if let ageMax { fields.append(("max_age", String(ageMax))) }
        if let language { fields.append(("lang", language.rawValue)) }
        return fields
    }

    var hidden: [HTML] {
        fields.map { "<input type=\"hidden\" name=\"\($0.name)\" value=\"\($0.value)\">\n" }
    }

    /// The page where one chooses how to sign in, for this wish.
    var signInAddress: String { address("/.herse/sign-in", fields) }

    func speaking(_ language: Language) -> Wish {
        var wish = self
        wish.language = language
        return wish
    }
}

extension Page {
    /// Which way to sign in.
    static func choice(
        _ language: Language, wish: Wish, providers: [(name: String, label: String)],
        hasAccounts: Bool, alert: String? = nil, status: Int = 200
    ) -> Page {
        let words = language.words
        let ways: [HTML] = providers.map { provider in
            let start = address("/.herse/openid/\(provider.name)/start", wish.fields)
            return "<li><a href=\"\(start)\">\(words.signInWith) \(provider.label)</a></li>\n"
        }
        var body: HTML = wish.isStepUp ? "<p>\(words.stepUp)</p>\n" : ""
        if !ways.isEmpty { body = "\(body)<ul class=\"ways\">\n\(ways)</ul>\n" }
        if hasAccounts {
            let heading: HTML = ways.isEmpty ? "" : "<h2>\(words.localAccount)</h2>\n"
            body = "\(body)\(heading)\(passwordForm(words, wish))"
        }
        if ways.isEmpty, !hasAccounts { body = "\(body)<p>\(words.noWay)</p>\n" }
        var page = Page(language: language, title: words.signIn, body: body)
        page.alert = alert
        page.status = status
        page.otherLanguage = wish.speaking(language == .french ? .english : .french).signInAddress
        return page
    }

    private static func passwordForm(_ words: Words, _ wish: Wish) -> HTML {
        """
        <form method="post" action="/.herse/password">
        \(wish.hidden)<p id="account-help">\(words.localAccountHelp)</p>
        <p><label for="name">\(words.name)</label>
        <input id="name" name="name" autocomplete="username" autocapitalize="none" \
        spellcheck="false" maxlength="64" required aria-describedby="account-help"></p>
        <p><label for="password">\(words.password)</label>
        <input id="password" name="password" type="password" autocomplete="current-password" \
        maxlength="1024" required></p>
        <p><button type="submit">\(words.goOn)</button></p>
        </form>

        """
    }

    /// The code or the key, after the password.
    static func secondFactor(
        _ language: Language, wish: Wish, hasCode: Bool, keyOptions: String?,
        alert: String? = nil, status: Int = 200
    ) -> Page {
        let words = language.words
        var body: HTML = ""
        if hasCode {
            body = """
                <form method="post" action="/.herse/code">
                <p id="code-help">\(words.codeHelp)</p>
                <p><label for="code">\(words.code)</label>
                <input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" \
                pattern="[0-9]{6}" maxlength="6" required aria-describedby="code-help"></p>
                <p><button type="submit">\(words.goOn)</button></p>
                </form>

                """
        }
        if let keyOptions {
            let form = KeyForm(
                .use, action: "/.herse/key", options: keyOptions, isFrench: language == .french)
            let heading: HTML = hasCode ? "<h2>\(words.or)</h2>\n" : ""
            body = "\(body)\(heading)\(HTML(form))\n"
        }
        body = "\(body)<p><a href=\"\(wish.signInAddress)\">\(words.startAgain)</a></p>\n"
        var page = Page(language: language, title: words.secondFactor, body: body)
        page.alert = alert
        page.status = status
        page.hasScript = keyOptions != nil
        return page
    }

    /// That it did not work, and where to begin anew.
    static func problem(
        _ language: Language, _ status: Int, _ sentence: String, wish: Wish? = Wish()
    ) -> Page {
        let words = language.words
        var page = Page(language: language, title: words.problem, body: "")
        if let wish {
            page.body = "<p><a href=\"\(wish.signInAddress)\">\(words.startAgain)</a></p>\n"
        }
        page.alert = sentence
        page.status = status
        return page
    }
}
