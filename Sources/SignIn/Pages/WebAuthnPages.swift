// WebAuthnPages.swift: forms that register a security key and use one, in French and English.
//
// Fragments, for a page to put in its `<main>`. Without a script they say that one is needed;
// what goes wrong is written where screen readers announce it.

/// A form that asks the browser for a key.
package struct KeyForm: Sendable {
    /// What the key is for.
    package enum Purpose: Sendable {
        /// A new key; the form has a field `key_name` too.
        case register
        /// A key of the account.
        case use
    }

    package var purpose: Purpose
    /// Where the field `credential` is sent, with `hidden`.
    package var action: String
    /// What ``WebAuthn`` offers the browser, as JSON.
    package var options: String
    package var hidden: [(name: String, value: String)]
    /// English otherwise.
    package var isFrench: Bool

    package init(
        _ purpose: Purpose, action: String, options: String,
        hidden: [(name: String, value: String)] = [], isFrench: Bool
    ) {
        self.purpose = purpose
        self.action = action
        self.options = options
        self.hidden = hidden
        self.isFrench = isFrench
    }

    /// What the page's head needs for the form to work, once.
    package static let script = "<script src=\"/.herse/webauthn.js\" defer></script>"

    /// The form; the text of one page, which has one such form.
    package var html: String {
        let words = isFrench ? KeyWords.french : KeyWords.english
        var lines = [
            "<form method=\"post\" action=\"\(escaped(action))\" data-webauthn=\"\(verb)\"",
            " data-options=\"\(escaped(options))\"",
        ]
        for (name, text) in words.messages { lines.append(" data-\(name)=\"\(escaped(text))\"") }
        lines[lines.count - 1] += ">"
        for (name, value) in hidden + [(name: "credential", value: "")] {
            lines.append(
                "<input type=\"hidden\" name=\"\(escaped(name))\" value=\"\(escaped(value))\">")
        }
        switch purpose {
        case .register:
            lines.append(
                """
                <p id="key-help">\(escaped(words.registering))</p>
                <p><label for="key-name">\(escaped(words.name))</label>
                <input id="key-name" name="key_name" maxlength="40" autocomplete="off" required></p>
                """)
        case .use:
            lines.append("<p id=\"key-help\">\(escaped(words.using))</p>")
        }
        let button = purpose == .register ? words.register : words.use
        lines.append(
            """
            <p role="alert"></p>
            <p role="status"></p>
            <noscript><p>\(escaped(words.scriptless))</p></noscript>
            <p><button type="submit" aria-describedby="key-help" disabled>\(escaped(button))</button></p>
            </form>
            """)
        return lines.joined(separator: "\n")
    }

    private var verb: String {
        switch purpose {
        case .register: "create"
        case .use: "get"
        }
    }
}

/// What the forms say, and the script for them.
private struct KeyWords {
    var registering: String
    var using: String
    var name: String
    var register: String
    var use: String
    var scriptless: String
    /// By the name of the attribute that holds them.
    var messages: [(name: String, text: String)]

    static let english = KeyWords(
        registering: """
            Plug in your security key or have your device ready. Your browser will ask for its \
            PIN, or for your fingerprint or face.
            """,
        using: "Have your security key or device ready. Your browser will ask for it.",
        name: "A name for this key, to tell it from your others",
        register: "Register the key",
        use: "Use my key",
        scriptless: "Security keys need JavaScript. Allow it for this site, then reload the page.",
        messages: [
            ("waiting", "Waiting for your key…"),
            ("cancelled", "No key answered: it was cancelled, or it took too long. Try again."),
            ("known", "This key is registered already. Use another one."),
            ("address", "The browser refuses to use a key at this address. Call your support."),
            ("unsupported", "This browser or this key cannot be used here. Try another one."),
            ("failed", "The key could not be used. Try again."),
        ])

    static let french = KeyWords(
        registering: """
            Branchez votre clé de sécurité ou préparez votre appareil. Votre navigateur vous \
            demandera son code PIN, ou votre empreinte ou votre visage.
            """,
        using: """
            Préparez votre clé de sécurité ou votre appareil. Votre navigateur vous le demandera.
            """,
        name: "Un nom pour cette clé, pour la distinguer des autres",
        register: "Enregistrer la clé",
        use: "Utiliser ma clé",
        scriptless: """
            Les clés de sécurité ont besoin de JavaScript. Autorisez-le pour ce site, puis \
            rechargez la page.
            """,
        messages: [
            ("waiting", "En attente de votre clé…"),
            ("cancelled", "Aucune clé n’a répondu : annulation, ou délai dépassé. Réessayez."),
            ("known", "Cette clé est déjà enregistrée. Utilisez-en une autre."),
            ("address", "Le navigateur refuse les clés à cette adresse. Appelez votre support."),
            ("unsupported", "Ce navigateur ou cette clé ne convient pas. Essayez-en un autre."),
            ("failed", "La clé n’a pas pu être utilisée. Réessayez."),
        ])
}

/// `text` as HTML, in an attribute or between tags.
private func escaped(_ text: String) -> String {
    var html = ""
    for character in text.unicodeScalars {
        switch character {
        case "&": html += "&amp;"
        case "<": html += "&lt;"
        case ">": html += "&gt;"
        case "\"": html += "&quot;"
        case "'": html += "&#39;"
        default: html.unicodeScalars.append(character)
        }
    }
    return html
}
