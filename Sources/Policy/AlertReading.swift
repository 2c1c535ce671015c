// AlertReading.swift: the keys of alerts: who is told of what, and by which way.

package import Alerts

/// One destination of alerts, as the configuration has it.
package struct AlertRule: Equatable, Sendable {
    /// The way to a destination.
    package enum Target: Equatable, Sendable {
        case syslog(SyslogRule)
        case webhook(WebhookRule)
        case mail(MailRule)
    }

    package let name: String
    package let place: SourceLocation
    package let target: Target
    /// The least bad that is sent.
    package var severity = AlertSeverity.warning
    /// Nil for all.
    package var kinds: Set<AlertKind>?
    /// Messages a minute; nil for what the way to it bears.
    package var rate: Int?
    /// Seconds in which the same is sent once.
    package var window: Int64 = 60
    /// Seconds after which what could not be sent is dropped.
    package var keep: Int64 = 86_400

    /// Destinations of one configuration; each has a thread.
    package static let countMax = 16
}

/// A collector of syslog.
package struct SyslogRule: Equatable, Sendable {
    package var address: Address
    package var transport = SyslogTarget.Transport.tls
    package var facility = SyslogFacility.authpriv
    package var serverName: String?
    package var authorities: [FileReference] = []
    package var clientCertificate: CertificatePair?
}

/// An address that takes events.
package struct WebhookRule: Equatable, Sendable {
    package var url: String
    package var secret: FileReference
    package var authorities: [FileReference] = []
    package var clientCertificate: CertificatePair?
}

/// People, and who takes mail for them.
package struct MailRule: Equatable, Sendable {
    /// Who takes the messages.
    package enum Mailer: Equatable, Sendable {
        case server(url: String, user: String?, password: FileReference?, allowsClearText: Bool)
        /// A program that takes `-t -i`.
        case program(FileReference)
    }

    package var sender: String
    package var recipients: [String]
    package var mailer: Mailer
    package var language = MailLanguage.english
    package var authorities: [FileReference] = []
}

extension Reading {
    private static let alertKeys = [
        "name", "syslog", "webhook", "mail", "from_severity", "kinds", "rate", "window", "keep",
    ]

    func alert(_ value: Value) -> AlertRule? {
        guard
            let fields = Fields(
                value, of: "a destination of alerts", keys: Self.alertKeys, problems: problems)
        else { return nil }
        let name = fields.required("name") { (scalar) throws(Complaint) in try scalar.name() }
        let target = alertTarget(fields)
        guard let name, let target else { return nil }
        var rule = AlertRule(name: name, place: value.place, target: target)
        rule.severity = fields.optional("from_severity", default: rule.severity) {
            (scalar) throws(Complaint) in try scalar.word(AlertSeverity.self)
        }
        if let entry = fields["kinds"] {
            refuseEmpty(entry, hint: "remove it to mean all")
            let kinds = fields.texts("kinds", countMax: AlertKind.allCases.count) {
                (scalar) throws(Complaint) -> AlertKind in
                let kind = try scalar.word(AlertKind.self)
                guard kind != .test else {
                    throw Complaint("a test is sent whatever stands here")
                }
                return kind
            }
            rule.kinds = Set(kinds.map(\.value))
        }
        rule.rate = fields.optional("rate") { (scalar) throws(Complaint) in
            try scalar.number(1...6000)
        }
        rule.window = fields.optional("window", default: rule.window) {
            (scalar) throws(Complaint) in try scalar.seconds(0...3600)
        }
        rule.keep = fields.optional("keep", default: rule.keep) { (scalar) throws(Complaint) in
            try scalar.seconds(60...7 * 86_400)
        }
        return rule
    }

    private func alertTarget(_ fields: Fields) -> AlertRule.Target? {
        let entries = ["syslog", "webhook", "mail"].compactMap { fields[$0] }
        guard let entry = entries.first, entries.count == 1 else {
            problems.error(
                entries.dropFirst().first?.place ?? fields.place,
                entries.isEmpty
                    ? "a destination of alerts needs `syslog`, `webhook` or `mail`"
                    : "a destination of alerts has one way to it",
                hint: entries.isEmpty ? nil : "make two of it, each with a name")
            return nil
        }
        switch entry.key {
        case "syslog": return syslog(entry).map { .syslog($0) }
        case "webhook": return webhook(entry).map { .webhook($0) }
        default: return mail(entry).map { .mail($0) }
        }
    }

    // MARK: Syslog

