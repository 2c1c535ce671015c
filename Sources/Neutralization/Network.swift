// Network.swift: an address, and a network in CIDR notation, RFC 4632 and RFC 4291.

/// An IPv4 or IPv6 address; an IPv4-mapped IPv6 address (`::ffff:a.b.c.d`, what a dual-stack
/// socket reports) is the IPv4 address it stands for, so that one list entry covers both.
package struct NetworkAddress: Hashable, Sendable {
    /// IPv4 or IPv6.
    package enum Family: UInt8, Sendable { case v4, v6 }

    package let family: Family
    /// The first eight bytes of an IPv6 address; 0 for IPv4.
    package let high: UInt64
    /// The last eight bytes of an IPv6 address, or the four of an IPv4 address.
    package let low: UInt64

    package init(v4: UInt32) {
        self.family = .v4
        self.high = 0
        self.low = UInt64(v4)
    }

    package init(v6 high: UInt64, _ low: UInt64) {
        if high == 0, low >> 32 == 0xFFFF {
            self.init(v4: UInt32(truncatingIfNeeded: low))
        } else {
            self.init(unmapped: high, low)
        }
    }

    fileprivate init(unmapped high: UInt64, _ low: UInt64) {
        self.family = .v6
        self.high = high
        self.low = low
    }

    /// The address in network byte order, 4 or 16 bytes; `nil` for any other length.
    package init?(networkOrder bytes: Span<UInt8>) {
        switch bytes.count {
        case 4: self.init(v4: UInt32(truncatingIfNeeded: bigEndian(bytes, 0..<4)))
        case 16: self.init(v6: bigEndian(bytes, 0..<8), bigEndian(bytes, 8..<16))
        default: return nil
        }
    }

    /// Reads `203.0.113.7` or `2001:db8::7`; `nil` when it is neither.
    package init?(_ text: String) {
        guard let written = parseAddress(Array(text.utf8).span) else { return nil }
        self = written.family == .v4 ? written : NetworkAddress(v6: written.high, written.low)
    }

    /// Bits of an address: 32 or 128.
    var width: Int { family == .v4 ? 32 : 128 }

    /// The same address with all bits after the first `length` set to zero.
    func masked(to length: Int) -> NetworkAddress {
        switch family {
        case .v4:
            let mask = ~UInt32(0) << UInt32(max(0, 32 - length))
            return NetworkAddress(v4: UInt32(truncatingIfNeeded: low) & mask)
        case .v6:
            // A shift by 64 or more gives zero in Swift, which is what is wanted here.
            let highMask = ~UInt64(0) << UInt64(max(0, 64 - length))
            let lowMask = ~UInt64(0) << UInt64(min(64, max(0, 128 - length)))
            return NetworkAddress(unmapped: high & highMask, low & lowMask)
        }
    }
}

/// A network: an address whose bits after the prefix are zero, and the prefix's length.
package struct Network: Hashable, Sendable {
    package let address: NetworkAddress
    /// Bits of prefix: 0…32 for IPv4, 0…128 for IPv6.
    package let length: Int

    /// Reads `203.0.113.0/24`, `2001:db8::/32`, or a single address.
    package init(_ text: Span<UInt8>) throws(SubjectError) {
        var slash = 0
        while slash < text.count, text[slash] != 0x2F { slash += 1 }
        guard let address = parseAddress(text.extracting(0..<slash)) else { throw .notAnAddress }
        var length = address.width
        if slash < text.count {
            let digits = slash + 1..<text.count
            guard let written = prefixLength(text, digits), written <= address.width else {
                throw .prefixLength(max: address.width, at: digits.lowerBound)
            }
            length = written
        }
        if address.family == .v6, address.high == 0, address.low >> 32 == 0xFFFF {
            throw .mappedNetwork
        }
        let network = address.masked(to: length)
        guard network == address else {
            throw .hostBits(Network(network: network, length: length).description)
        }
        self.init(network: network, length: length)
    }

    init(network: NetworkAddress, length: Int) {
        self.address = network
        self.length = length
    }

    package func contains(_ other: NetworkAddress) -> Bool {
        other.family == address.family && other.masked(to: length) == address
    }
}

extension Network: CustomStringConvertible {
    package var description: String { "\(address)/\(length)" }
}

extension NetworkAddress: CustomStringConvertible {
    /// Dotted decimal, or RFC 5952: lower case, the longest run of zero groups written `::`.
    package var description: String {
        switch family {
        case .v4:
            return [24, 16, 8, 0].map { String(low >> $0 & 0xFF) }.joined(separator: ".")
        case .v6:
            let shifts: [UInt64] = [48, 32, 16, 0]
            let groups = shifts.map { high >> $0 & 0xFFFF } + shifts.map { low >> $0 & 0xFFFF }
            guard let zeros = longestZeroRun(groups) else { return hexadecimal(groups[...]) }
            return hexadecimal(groups[..<zeros.lowerBound]) + "::"
                + hexadecimal(groups[zeros.upperBound...])
        }
    }
}

