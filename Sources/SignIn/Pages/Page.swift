// Page.swift: the frame of every page, and the fields it is sent with.

/// One page.
struct Page: Sendable {
    var language: Language
    var title: String
    var body: HTML
    var status = 200
    /// Said first, where screen readers announce it.
    var alert: String?
    /// Whether it has a form for security keys.
    var hasScript = false
    /// An origin besides this one's that a form of it may lead to.
    var formOrigin: String?
    /// Where the same page stands in the other language; nil when it came of a form.
    var otherLanguage: String?

    /// What goes into the answer's body.
    var html: String {
        let words = language.words
        let other: Language = language == .french ? .english : .french
        let switching: HTML =
            otherLanguage.map {
                """
                <a href="\($0)" lang="\(other.rawValue)" hreflang="\(other.rawValue)">\
                \(words.otherLanguage)</a>
                """
            } ?? ""
        let warning: HTML = alert.map { "<p role=\"alert\">\($0)</p>\n" } ?? ""
        let script: HTML = hasScript ? .keyScript : ""
        let page: HTML = """
            <!doctype html>
            <html lang="\(language.rawValue)">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(title) – Herse</title>
            <link rel="stylesheet" href="/.herse/style.css">
            \(script)
            </head>
            <body>
            <header><a class="skip" href="#content">\(words.skip)</a>\(switching)</header>
            <main id="content">
            <h1>\(title)</h1>
            \(warning)\(body)
            </main>
            </body>
            </html>

            """
        return page.text
    }

    var fields: [(name: String, value: String)] {
        var policy = "default-src 'none'; style-src 'self'; form-action 'self'"
        if let formOrigin { policy += " \(formOrigin)" }
        policy += "; frame-ancestors 'none'; base-uri 'none'"
        if hasScript { policy += "; script-src 'self'" }
        return [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Language", language.rawValue),
            ("Content-Security-Policy", policy),
        ] + Page.guards
    }

    /// What every answer of the desk has.
    ///
    /// Not `no-referrer`: under it browsers send forms with `Origin: null`, which is what forms of
    /// strangers come with, too. `same-origin` tells other sites as little.
    static let guards: [(name: String, value: String)] = [
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "same-origin"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ]
}
