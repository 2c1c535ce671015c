// FetchAddress.swift: which addresses are fetched from at all.

/// The two protocols there are.
enum FetchScheme: String {
    case http
    case https
}

/// Bytes of an address.
private let addressBytesMax = 4096

/// The scheme of `http://HOST…` or `https://HOST…`; nil for anything else, and for an address with
/// a user name, a fragment, or a byte that some reader would stumble over.
func scheme(of url: String) -> FetchScheme? {
    guard url.utf8.count <= addressBytesMax,
        url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }),
        !url.utf8.contains(UInt8(ascii: "#"))
    else { return nil }
    for scheme in [FetchScheme.https, .http] {
        let start = scheme.rawValue + "://"
        guard url.hasPrefix(start) else { continue }
        let authority = url.dropFirst(start.count).prefix { $0 != "/" && $0 != "?" }
        return authority.isEmpty || authority.contains("@") ? nil : scheme
    }
    return nil
}

/// Whether an address may be fetched from, and speaks TLS.
package func isSecureAddress(_ url: String) -> Bool { scheme(of: url) == .https }

/// Whether an address may be fetched from at all.
package func isAddress(_ url: String) -> Bool { scheme(of: url) != nil }

/// Whether a header field can be sent as it is: RFC 9110 §5.1, §5.5.
func isField(_ name: String, _ value: String) -> Bool {
    let mark = Array("!#$%&'*+-.^_`|~".utf8)
    let isName = name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: mark.contains(byte)
        }
    }
    // libcurl takes an empty value for a wish to leave the field out.
    return isName && !name.isEmpty && !value.isEmpty
        && value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
}
