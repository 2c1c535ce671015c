// AlertConfigurations.swift: destinations of alerts, as they are read and refused.

import Alerts
import Testing

@testable import Policy

private let syslog = """
    alerts:
      - name: siem
        syslog: {address: "siem.example:6514", authorities: [ca.pem]}

    """
private let webhook = """
    alerts:
      - name: chat
        webhook: {url: "https://chat.example/x", secret_file: hook.key, authorities: [ca.pem]}

    """
private let mail = """
    alerts:
      - name: on-call
        mail: {to: [a@example.org], from: b@example.org, smtp: "smtp://mail.example", authorities: [ca.pem]}

    """

/// The first of what is wrong with some alerts, without its place.
private func complaint(_ alerts: String, _ old: String, _ new: String) -> String? {
    let parts = alerts.split(separator: old, omittingEmptySubsequences: false)
    #expect(parts.count == 2, "`\(old)` must stand once")
    let said = diagnostics(sample + parts.joined(separator: new))
    let line = said.first { $0.contains(": error: ") || $0.contains("clear text") }
    // `h:LINE:COLUMN: error: WHAT`
    return line.map { $0.split(separator: ": ", maxSplits: 2).last.map(String.init) ?? "" }
}

@Suite struct `Destinations of alerts` {
    @Test func `have defaults`() throws {
        let rule = try configuration(sample + syslog).alerts[0]
        #expect(rule.name == "siem")
        #expect(rule.severity == .warning)
        #expect(rule.kinds == nil)
        #expect(rule.rate == nil)
        #expect(rule.window == 60)
        #expect(rule.keep == 86_400)
        guard case .syslog(let target) = rule.target else {
            Issue.record("no syslog")
            return
        }
        #expect(target.address.port == 6514)
        #expect(target.transport == .tls)
        #expect(target.facility == .authpriv)
    }

    @Test func `take every key`() throws {
        let more =
            "    from_severity: debug\n    kinds: [probing, list-stale]\n    rate: 5\n"
            + "    window: 5m\n    keep: 1h\n"
        let rule = try configuration(sample + webhook + more).alerts[0]
        #expect(rule.severity == .debug)
        #expect(rule.kinds == [.probing, .listStale])
        #expect((rule.rate, rule.window, rule.keep) == (5, 300, 3600))
    }

    @Test func `give a mail server the port of its protocol`() throws {
        func url(_ text: String) throws -> String? {
            let some = mail.replacing("smtp://mail.example", with: text)
            guard case .mail(let rule) = try configuration(sample + some).alerts[0].target,
                case .server(let url, _, _, _) = rule.mailer
            else { return nil }
            return url
        }
        #expect(try url("smtp://mail.example") == "smtp://mail.example:587")
        #expect(try url("smtps://mail.example") == "smtps://mail.example:465")
        #expect(try url("smtps://[::1]:25") == "smtps://[::1]:25")
    }

    @Test(arguments: [
        (
            "authorities: [", "transprt: tls, authorities: [",
            "unknown key `transprt` in `syslog` (did you mean `transport`?)"
        ),
        (
            ", authorities: [ca.pem]", "",
            "syslog over TLS needs `authorities` (who signs its certificate; the system's store is never used)"
        ),
        (
            ", authorities: [ca.pem]", ", transport: udp",
            "alerts would be sent in clear text (use TLS, or say `unsafe_cleartext: true`)"
        ),
        (
            ", authorities: [ca.pem]", ", transport: udp, unsafe_cleartext: true",
            "alerts leave this machine in clear text (use TLS)"
        ),
        (
            "authorities: [ca.pem]",
            "authorities: [ca.pem], transport: tcp, unsafe_cleartext: true",
            "`authorities` has no use without TLS"
        ),
        (
            "authorities: [ca.pem]", "authorities: [ca.pem], unsafe_cleartext: true",
            "`unsafe_cleartext` has no use with TLS"
        ),
        (
            "authorities: [ca.pem]", "authorities: [ca.pem], facility: authpri",
            "`facility`: unknown value `authpri` (did you mean `authpriv`?)"
        ),
        ("siem.example:6514", "siem.example:0", "`address`: port 0 cannot be connected to"),
    ])
    func `by syslog are refused where they are wrong`(old: String, new: String, line: String) {
        #expect(complaint(syslog, old, new) == line)
    }

