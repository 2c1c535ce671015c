// AccountName.swift: what a local account is called: here, and by PAM.

/// The name of a local account, which is also the user that PAM is asked about.
///
/// Lower case only: to many directories behind PAM `Anne` and `anne` are one person, and two
/// accounts that differ in case alone would be one password with two second factors. No byte of it
/// means anything in a file name, a log line or a PAM stack.
package struct AccountName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let description: String

    /// Bytes of the longest name.
    package static let lengthMax = 64

    /// Reads a name as it is kept; nil when it is none.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, bytes.count <= Self.lengthMax,
            isLetterOrDigit(first) || first == 0x5F,
            bytes.allSatisfy({ isLetterOrDigit($0) || "._-@".utf8.contains($0) })
        else { return nil }
        description = text
    }

    /// Reads a name as somebody typed it: capital letters are taken for small ones.
    package init?(typed bytes: Span<UInt8>) {
        guard bytes.count <= Self.lengthMax else { return nil }
        var folded: [UInt8] = []
        for index in 0..<bytes.count {
            let byte = bytes[index]
            folded.append((0x41...0x5A).contains(byte) ? byte | 0x20 : byte)
        }
        self.init(String(decoding: folded, as: UTF8.self))
    }

    package static func < (one: AccountName, other: AccountName) -> Bool {
        one.description < other.description
    }
}

private func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
}
