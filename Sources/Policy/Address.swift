// Address.swift: where to listen and where to connect, read from text, never resolved here.

/// A host and a port.
package struct Address: Hashable, Sendable, CustomStringConvertible {
    /// The host of an address: an IP address or a name.
    package enum Host: Hashable, Sendable {
        /// Four bytes, network order.
        case ipv4([UInt8])
        /// Sixteen bytes, network order.
        case ipv6([UInt8])
        /// A name of the DNS, RFC 1123 §2.1; resolved by whoever connects.
        case name(String)
    }

    package let host: Host
    /// The host as it was written, without brackets.
    package let hostText: String
    package let port: UInt16

    package var description: String {
        if case .ipv6 = host { return "[\(hostText)]:\(port)" }
        return "\(hostText):\(port)"
    }

    /// Whether what is sent there stays on this machine.
    package var isLoopback: Bool {
        switch host {
        case .ipv4(let bytes): bytes.first == 127
        case .ipv6(let bytes): bytes == Array(repeating: 0, count: 15) + [1]
        case .name(let name): name == "localhost"
        }
    }
}

/// One address of an identity server.
package struct IdentityServerEndpoint: Hashable, Sendable {
    package let address: Address
    package let isTLS: Bool
    package let place: SourceLocation
}

extension Scalar {
    /// `host:port` or `[v6]:port`; the host an IP address or `localhost`, port 0 any free one.
    func listenerAddress() throws(Complaint) -> Address {
        let address = try hostAndPort(text, defaultPort: nil)
        if case .name(let name) = address.host {
            // Never looked up: RFC 6761 §6.3 has it mean this machine.
            if name == "localhost" {
                return Address(
                    host: .ipv4([127, 0, 0, 1]), hostText: "127.0.0.1", port: address.port)
            }
            throw Complaint(
                "\(quoted(name)) is not an IP address",
                hint: "such as `127.0.0.1:8443` or `[::]:8443`")
        }
        return address
    }

    /// `http://host[:port]` or `https://host[:port]`, with nothing behind.
    func endpoint() throws(Complaint) -> IdentityServerEndpoint {
        let example = "such as `https://mpi.example.org:9443`"
        let isTLS = text.hasPrefix("https://")
        guard isTLS || text.hasPrefix("http://") else {
            throw Complaint("\(quoted(text)) is not an http or https URL", hint: example)
        }
        let authority = String(text.dropFirst(isTLS ? 8 : 7))
        if let index = authority.utf8.firstIndex(where: { "/?#".utf8.contains($0) }) {
            throw Complaint(
                "\(quoted(String(authority[index...]))) after the port is not allowed",
                hint: "the request's own path is sent, unchanged")
        }
        guard !authority.utf8.contains(UInt8(ascii: "@")) else {
            throw Complaint("a user name in a URL is not allowed", hint: example)
        }
        let address = try hostAndPort(authority, defaultPort: isTLS ? 443 : 80)
        guard address.port != 0 else { throw Complaint("port 0 cannot be connected to") }
        return IdentityServerEndpoint(address: address, isTLS: isTLS, place: place)
    }

    /// A name or an IP address alone.
    func host() throws(Complaint) -> String {
        _ = try readHost(text)
        return text
    }
}

func hostAndPort(_ text: String, defaultPort: UInt16?) throws(Complaint) -> Address {
    let hostText: Substring
    var rest: Substring
    if text.hasPrefix("[") {
        guard let close = text.firstIndex(of: "]") else {
            throw Complaint("\(quoted(text)) lacks a `]`", hint: "such as `[::1]:8443`")
        }
        hostText = text[text.index(after: text.startIndex)..<close]
        rest = text[text.index(after: close)...]
        guard parseIPv6(String(hostText)) != nil else {
            throw Complaint("\(quoted(String(hostText))) is not an IPv6 address")
        }
    } else {
        let colon = text.firstIndex(of: ":") ?? text.endIndex
        hostText = text[..<colon]
        rest = text[colon...]
        if rest.dropFirst().contains(":") {
            throw Complaint(
                "\(quoted(text)) has several colons", hint: "write an IPv6 address in brackets")
        }
    }
    let host = try readHost(String(hostText))
    if rest.isEmpty, let defaultPort {
        return Address(host: host, hostText: String(hostText), port: defaultPort)
    }
    guard rest.first == ":" else {
        throw Complaint("\(quoted(text)) lacks a port", hint: "such as `127.0.0.1:8443`")
    }
    rest = rest.dropFirst()
    guard let number = wholeNumber(String(rest)), let port = UInt16(exactly: number) else {
        throw Complaint("\(quoted(String(rest))) is not a port", hint: "0 to 65535")
    }
    return Address(host: host, hostText: String(hostText), port: port)
}

private func readHost(_ text: String) throws(Complaint) -> Address.Host {
    if let bytes = parseIPv4(text) { return .ipv4(bytes) }
    if let bytes = parseIPv6(text) { return .ipv6(bytes) }
    let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    let isName = labels.allSatisfy { label in
        (1...63).contains(label.count) && label.first != UInt8(ascii: "-")
            && label.last != UInt8(ascii: "-")
            && label.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
    }
    // A last label of digits is a mistyped IPv4 address, RFC 3696 §2.
    guard isName, text.utf8.count <= 253, labels.last?.allSatisfy(isDigit) == false else {
        throw Complaint("\(quoted(text)) is neither a host name nor an IP address")
    }
    return .name(text.lowercased())
}

/// Four decimal numbers, none with a needless zero (which some readers take as octal).
func parseIPv4(_ text: String) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    let bytes = parts.compactMap { wholeNumber(String($0)).flatMap { UInt8(exactly: $0) } }
    return bytes.count == 4 ? bytes : nil
}

/// RFC 4291 §2.2, without zone; the last 32 bits may be written as IPv4.
func parseIPv6(_ text: String) -> [UInt8]? {
    guard text.utf8.count <= 45 else { return nil }
    let halves = text.split(separator: "::", omittingEmptySubsequences: false)
    guard halves.count <= 2, text.contains(":") else { return nil }
    var groups: [[UInt8]] = []
    for (index, half) in halves.enumerated() {
        guard let bytes = groupBytes(half, isLast: index == halves.count - 1) else { return nil }
        groups.append(bytes)
    }
    let length = groups.reduce(0) { $0 + $1.count }
    if groups.count == 1 { return length == 16 ? groups[0] : nil }
    guard length <= 14 else { return nil }
    return groups[0] + Array(repeating: 0, count: 16 - length) + groups[1]
}

private func groupBytes(_ text: Substring, isLast: Bool) -> [UInt8]? {
    guard !text.isEmpty else { return [] }
    var bytes: [UInt8] = []
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
        if isLast, index == parts.count - 1, let tail = parseIPv4(String(part)) {
            bytes += tail
            continue
        }
        guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit),
            part.utf8.count == part.count,
            let group = UInt16(part, radix: 16)
        else { return nil }
        bytes += [UInt8(group >> 8), UInt8(group & 0xFF)]
    }
    return bytes
}