    @Test(arguments: [
        (
            "https://chat.example/x", "http://chat.example/x",
            "`url`: `http://chat.example/x` would be asked in clear text (use https and `authorities`)"
        ),
        (", secret_file: hook.key", "", "`webhook` needs `secret_file`"),
        (
            ", authorities: [ca.pem]", "",
            "an https address needs `authorities` (who signs its certificate; the system's store is never used)"
        ),
    ])
    func `by webhook are refused where they are wrong`(old: String, new: String, line: String) {
        #expect(complaint(webhook, old, new) == line)
    }

    @Test(arguments: [
        (
            "a@example.org", "a b@example.org",
            "`to`: `a b@example.org` is not a mail address (such as on-call@example.fr)"
        ),
        ("a@example.org", "a@-", "`to`: `-` is neither a host name nor an IP address"),
        ("[a@example.org]", "[]", "`to` is empty (who is to read it)"),
        (
            "smtp://mail.example", "mail.example",
            "`smtp`: `mail.example` is not an smtp or smtps URL (such as `smtps://mail.example.fr` or `smtp://mail.example.fr:587`)"
        ),
        (
            "smtp://mail.example", "smtp://me@mail.example",
            "`smtp`: a user name in a URL is not allowed (use `user` and `password_file`)"
        ),
        (
            ", authorities: [ca.pem]", "",
            "STARTTLS needs `authorities` (who signs its certificate; the system's store is never used)"
        ),
        (
            ", authorities: [ca.pem]", ", authorities: [ca.pem], user: x",
            "`user` needs `password_file`"
        ),
        (
            ", authorities: [ca.pem]", ", user: x, password_file: p, unsafe_cleartext: true",
            "the password would be sent in clear text (remove `unsafe_cleartext`, or `user`)"
        ),
        (
            "smtp: \"smtp://mail.example\", authorities: [ca.pem]", "sendmail: sendmail",
            "`sendmail`: `sendmail` is not an absolute path (such as /usr/sbin/sendmail)"
        ),
        (
            "smtp: \"smtp://mail.example\", authorities: [ca.pem]", "language: fr",
            "`mail` needs `smtp` or `sendmail`"
        ),
        (
            "authorities: [ca.pem]", "sendmail: /usr/sbin/sendmail",
            "`smtp` and `sendmail` do not go together (the program has its own settings)"
        ),
    ])
    func `by mail are refused where they are wrong`(old: String, new: String, line: String) {
        #expect(complaint(mail, old, new) == line)
    }

    @Test(arguments: [
        ("    kinds: [test]\n", "`kinds`: a test is sent whatever stands here"),
        ("    rate: 0\n", "`rate`: 0 is out of range (at least 1, at most 6000)"),
        ("    keep: 8d\n", "`keep`: 8d is out of range (at least 1m, at most 7d)"),
        (
            "    mail: {}\n",
            "a destination of alerts has one way to it (make two of it, each with a name)"
        ),
        (
            "  - {name: siem, syslog: {address: x, authorities: [ca.pem]}}\n",
            "duplicate destination of alerts `siem` (first at h:23)"
        ),
        ("  - {name: other}\n", "a destination of alerts needs `syslog`, `webhook` or `mail`"),
    ])
    func `are refused as a whole`(more: String, line: String) {
        let said = diagnostics(sample + syslog + more).filter { $0.contains(": error: ") }
        #expect(said.first?.hasSuffix(": error: " + line) == true, "\(said)")
    }
}