    private func syslog(_ entry: Entry) -> SyslogRule? {
        let keys = [
            "address", "transport", "authorities", "client_certificate", "server_name", "facility",
            "unsafe_cleartext",
        ]
        guard let fields = Fields(entry.value, of: "`syslog`", keys: keys, problems: problems)
        else { return nil }
        let address = fields.required("address") { (scalar) throws(Complaint) -> Address in
            let address = try hostAndPort(scalar.text, defaultPort: 6514)
            guard address.port != 0 else { throw Complaint("port 0 cannot be connected to") }
            return address
        }
        guard let address else { return nil }
        var rule = SyslogRule(address: address)
        rule.transport = fields.optional("transport", default: rule.transport) {
            (scalar) throws(Complaint) in try scalar.word(SyslogTarget.Transport.self)
        }
        rule.facility = fields.optional("facility", default: rule.facility) {
            (scalar) throws(Complaint) in try scalar.word(SyslogFacility.self)
        }
        rule.serverName = fields.optional("server_name") { (scalar) throws(Complaint) in
            try scalar.host()
        }
        rule.authorities = fileList("authorities", of: fields)
        rule.clientCertificate = fields["client_certificate"].flatMap { clientCertificate($0) }
        let isTLS = rule.transport == .tls
        needAuthorities(fields, isTLS, "syslog over TLS")
        refuseWithoutTLS(["authorities", "client_certificate", "server_name"], fields, isTLS)
        checkClearText(fields, isClear: !isTLS, isLocal: address.isLoopback)
        return rule
    }

    // MARK: Webhooks

    private func webhook(_ entry: Entry) -> WebhookRule? {
        let keys = ["url", "secret_file", "authorities", "client_certificate"]
        guard let fields = Fields(entry.value, of: "`webhook`", keys: keys, problems: problems)
        else { return nil }
        let url = fields.required("url") { (scalar) throws(Complaint) in
            try scalar.webAddress()
        }
        let secret = fields.required("secret_file") { (scalar) throws(Complaint) in
            try secretFile(scalar)
        }
        let authorities = fileList("authorities", of: fields)
        let pair = fields["client_certificate"].flatMap { clientCertificate($0) }
        guard let url, let secret else { return nil }
        needAuthorities(fields, url.isTLS, "an https address")
        refuseWithoutTLS(["authorities", "client_certificate"], fields, url.isTLS)
        return WebhookRule(
            url: url.text, secret: secret, authorities: authorities, clientCertificate: pair)
    }

    // MARK: Mail

    private func mail(_ entry: Entry) -> MailRule? {
        let keys = [
            "to", "from", "smtp", "sendmail", "user", "password_file", "authorities", "language",
            "unsafe_cleartext",
        ]
        guard let fields = Fields(entry.value, of: "`mail`", keys: keys, problems: problems)
        else { return nil }
        if let entry = fields.required("to") { refuseEmpty(entry, hint: "who is to read it") }
        let recipients = fields.texts("to", countMax: 32) { (scalar) throws(Complaint) in
            try scalar.mailAddress()
        }.map(\.value)
        let sender = fields.required("from") { (scalar) throws(Complaint) in
            try scalar.mailAddress()
        }
        guard let mailer = mailer(fields), let sender else { return nil }
        var rule = MailRule(sender: sender, recipients: recipients, mailer: mailer)
        rule.language = fields.optional("language", default: rule.language) {
            (scalar) throws(Complaint) in try scalar.word(MailLanguage.self)
        }
        rule.authorities = fileList("authorities", of: fields)
        return rule
    }

    private func mailer(_ fields: Fields) -> MailRule.Mailer? {
        if let entry = fields["sendmail"] {
            for key in ["smtp", "user", "password_file", "authorities", "unsafe_cleartext"] {
                guard let other = fields[key] else { continue }
                problems.error(
                    other.place, "`\(key)` and `sendmail` do not go together",
                    hint: "the program has its own settings")
            }
            return scalar(entry.value, called: "sendmail", problems) {
                (scalar) throws(Complaint) in .program(try program(scalar))
            }
        }
        guard fields["smtp"] != nil else {
            problems.error(fields.place, "`mail` needs `smtp` or `sendmail`")
            return nil
        }
        let server = fields.required("smtp") { (scalar) throws(Complaint) in
            try scalar.mailServer()
        }
        let user = fields.optional("user") { (scalar) throws(Complaint) in try scalar.line() }
        let password = fields.optional("password_file") { (scalar) throws(Complaint) in
            try secretFile(scalar)
        }
        for (key, other) in [("user", "password_file"), ("password_file", "user")] {
            guard let entry = fields[key], fields[other] == nil else { continue }
            problems.error(entry.place, "`\(key)` needs `\(other)`")
        }
        guard let server else { return nil }
        let isClear = !server.isTLS && allowsClearText(fields)
        if isClear, let entry = fields["user"] {
            problems.error(
                entry.place, "the password would be sent in clear text",
                hint: "remove `unsafe_cleartext`, or `user`")
        }
        if server.isTLS || isClear {
            checkClearText(fields, isClear: isClear, isLocal: server.isLocal)
        }
        needAuthorities(fields, !isClear, server.isTLS ? "smtps" : "STARTTLS")
        refuseWithoutTLS(["authorities"], fields, !isClear)
        return .server(
            url: server.text, user: user, password: password, allowsClearText: isClear)
    }

