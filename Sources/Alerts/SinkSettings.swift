// SinkSettings.swift: one destination of alerts: what it takes, and how it is reached.

package import Outbound

/// One destination, with all that was read for it.
///
/// Two that are equal are the same destination: over a reload it goes on as it was.
package struct SinkSettings: Equatable, Sendable {
    package var name: String
    package var target: AlertTarget
    /// The least bad that is sent.
    package var severity = AlertSeverity.warning
    /// What is sent; nil for everything.
    package var kinds: Set<AlertKind>?
    /// Messages a minute.
    package var rate: Int
    /// Seconds in which alerts of one kind and subject are sent as one.
    package var window: Int64 = 60
    /// Seconds after which an alert that could not be sent is dropped.
    package var keep: Int64 = 86_400

    package init(name: String, target: AlertTarget) {
        self.name = name
        self.target = target
        rate = target.rate
    }

    func takes(_ alert: Alert) -> Bool {
        if let kinds, !kinds.contains(alert.kind) { return false }
        return alert.weight >= severity
    }
}

/// How a destination is reached.
package enum AlertTarget: Equatable, Sendable {
    case syslog(SyslogTarget)
    case webhook(WebhookTarget)
    case mail(MailTarget)

    /// The word of the configuration.
    package var word: String {
        switch self {
        case .syslog: "syslog"
        case .webhook: "webhook"
        case .mail: "mail"
        }
    }

    /// Messages a minute, unless the operator says otherwise: a collector takes many, a person few.
    package var rate: Int {
        switch self {
        case .syslog: 600
        case .webhook: 60
        case .mail: 6
        }
    }
}

/// A syslog collector, RFC 5424.
package struct SyslogTarget: Equatable, Sendable {
    /// What carries the messages.
    package enum Transport: String, CaseIterable, Sendable {
        /// RFC 5425.
        case tls
        /// RFC 6587 §3.4.1, in clear text.
        case tcp
        /// RFC 5426, in clear text, and nobody knows whether it arrives.
        case udp
    }

    package var transport = Transport.tls
    package var stream: StreamTarget
    package var facility = SyslogFacility.authpriv

    package init(stream: StreamTarget) { self.stream = stream }
}

/// Which part of the system a message comes from, RFC 5424 §6.2.1.
package enum SyslogFacility: String, CaseIterable, Sendable {
    case user
    case daemon
    case auth
    case authpriv
    case local0
    case local1
    case local2
    case local3
    case local4
    case local5
    case local6
    case local7

    var number: Int {
        switch self {
        case .user: 1
        case .daemon: 3
        case .auth: 4
        case .authpriv: 10
        case .local0: 16
        case .local1: 17
        case .local2: 18
        case .local3: 19
        case .local4: 20
        case .local5: 21
        case .local6: 22
        case .local7: 23
        }
    }
}

/// An address that takes CloudEvents, signed as Standard Webhooks has it.
package struct WebhookTarget: Equatable, Sendable {
    package var url: String
    /// 24 to 64 bytes, see `webhookSecret(_:)`.
    package var secret: [UInt8]
    package var tls = FetchTLS()

    package init(url: String, secret: [UInt8]) {
        self.url = url
        self.secret = secret
    }
}

/// People who read mail.
package struct MailTarget: Equatable, Sendable {
    /// Who takes the messages.
    package enum Mailer: Equatable, Sendable {
        /// A mail server.
        case server(MailServer)
        /// A program of this machine that takes `-t -i`.
        case program(String)
    }

    package var sender: String
    package var recipients: [String]
    package var mailer: Mailer
    package var language = MailLanguage.english

    package init(sender: String, recipients: [String], mailer: Mailer) {
        self.sender = sender
        self.recipients = recipients
        self.mailer = mailer
    }
}

/// A mail server that takes messages for others, RFC 6409.
package struct MailServer: Equatable, Sendable {
    package var url: String
    package var user: String?
    package var password: String?
    package var allowsClearText = false
    package var tls = FetchTLS()

    package init(url: String) { self.url = url }
}

/// The language mails are written in.
package enum MailLanguage: String, CaseIterable, Sendable {
    case english = "en"
    case french = "fr"
}
