// KeyFormTests.swift: forms that ask for a security key.

import Testing

@testable import SignIn

@Suite struct `A form for a security key` {
    private static func form(_ purpose: KeyForm.Purpose, isFrench: Bool = false) -> String {
        KeyForm(
            purpose, action: "/.herse/enrol/a\"b", options: #"{"challenge":"<'&'>"}"#,
            hidden: [(name: "state", value: "1<2")], isFrench: isFrench
        ).html
    }

    @Test func `carries options that cannot end their attribute`() {
        let html = Self.form(.use)
        #expect(html.contains(#"action="/.herse/enrol/a&quot;b""#))
        #expect(html.contains("{&quot;challenge&quot;:&quot;&lt;&#39;&amp;&#39;&gt;&quot;}"))
        #expect(html.contains(#"name="state" value="1&lt;2""#))
    }

    @Test(arguments: [KeyForm.Purpose.register, .use], [true, false])
    func `has all that the script looks for`(purpose: KeyForm.Purpose, isFrench: Bool) {
        let html = Self.form(purpose, isFrench: isFrench)
        for needed in [
            #"method="post""#, #"<input type="hidden" name="credential" value="">"#,
            #"<p role="alert"></p>"#, #"<p role="status"></p>"#, "<noscript>", "disabled>",
        ] { #expect(html.contains(needed)) }
        // Whatever the script may say has its words.
        for word in ["cancelled", "known", "address", "unsupported", "failed"] {
            #expect(webAuthnScript.contains("\"\(word)\""))
            #expect(html.contains(" data-\(word)=\""))
        }
        #expect(html.contains(" data-waiting=\""))
        let verb = purpose == .register ? "create" : "get"
        #expect(html.contains(#"data-webauthn="\#(verb)""#))
        #expect(html.contains(#"name="key_name""#) == (purpose == .register))
    }

    @Test func `has every field labelled`() {
        let html = Self.form(.register)
        #expect(html.contains(#"<label for="key-name">"#) && html.contains(#"id="key-name""#))
        #expect(html.contains(#"aria-describedby="key-help""#) && html.contains(#"id="key-help""#))
    }

    @Test func `speaks either language`() {
        #expect(Self.form(.use, isFrench: true).contains("Utiliser ma clé"))
        #expect(Self.form(.use).contains("Use my key"))
    }

    @Test(arguments: ["innerHTML", "eval(", "fetch(", "localStorage", "document.cookie", "onclick"])
    func `has a script without`(word: String) { #expect(!webAuthnScript.contains(word)) }
}
