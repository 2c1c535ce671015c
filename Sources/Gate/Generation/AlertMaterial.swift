// AlertMaterial.swift: what destinations of alerts need of files: authorities, certificates, secrets.

internal import Alerts
internal import Outbound
internal import Policy
internal import Wire

extension MaterialLoader {
    /// A destination with all it needs; nil, and an error, when something is missing.
    mutating func load(_ rule: AlertRule) -> SinkSettings? {
        let target: AlertTarget?
        switch rule.target {
        case .syslog(let rule): target = load(rule)
        case .webhook(let rule): target = load(rule)
        case .mail(let rule): target = load(rule)
        }
        guard let target else { return nil }
        var settings = SinkSettings(name: rule.name, target: target)
        settings.severity = rule.severity
        settings.kinds = rule.kinds
        settings.rate = rule.rate ?? settings.rate
        settings.window = rule.window
        settings.keep = rule.keep
        return settings
    }

    private mutating func load(_ rule: SyslogRule) -> AlertTarget? {
        var stream = StreamTarget(host: rule.address.hostText, port: rule.address.port)
        stream.isTLS = rule.transport == .tls
        stream.serverName = rule.serverName
        guard let tls = loadTLS(rule.authorities, rule.clientCertificate) else { return nil }
        stream.tls = tls
        var target = SyslogTarget(stream: stream)
        target.transport = rule.transport
        target.facility = rule.facility
        return .syslog(target)
    }

    private mutating func load(_ rule: WebhookRule) -> AlertTarget? {
        let tls = loadTLS(rule.authorities, rule.clientCertificate)
        guard let secret = readWhole(rule.secret.path, bytesMax: 1024).flatMap(webhookSecret)
        else {
            error(
                rule.secret.place, "`\(rule.secret.path)` has no key for a webhook",
                "base64 of 24 to 64 bytes: `openssl rand -base64 32`")
            return nil
        }
        guard let tls else { return nil }
        var target = WebhookTarget(url: rule.url, secret: secret)
        target.tls = tls
        return .webhook(target)
    }

    private mutating func load(_ rule: MailRule) -> AlertTarget? {
        let mailer: MailTarget.Mailer
        switch rule.mailer {
        case .program(let file):
            guard isProgram(file.path) else {
                error(file.place, "`\(file.path)` cannot be run", "a program that takes `-t -i`")
                return nil
            }
            mailer = .program(file.path)
        case .server(let url, let user, let password, let allowsClearText):
            var server = MailServer(url: url)
            server.allowsClearText = allowsClearText
            guard let tls = loadTLS(rule.authorities, nil) else { return nil }
            server.tls = tls
            server.user = user
            if let password {
                guard let line = readLine(of: password.path) else {
                    error(
                        password.place, "`\(password.path)` has no password",
                        "one line of at most 256 bytes, readable by the gate alone")
                    return nil
                }
                server.password = line
            }
            mailer = .server(server)
        }
        var target = MailTarget(
            sender: rule.sender, recipients: rule.recipients, mailer: mailer)
        target.language = rule.language
        return .mail(target)
    }

    /// Authorities in one piece, so that a file replaced later changes nothing before a reload.
    mutating func loadTLS(
        _ authorities: [FileReference], _ pair: CertificatePair?
    ) -> FetchTLS? {
        var tls = FetchTLS()
        var isWhole = true
        for file in authorities {
            let found = attempt(file) { () throws(TLSMaterialError) in
                try readCertificates(file.path)
            }
            guard found != nil, let bytes = readWhole(file.path) else {
                isWhole = false
                continue
            }
            tls.authoritiesPEM += bytes + [UInt8(ascii: "\n")]
        }
        if let pair {
            if load(pair) == nil { isWhole = false }
            tls.certificate = pair.certificate.path
            tls.privateKey = pair.privateKey.path
        }
        return isWhole ? tls : nil
    }
}

/// The one line of a file that holds a secret.
private func readLine(of path: String) -> String? {
    guard let bytes = readWhole(path, bytesMax: 1024) else { return nil }
    let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    let rest = bytes.dropFirst(line.count)
    guard (1...256).contains(line.count), rest.allSatisfy({ $0 == 0x0A || $0 == 0x0D }),
        line.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
    else { return nil }
    return String(decoding: line, as: UTF8.self)
}
