// LockoutSource.swift: who counts as one source: an IPv4 address, or 64 bits of an IPv6 one.

internal import Glibc

/// The part of an address that one subscriber has: all of an IPv4 address (be it written as an
/// IPv6 one), the first 64 bits of an IPv6 address; anything else is taken as it is.
func lockoutSource(_ address: String) -> String {
    var six = in6_addr()
    // Safe because the text outlives the call, which writes one address to the local.
    guard unsafe inet_pton(AF_INET6, address, &six) == 1 else { return address }
    let bytes = unsafe withUnsafeBytes(of: &six) { raw in unsafe Array(raw) }
    let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
    if Array(bytes.prefix(12)) == mapped {
        return bytes.suffix(4).map { String($0) }.joined(separator: ".")
    }
    return hexadecimal(Array(bytes.prefix(8))) + "/64"
}
