// Model.swift: the kind of an authenticator, as its maker numbers it (AAGUID).

/// The AAGUID of a model: 16 bytes, written like a UUID.
package struct Model: Hashable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]

    static let length = 16

    /// Nil unless there are 16 bytes, and not all zero: that is how an authenticator says nothing.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.length, bytes.contains(where: { $0 != 0 }) else { return nil }
        self.bytes = bytes
    }

    /// From `cb69481e-8ff7-4039-93ec-0a2729a154a8`, in either case.
    package init?(_ text: String) {
        let letters = Array(text.utf8)
        let dashes: Set = [8, 13, 18, 23]
        guard letters.count == 36 else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for (index, letter) in letters.enumerated() {
            if dashes.contains(index) {
                guard letter == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = Self.digit(letter) else { return nil }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        self.init(bytes: bytes)
    }

    package var description: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
            text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func digit(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): letter - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): letter - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): letter - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
