// FeedTarget.swift: who is fed, as an operator writes it.

internal import Outbound

/// A receiver.
package enum FeedTarget: Equatable, Sendable {
    /// A FHIR server that takes AuditEvents; the address before `/AuditEvent`.
    case fhir(String)
    /// A collector of syslog over TLS.
    case syslog(host: String, port: UInt16)

    /// RFC 5425 §4.1.
    private static let syslogPort: UInt16 = 6514

    /// Reads `https://HOST/PATH` or `syslog+tls://HOST[:PORT]`; nil for anything else.
    ///
    /// `http://` only where clear text is allowed by name.
    package init?(_ text: String, allowsClearText: Bool = false) {
        let syslog = "syslog+tls://"
        if text.hasPrefix(syslog) {
            guard let (host, port) = Self.place(String(text.dropFirst(syslog.utf8.count))) else {
                return nil
            }
            self = .syslog(host: host, port: port)
            return
        }
        guard isSecureAddress(text) || allowsClearText && isAddress(text), !text.contains("?")
        else { return nil }
        var address = text
        while address.hasSuffix("/") { address.removeLast() }
        self = .fhir(address)
    }

    /// The same text for the same receiver.
    package var address: String {
        switch self {
        case .fhir(let url): url
        case .syslog(let host, let port):
            "syslog+tls://" + (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
        }
    }

    private static func place(_ text: String) -> (host: String, port: UInt16)? {
        var host = text
        var port = syslogPort
        if let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") {
            let digits = text[text.index(after: colon)...]
            guard let number = UInt16(digits), number > 0, !digits.hasPrefix("+") else {
                return nil
            }
            port = number
            host = String(text[..<colon])
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.utf8.allSatisfy({ isHexadecimal($0) || $0 == 0x3A || $0 == 0x2E }) else {
                return nil
            }
        } else {
            guard
                host.utf8.allSatisfy({
                    $0 == 0x2D || $0 == 0x2E || (0x30...0x39).contains($0)
                        || (0x61...0x7A).contains($0 | 0x20)
                })
            else { return nil }
        }
        return host.isEmpty || host.utf8.count > 253 ? nil : (host, port)
    }
}

private func isHexadecimal(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
}
