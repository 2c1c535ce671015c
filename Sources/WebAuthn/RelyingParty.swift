// RelyingParty.swift: for whom a security key signs, WebAuthn Level 3 §4.

/// The site that a key is registered with.
package struct RelyingParty: Equatable, Sendable {
    /// The host's name, without port: `gate.example.fr`.
    package var id: String
    /// The origin browsers send: `https://gate.example.fr:8443`.
    package var origin: String
    /// What an authenticator calls the site when it asks its holder.
    package var name: String

    package init(id: String, origin: String, name: String = "Herse") {
        self.id = id
        self.origin = origin
        self.name = name
    }

    /// The site at `url`, as operators write it: `https://gate.example.fr:8443`, nothing behind.
    ///
    /// Nil when it is no origin that browsers would send in these very bytes: another scheme, an
    /// upper-case letter, the default port spelt out, an address instead of a name (§5.1.2: an
    /// identifier is a domain).
    package init?(url: String) {
        let scheme = "https://"
        guard url.hasPrefix(scheme) else { return nil }
        let rest = url.utf8.dropFirst(scheme.utf8.count)
        let parts = rest.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count <= 2, let host = parts.first, Self.isDomain(host) else { return nil }
        if parts.count == 2 {
            guard let port = Int(String(decoding: parts[1], as: UTF8.self)),
                (1...65_535).contains(port), port != 443, parts[1].elementsEqual("\(port)".utf8)
            else { return nil }
        }
        self.init(id: String(decoding: host, as: UTF8.self), origin: url)
    }

    private static func isDomain(_ host: Substring.UTF8View) -> Bool {
        let labels = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...253).contains(host.count), let last = labels.last else { return false }
        let isSound = labels.allSatisfy { label in
            (1...63).contains(label.count) && label.first != UInt8(ascii: "-")
                && label.last != UInt8(ascii: "-")
                && label.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"),
                        UInt8(ascii: "-"):
                        true
                    default: false
                    }
                }
        }
        // A last label of digits makes an address of the whole (URL standard, "ends in a number").
        return isSound && !last.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
