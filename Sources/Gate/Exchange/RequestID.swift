// RequestID.swift: the name of one exchange, in headers, answers and the record.

internal import Wire

/// Sixteen bytes: a random part for each worker's life, and a count. Shown as 32 hex digits.
struct RequestID {
    let random: UInt64
    let number: UInt64

    init(random: UInt64 = 0, number: UInt64 = 0) {
        self.random = random
        self.number = number
    }

    func append(to out: Buffer) { each { out.append($0) } }

    var text: String {
        var bytes: [UInt8] = []
        each { bytes.append($0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @inline(__always)
    func each(_ body: (UInt8) -> Void) {
        spell(random, body)
        spell(number, body)
    }

    @inline(__always)
    private func spell(_ word: UInt64, _ body: (UInt8) -> Void) {
        var shift: UInt64 = 64
        while shift > 0 {
            shift -= 4
            let digit = UInt8(truncatingIfNeeded: (word >> shift) & 15)
            body(digit < 10 ? digit + 0x30 : digit + 0x57)
        }
    }
}
