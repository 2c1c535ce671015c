// FormTests.swift: alerts as syslog, events and mail have them.

import JSON
import Testing

@testable import Alerts

private func notice(
    _ text: String = "root neutralized account:1", count: Int = 1, dropped: Int = 0,
    facts: [AlertFact] = [AlertFact(.by, "root")], subject: String = "account:1"
) -> AlertNotice {
    AlertNotice(
        alert: Alert(
            .neutralized, .warning, subject: subject, text, facts: facts,
            incident: "0123456789abcdef", at: 1_795_514_400_123),
        count: count, since: 1_795_514_340_000, dropped: dropped, host: "gate1")
}

@Suite struct `A message of syslog` {
    @Test func `has the form of RFC 5424`() {
        let bytes = syslogMessage(notice(), .authpriv, process: 42)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(
            text == "<84>1 2026-11-24T10:00:00.123Z gate1 herse 42 neutralized "
                + "[herse@32473 incident=\"0123456789abcdef\" subject=\"account:1\" by=\"root\"] "
                + "\u{FEFF}root neutralized account:1")
    }

    @Test func `says how often, and what was lost`() {
        let text = String(
            decoding: syslogMessage(notice(count: 3, dropped: 2), .local3, process: 1),
            as: UTF8.self)
        #expect(text.hasPrefix("<156>1 "))
        #expect(text.contains(#" count="3" since="2026-11-24T09:59:00.000Z" dropped="2"] "#))
        #expect(
            text.hasSuffix(
                "(3 times since 2026-11-24T09:59:00.000Z) (2 other alerts were dropped before)"))
    }

    @Test func `escapes what would end a value`() {
        let facts = [AlertFact(.ticket, #"a"b]c\d"#)]
        let text = String(
            decoding: syslogMessage(notice(facts: facts), .user, process: 1), as: UTF8.self)
        #expect(text.contains(#"ticket="a\"b\]c\\d"] "#))
    }

    @Test func `is framed by its length in bytes`() {
        #expect(octetCounted(Array("é".utf8)) == Array("2 é".utf8))
    }

    @Test func `is never longer than what collectors must take`() {
        let long = String(repeating: "\"", count: 5000)
        let facts = FactName.allCases.map { AlertFact($0, long) }
        let bytes = syslogMessage(
            notice(long, count: 9, facts: facts, subject: long), .user, process: 1)
        #expect(bytes.count < 8192)
    }
}

@Suite struct `A webhook` {
    @Test func `signs as Standard Webhooks shows it`() throws {
        let secret = try #require(
            webhookSecret(Array("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n".utf8)))
        let body = Array(#"{"test": 2432232314}"#.utf8)
        #expect(
            webhookSignature("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body, secret)
                == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test(arguments: [
        "", "whsec_", "c2hvcnQ=", "not base64 at all, whatever one may say", "AAAA",
        String(repeating: "A", count: 92),
    ])
    func `has no key that is none`(text: String) {
        #expect(webhookSecret(Array(text.utf8)) == nil)
    }

    @Test func `carries an event`() throws {
        let bytes = cloudEvent(notice(count: 2))
        let event = try JSONValue(bytes.span)
        #expect(event["specversion"]?.text == "1.0")
        #expect(event["id"]?.text == "0123456789abcdef")
        #expect(event["source"]?.text == "/herse/gate1")
        #expect(event["type"]?.text == "herse.alert.neutralized")
        #expect(event["time"]?.text == "2026-11-24T10:00:00.123Z")
        #expect(event["subject"]?.text == "account:1")
        let data = try #require(event["data"])
        #expect(data["severity"]?.text == "warning")
        #expect(data["count"]?.integer == 2)
        #expect(data["facts"]?["by"]?.text == "root")
        #expect(data["text"]?.text == "root neutralized account:1")
    }
}

@Suite struct `A mail` {
    private func target(_ language: MailLanguage = .english) -> MailTarget {
        var target = MailTarget(
            sender: "herse@example.org", recipients: ["a@example.org", "b@example.org"],
            mailer: .program("/bin/true"))
        target.language = language
        return target
    }

    private func lines(_ notice: AlertNotice, _ language: MailLanguage = .english) -> [String] {
        String(decoding: mailMessage(notice, target(language), lineEnd: "\n"), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    @Test func `says severity and kind in its subject, and the facts in its body`() {
        let lines = lines(notice())
        #expect(
            lines.prefix(10) == [
                "From: Herse <herse@example.org>", "To: a@example.org,", " b@example.org",
                "Subject: [Herse gate1] warning: Somebody was neutralized (neutralized)",
                "Date: Tue, 24 Nov 2026 10:00:00 +0000",
                "Message-ID: <0123456789abcdef.1795514400123@example.org>",
                "Auto-Submitted: auto-generated", "MIME-Version: 1.0",
                "Content-Type: text/plain; charset=UTF-8",
                "Content-Transfer-Encoding: quoted-printable",
            ])
        #expect(lines.contains("root neutralized account:1"))
        #expect(lines.contains("By        root"))
    }

    @Test func `is in French where that is wanted`() {
        let lines = lines(notice(), .french)
        #expect(lines.contains("Gravit=C3=A9   avertissement (4)"))
        #expect(lines.contains("Neutralisation prononc=C3=A9e."))
    }

    @Test func `cannot be given a header by what it tells`() {
        let evil = "x\r\nBcc: thief@example.org\r\n\r\nbody"
        let text = lines(notice(evil, facts: [AlertFact(.by, evil)], subject: evil))
        #expect(!text.contains { $0.hasPrefix("Bcc:") })
        let head = text.prefix { !$0.isEmpty }
        #expect(head.allSatisfy { $0.hasPrefix(" ") || $0.contains(": ") })
    }

    @Test func `has no line that is too long, whatever it tells`() {
        let long = String(repeating: "é\u{1F469}", count: 300)
        for line in lines(notice(long, facts: [AlertFact(.by, long)], subject: long), .french) {
            #expect(line.utf8.count <= 78, "\(line)")
        }
    }

    @Test(arguments: [
        ("plain", ["plain"]), ("a=b", ["a=3Db"]), ("end ", ["end=20"]), (".", ["=2E"]),
        ("é", ["=C3=A9"]), ("", [""]),
        (String(repeating: "x", count: 76), [String(repeating: "x", count: 75) + "=", "x"]),
    ])
    func `is quoted-printable`(line: String, quoted: [String]) {
        #expect(quotedPrintable(line) == quoted)
    }

    @Test func `encodes a header that is not ASCII, word by word`() {
        #expect(headerText("plain", after: 9, lineEnd: "\n") == "plain")
        #expect(headerText("é", after: 9, lineEnd: "\n") == "=?UTF-8?B?w6k=?=")
        let words = headerText(String(repeating: "é", count: 40), after: 9, lineEnd: "\n")
        #expect(words.split(separator: "\n").allSatisfy { $0.utf8.count <= 76 })
        // What looks like an encoded word is none of ours.
        #expect(headerText("=?x?", after: 9, lineEnd: "\n") == "=?UTF-8?B?PT94Pw==?=")
    }

    @Test(arguments: MailLanguage.allCases, AlertKind.allCases)
    func `has a title for every kind`(language: MailLanguage, kind: AlertKind) {
        let title = MailWords(language).title(kind)
        #expect(!title.isEmpty && !title.hasSuffix("."))
    }

    @Test func `has a French word for every fact`() {
        for name in FactName.allCases where name != .sessions && name != .ticket {
            #expect(MailWords(.french).label(name.rawValue) != name.rawValue)
        }
    }
}