private func hexadecimal(_ groups: ArraySlice<UInt64>) -> String {
    groups.map { String($0, radix: 16) }.joined(separator: ":")
}

/// The first longest run of at least two zero groups (RFC 5952 §4.2).
private func longestZeroRun(_ groups: [UInt64]) -> Range<Int>? {
    var best = 0..<0
    var start = 0
    for index in 0...groups.count {
        if index < groups.count, groups[index] == 0 { continue }
        if index - start > best.count { best = start..<index }
        start = index + 1
    }
    return best.count >= 2 ? best : nil
}

private func bigEndian(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
    var value: UInt64 = 0
    for index in range { value = value << 8 | UInt64(bytes[index]) }
    return value
}

private func prefixLength(_ text: Span<UInt8>, _ digits: Range<Int>) -> Int? {
    guard digits.count >= 1, digits.count <= 3 else { return nil }
    if digits.count > 1, text[digits.lowerBound] == 0x30 { return nil }
    var value = 0
    for index in digits {
        guard text[index] >= 0x30, text[index] <= 0x39 else { return nil }
        value = value * 10 + Int(text[index] - 0x30)
    }
    return value
}

/// An address as written, IPv4-mapped ones left as they are.
private func parseAddress(_ text: Span<UInt8>) -> NetworkAddress? {
    // No address takes more bytes than eight groups of four and a dotted quad would.
    guard text.count >= 2, text.count <= 45 else { return nil }
    for index in 0..<text.count where text[index] == 0x3A { return parseVersion6(text) }
    return parseVersion4(text, from: 0).map { NetworkAddress(v4: $0) }
}

/// Four decimal numbers from `start` to the end; a leading zero is refused, since some readers
/// take it for octal and would see another address.
private func parseVersion4(_ text: Span<UInt8>, from start: Int) -> UInt32? {
    var value: UInt32 = 0
    var parts = 0
    var index = start
    while parts < 4 {
        let first = index
        var part: UInt32 = 0
        while index < text.count, text[index] >= 0x30, text[index] <= 0x39, index - first < 3 {
            part = part * 10 + UInt32(text[index] - 0x30)
            index += 1
        }
        guard index > first, part <= 255 else { return nil }
        if index - first > 1, text[first] == 0x30 { return nil }
        value = value << 8 | part
        parts += 1
        if parts < 4 {
            guard index < text.count, text[index] == 0x2E else { return nil }
            index += 1
        }
    }
    return index == text.count ? value : nil
}

/// Up to eight groups of sixteen bits, at most one `::`, a dotted quad allowed for the last two.
private func parseVersion6(_ text: Span<UInt8>) -> NetworkAddress? {
    var groups = InlineArray<8, UInt64>(repeating: 0)
    var count = 0
    var gap: Int?
    var index = 0
    if text[0] == 0x3A {
        guard text[1] == 0x3A else { return nil }
        gap = 0
        index = 2
    }
    while index < text.count {
        guard count < 8 else { return nil }
        let first = index
        var group: UInt64 = 0
        while index < text.count, index - first < 4, let digit = hexDigit(text[index]) {
            group = group << 4 | UInt64(digit)
            index += 1
        }
        if index < text.count, text[index] == 0x2E {
            guard count <= 6, let quad = parseVersion4(text, from: first) else { return nil }
            groups[count] = UInt64(quad >> 16)
            groups[count + 1] = UInt64(quad & 0xFFFF)
            count += 2
            break
        }
        guard index > first else { return nil }
        groups[count] = group
        count += 1
        guard index < text.count else { break }
        guard text[index] == 0x3A, index + 1 < text.count else { return nil }
        index += 1
        if text[index] == 0x3A {
            guard gap == nil else { return nil }
            gap = count
            index += 1
        }
    }
    // `::` stands for at least one group (RFC 5952 §4.2.2 writes it only for two).
    if gap == nil ? count != 8 : count > 7 { return nil }
    var halves = (high: UInt64(0), low: UInt64(0))
    for position in 0..<8 {
        let tail = count - (8 - position)
        let source = gap.map { position < $0 ? position : (tail >= $0 ? tail : -1) } ?? position
        let group = source < 0 ? 0 : groups[source]
        if position < 4 {
            halves.high = halves.high << 16 | group
        } else {
            halves.low = halves.low << 16 | group
        }
    }
    return NetworkAddress(unmapped: halves.high, halves.low)
}

/// The value of a hexadecimal digit, in either case.
func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
}
