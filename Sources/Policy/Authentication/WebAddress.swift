// WebAddress.swift: addresses the gate itself asks: an issuer's, a revocation list's, a responder's.

/// An address the gate asks, as it was written.
struct WebAddress {
    let text: String
    let isTLS: Bool
}

extension Scalar {
    static let addressExample = "such as `https://auth.example.fr/keys`"

    /// `http://HOST[:PORT][/PATH][?QUERY]`, or https; at most 1,024 printable characters.
    ///
    /// In clear text only to this machine, unless `isSigned` says that what is fetched proves
    /// itself, as revocation lists do.
    func webAddress(isSigned: Bool = false) throws(Complaint) -> WebAddress {
        let isTLS = text.hasPrefix("https://")
        guard isTLS || text.hasPrefix("http://") else {
            throw Complaint(
                "\(quoted(text)) is not an http or https URL", hint: Self.addressExample)
        }
        guard text.utf8.count <= 1024 else { throw Complaint("longer than 1024 bytes") }
        if let bad = text.unicodeScalars.first(where: { !isAddressScalar($0) }) {
            throw Complaint(
                "\(quoted(text)) has \(quoted(String(bad))), which no URL may",
                hint: "percent-encode it")
        }
        guard !text.contains("#") else {
            throw Complaint(
                "\(quoted(text)) has a fragment", hint: "nothing after `#` is ever sent")
        }
        let authority = text.dropFirst(isTLS ? 8 : 7).prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else {
            throw Complaint("a user name in a URL is not allowed", hint: Self.addressExample)
        }
        let address = try hostAndPort(String(authority), defaultPort: isTLS ? 443 : 80)
        guard address.port != 0 else { throw Complaint("port 0 cannot be connected to") }
        guard isTLS || isSigned || address.isLoopback else {
            throw Complaint(
                "\(quoted(text)) would be asked in clear text", hint: "use https and `authorities`")
        }
        return WebAddress(text: text, isTLS: isTLS)
    }

    /// `https://HOST[:PORT]` and nothing behind, as a browser writes an origin: in lower case,
    /// without the port that goes without saying.
    func origin() throws(Complaint) -> String {
        let example = "such as `https://gate.example.fr`"
        guard text.hasPrefix("https://") else {
            throw Complaint("\(quoted(text)) is not an https URL", hint: example)
        }
        let rest = text.dropFirst(8)
        guard !rest.contains("@") else {
            throw Complaint("a user name in a URL is not allowed", hint: example)
        }
        if let index = rest.firstIndex(where: { "/?#".contains($0) }) {
            throw Complaint(
                "\(quoted(String(rest[index...]))) after the host is not allowed",
                hint: "the pages stand under `/.herse/` of this address")
        }
        let address = try hostAndPort(String(rest), defaultPort: 443)
        guard address.port != 0 else { throw Complaint("port 0 cannot be connected to") }
        let host = address.hostText.lowercased()
        let shown: String
        if case .ipv6 = address.host { shown = "[\(host)]" } else { shown = host }
        return "https://" + shown + (address.port == 443 ? "" : ":\(address.port)")
    }

    /// One word of printable ASCII, compared byte by byte: an audience, a scope, an `acr`.
    func token(lengthMax: Int = 256) throws(Complaint) -> String {
        let isWord = text.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        guard isWord, (1...lengthMax).contains(text.utf8.count) else {
            throw Complaint(
                "\(quoted(text)) is not a word",
                hint: "1 to \(lengthMax) printable ASCII characters without blanks, `\"` and `\\`")
        }
        return text
    }

    /// A duration in whole seconds.
    func seconds(_ range: ClosedRange<Int64>) throws(Complaint) -> Int64 {
        // A range that began with a part of a second would let milliseconds in.
        try duration(.seconds(range.lowerBound) ... .seconds(range.upperBound)).components.seconds
    }
}

/// RFC 3986 §2: unreserved, reserved and `%`; what a shell or a log would stumble over is not.
private func isAddressScalar(_ scalar: Unicode.Scalar) -> Bool {
    guard scalar.isASCII, scalar.value > 0x20, scalar.value < 0x7F else { return false }
    return !"\"<>\\^`{|}".unicodeScalars.contains(scalar)
}
