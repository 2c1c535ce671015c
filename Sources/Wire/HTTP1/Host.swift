// Host.swift: the grammar of an authority, narrower than RFC 3986 §3.2.

/// Whether `range` is a host name, an IPv4 address or a bracketed IPv6 address, with a port or
/// without.
///
/// Percent-encoding and sub-delimiters, which RFC 3986 lets a registered name hold, are refused:
/// no name in the DNS has them, and two readers of `a,b` or `a%2Fb` need not agree.
func isHost(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard let port = endOfHostName(bytes, range) else { return false }
    guard port < range.upperBound else { return true }
    guard bytes[port] == Ascii.colon else { return false }
    return isPort(bytes, (port + 1)..<range.upperBound)
}

/// Where the host ends and what may be a port begins; nil when there is no valid host.
private func endOfHostName(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
    guard let first = range.first else { return nil }
    var index = first
    if bytes[first] == Ascii.leftBracket {
        var colons = 0
        index += 1
        while index < range.upperBound, bytes[index] != Ascii.rightBracket {
            let byte = bytes[index]
            if byte == Ascii.colon {
                colons += 1
            } else if Ascii.hexValue(byte) == nil && byte != Ascii.dot {
                return nil
            }
            index += 1
        }
        // The longest form, IPv4 in IPv6, has 45 characters and two brackets.
        guard index < range.upperBound, (2...7).contains(colons), index - first <= 46 else {
            return nil
        }
        return index + 1
    }
    while index < range.upperBound, ByteSet.unreserved.contains(bytes[index]) { index += 1 }
    // RFC 1035 §2.3.4: a name has at most 255 octets.
    return (1...255).contains(index - first) ? index : nil
}

/// Whether `range` is a decimal number from 0 to 65535, of 1 to 5 digits.
private func isPort(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard (1...5).contains(range.count) else { return false }
    var port = 0
    for index in range {
        guard Ascii.isDigit(bytes[index]) else { return false }
        port = port * 10 + Int(bytes[index] - Ascii.zero)
    }
    return port <= 65535
}
