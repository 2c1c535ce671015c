// RequestID.swift: the name of one exchange, in headers, answers and the record.

internal import Wire

/// Sixteen bytes: a random part for each worker's life, and a count.
///
/// Shown as 32 hex digits.
struct RequestID {
    let random: UInt64
    let number: UInt64

    init(random: UInt64 = 0, number: UInt64 = 0) {
        self.random = random
        self.number = number
    }

    func append(to out: Buffer) {
        let text = spelled
        out.append(text.span)
    }

    var text: String {
        let text = spelled
        return String(decoding: (0..<32).map { text[$0] }, as: UTF8.self)
    }

    /// Thirty-two hexadecimal digits.
    var spelled: InlineArray<32, UInt8> {
        InlineArray { index in
            let word = index < 16 ? random : number
            let shift = UInt64(60 &- 4 &* (index & 15))
            let digit = UInt8(truncatingIfNeeded: (word &>> shift) & 15)
            return digit < 10 ? digit &+ 0x30 : digit &+ 0x57
        }
    }
}