    /// A program's absolute path.
    private func program(_ scalar: Scalar) throws(Complaint) -> FileReference {
        guard scalar.text.hasPrefix("/") else {
            throw Complaint(
                "\(quoted(scalar.text)) is not an absolute path", hint: "such as /usr/sbin/sendmail"
            )
        }
        return try file(scalar)
    }

    // MARK: What they have in common

    private func needAuthorities(_ fields: Fields, _ isTLS: Bool, _ what: String) {
        guard isTLS, isEmptyList(fields["authorities"]) || fields["authorities"] == nil else {
            return
        }
        problems.error(
            fields.place(of: "authorities"), "\(what) needs `authorities`",
            hint: "who signs its certificate; the system's store is never used")
    }

    private func refuseWithoutTLS(_ keys: [String], _ fields: Fields, _ isTLS: Bool) {
        if isTLS { return }
        for key in keys {
            guard let entry = fields[key] else { continue }
            problems.error(entry.place, "`\(key)` has no use without TLS")
        }
    }

    private func allowsClearText(_ fields: Fields) -> Bool {
        fields.optional("unsafe_cleartext", default: false) { (scalar) throws(Complaint) in
            try scalar.truth()
        }
    }

    /// Whoever listens on the way reads whom Herse cuts off, and may make alerts of their own.
    private func checkClearText(_ fields: Fields, isClear: Bool, isLocal: Bool) {
        let isAllowed = allowsClearText(fields)
        if isClear, !isAllowed {
            problems.error(
                fields.place, "alerts would be sent in clear text",
                hint: "use TLS, or say `unsafe_cleartext: true`")
        } else if isClear, !isLocal {
            problems.warning(
                fields.place(of: "unsafe_cleartext"),
                "alerts leave this machine in clear text", hint: "use TLS")
        } else if !isClear, isAllowed {
            problems.error(
                fields.place(of: "unsafe_cleartext"), "`unsafe_cleartext` has no use with TLS")
        }
    }
}

/// A mail server's address, as it was written.
struct MailServerAddress {
    let text: String
    let isTLS: Bool
    let isLocal: Bool
}

extension Scalar {
    /// `smtp://HOST[:PORT]`, with STARTTLS, or `smtps://HOST[:PORT]`; port 587 or 465.
    fileprivate func mailServer() throws(Complaint) -> MailServerAddress {
        let example = "such as `smtps://mail.example.fr` or `smtp://mail.example.fr:587`"
        let isTLS = text.hasPrefix("smtps://")
        guard isTLS || text.hasPrefix("smtp://") else {
            throw Complaint("\(quoted(text)) is not an smtp or smtps URL", hint: example)
        }
        let authority = String(text.dropFirst(isTLS ? 8 : 7))
        guard !authority.contains("@") else {
            throw Complaint(
                "a user name in a URL is not allowed", hint: "use `user` and `password_file`")
        }
        let address = try hostAndPort(authority, defaultPort: isTLS ? 465 : 587)
        guard address.port != 0 else { throw Complaint("port 0 cannot be connected to") }
        return MailServerAddress(
            text: "\(isTLS ? "smtps" : "smtp")://\(address)", isTLS: isTLS,
            isLocal: address.isLoopback)
    }

    /// `somebody@example.fr`, without a name or comment; RFC 5321 §4.1.2, in ASCII.
    fileprivate func mailAddress() throws(Complaint) -> String {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let marks = "!#$%&'*+-/=?^_`{|}~".utf8
        let isNamed =
            parts.count == 2 && (1...64).contains(parts[0].utf8.count) && text.utf8.count <= 254
            && parts[0].split(separator: ".", omittingEmptySubsequences: false).allSatisfy { word in
                !word.isEmpty
                    && word.utf8.allSatisfy { isLetter($0) || isDigit($0) || marks.contains($0) }
            }
        guard isNamed else {
            throw Complaint(
                "\(quoted(text)) is not a mail address", hint: "such as on-call@example.fr")
        }
        _ = try Scalar(text: String(parts[1]), isQuoted: false, place: place).host()
        return text
    }
}
