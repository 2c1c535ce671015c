// AccountPages.swift: the pages of a session and of a second factor's enrolment.

internal import Identity

/// What the enrolment page shows of an authenticator app.
struct AppOffer {
    /// In base32, as apps take it.
    var secret: String
    /// The address for apps, `otpauth://…`.
    var address: String
}

extension Page {
    /// Who is signed in, how and until when.
    static func session(_ language: Language, _ session: LiveSession?, formOrigin: String?) -> Page
    {
        let words = language.words
        let other: Language = language == .french ? .english : .french
        var page = Page(language: language, title: words.session, body: "")
        page.otherLanguage = "/.herse/session?lang=\(other.rawValue)"
        guard let session else {
            page.body = """
                <p>\(words.noSession)</p>
                <p><a href="/.herse/sign-in">\(words.signIn)</a></p>

                """
            page.status = 401
            return page
        }
        page.formOrigin = formOrigin
        page.body = """
            <dl>
            <dt>\(words.signedInAs)</dt><dd>\(session.professional.description)</dd>
            <dt>\(words.level)</dt><dd>\(session.level.rawValue)</dd>
            <dt>\(words.since)</dt><dd>\(timeText(session.beganAt))</dd>
            <dt>\(words.endsAt)</dt><dd>\(timeText(session.absoluteEnd))</dd>
            </dl>
            <form method="post" action="/.herse/sign-out">
            <p><button type="submit">\(words.signOut)</button></p>
            </form>

            """
        return page
    }

    /// A second factor that is to be enrolled.
    static func enrolment(
        _ language: Language, link: String, account: String, app: AppOffer?, keyOptions: String?,
        alert: String? = nil, status: Int = 200
    ) -> Page {
        let words = language.words
        let action = "/.herse/enrol/\(link)"
        var body: HTML = """
            <p>\(words.enrolFor) <strong>\(account)</strong></p>
            <p>\(words.enrolOneOf)</p>

            """
        if let app {
            body = """
                \(body)<h2>\(words.appHeading)</h2>
                <p>\(words.appHelp)</p>
                <p><a href="\(app.address)">\(words.appLink)</a></p>
                <p>\(words.appSecret) <code>\(app.secret)</code></p>
                <form method="post" action="\(action)">
                <p><label for="code">\(words.appCode)</label>
                <input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" \
                pattern="[0-9]{6}" maxlength="6" required></p>
                <p><button type="submit">\(words.confirm)</button></p>
                </form>

                """
        }
        if let keyOptions {
            let form = KeyForm(
                .register, action: action, options: keyOptions, isFrench: language == .french)
            body = "\(body)<h2>\(words.keyHeading)</h2>\n\(HTML(form))\n"
        }
        var page = Page(language: language, title: words.enrol, body: body)
        page.alert = alert
        page.status = status
        page.hasScript = keyOptions != nil
        return page
    }

    static func enrolled(_ language: Language) -> Page {
        let words = language.words
        let body: HTML = """
            <p role="status">\(words.enrolled)</p>
            <p><a href="/.herse/sign-in">\(words.signIn)</a></p>

            """
        return Page(language: language, title: words.enrol, body: body)
    }
}

/// Seconds since 1970 as RFC 3339 in UTC; the ends of what can be told for times beyond them.
func timeText(_ seconds: Int64) -> String {
    // The years 1970 to 9999.
    let seconds = min(max(seconds, 0), 253_402_300_799)
    let (days, rest) = seconds.quotientAndRemainder(dividingBy: 86_400)
    // Days since 1 March of year 0, in eras of 400 years.
    let shifted = days + 719_468
    let (era, dayOfEra) = shifted.quotientAndRemainder(dividingBy: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    func padded(_ number: Int64, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(width - text.utf8.count, 0)) + text
    }
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
        + "\(padded(rest / 3600, 2)):\(padded(rest / 60 % 60, 2)):\(padded(rest % 60, 2))Z"
}
