// ProofAddress.swift: the address in a proof, in the one form two of them are compared in.

/// An `http` or `https` address without query and fragment, RFC 9449 §4.3, normalized as RFC 3986
/// §6.2.2 and §6.2.3 say; nil for what is no such address, or has a user in it.
///
/// Segments `.` and `..` stay as they are: the gate forwards no path that has them.
package func proofAddress(_ address: String) -> String? {
    var rest = address.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }[...]
    guard rest.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }),
        let colon = rest.firstIndex(of: UInt8(ascii: ":"))
    else { return nil }
    let scheme = String(rest[..<colon])?.lowercased()
    guard let scheme, scheme == "https" || scheme == "http" else { return nil }
    rest = rest[colon...].dropFirst()
    guard rest.starts(with: "//".utf8) else { return nil }
    rest = rest.dropFirst(2)
    let authority = rest.prefix { $0 != UInt8(ascii: "/") }
    let path = rest.dropFirst(authority.count)
    guard let place = normalizedAuthority(authority, isSecure: scheme == "https"),
        let plainPath = normalizedPath(path)
    else { return nil }
    return "\(scheme)://\(place)\(plainPath)"
}

/// Host and port in lower case, without the port that needs not be said; nil for a user, and for
/// what is no host with at most one port.
private func normalizedAuthority(_ authority: Substring.UTF8View, isSecure: Bool) -> String? {
    // The colons of an address of IPv6 stand in brackets.
    let isBracketed = authority.first == UInt8(ascii: "[")
    let closing = authority.firstIndex(of: UInt8(ascii: "]"))
    guard isBracketed == (closing != nil), !authority.contains(UInt8(ascii: "@")) else {
        return nil
    }
    let behind = closing.map { authority.index(after: $0) } ?? authority.startIndex
    let colon = authority[behind...].firstIndex(of: UInt8(ascii: ":"))
    let end = colon ?? authority.endIndex
    guard end > authority.startIndex, !isBracketed || end == behind,
        let host = String(authority[..<end])?.lowercased()
    else { return nil }
    let digits = authority[end...].dropFirst()
    guard digits.count <= 5, digits.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }),
        let port = String(digits)
    else { return nil }
    return port.isEmpty || port == (isSecure ? "443" : "80") ? host : "\(host):\(port)"
}

/// A path whose escapes are in capitals, and none where there need be none; nil when one is none.
private func normalizedPath(_ path: Substring.UTF8View) -> String? {
    guard !path.isEmpty else { return "/" }
    let hex = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    var rest = path
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            out.append(byte)
            continue
        }
        guard let high = rest.popFirst().flatMap(hexDigit),
            let low = rest.popFirst().flatMap(hexDigit)
        else { return nil }
        let value = high << 4 | low
        if isUnreserved(value) {
            out.append(value)
        } else {
            out += [byte, hex[Int(high)], hex[Int(low)]]
        }
    }
    return String(decoding: out, as: UTF8.self)
}

private func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

private func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        true
    default: false
    }
}
