// JSONNumber.swift: what a number of JSON is worth as an integer, without ever overflowing.

/// A number of RFC 8259 §6 as far as an integer can say it.
struct JSONNumber {
    /// Its part before the point, towards zero.
    let whole: Int64
    /// Whether nothing but zeros stood behind the point.
    let isWhole: Bool

    /// Nil for what an `Int64` cannot hold, and for a text that is no number.
    init?(_ text: String) {
        var digits: [UInt8] = []
        var isNegative = false
        var pointAt: Int?
        var exponent = 0
        var bytes = text.utf8[...]
        if bytes.first == UInt8(ascii: "-") {
            isNegative = true
            bytes = bytes.dropFirst()
        }
        while let byte = bytes.first, byte | 0x20 != UInt8(ascii: "e") {
            bytes = bytes.dropFirst()
            if byte == UInt8(ascii: "."), pointAt == nil {
                pointAt = digits.count
                continue
            }
            guard byte &- UInt8(ascii: "0") < 10 else { return nil }
            digits.append(byte &- UInt8(ascii: "0"))
        }
        guard !digits.isEmpty else { return nil }
        if !bytes.isEmpty {
            guard let written = exponentOf(bytes.dropFirst()) else { return nil }
            exponent = written
        }
        // Digits before the point, once the exponent has moved it.
        let point = (pointAt ?? digits.count) + exponent
        isWhole = digits.indices.allSatisfy { $0 < point || digits[$0] == 0 }
        var value: Int64 = 0
        if digits.contains(where: { $0 != 0 }) {
            var place = 0
            // Ends with the digits, or by overflow within 19 places of the first that is not zero.
            while place < point {
                let digit = place < digits.count ? Int64(digits[place]) : 0
                let (tens, overflows) = value.multipliedReportingOverflow(by: 10)
                guard !overflows else { return nil }
                let (sum, isTooLarge) = tens.subtractingReportingOverflow(digit)
                guard !isTooLarge else { return nil }
                value = sum
                place += 1
            }
        }
        // Counted downwards, since there is one more integer below zero than above.
        guard isNegative || value != .min else { return nil }
        whole = isNegative ? value : 0 - value
    }
}

/// What stands behind the `e`, cut off where more would change nothing.
private func exponentOf(_ written: Substring.UTF8View) -> Int? {
    var bytes = written
    var isNegative = false
    if let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
        isNegative = sign == UInt8(ascii: "-")
        bytes = bytes.dropFirst()
    }
    guard !bytes.isEmpty else { return nil }
    var exponent = 0
    for byte in bytes {
        guard byte &- UInt8(ascii: "0") < 10 else { return nil }
        exponent = min(exponent * 10 + Int(byte &- UInt8(ascii: "0")), 1 << 30)
    }
    return isNegative ? 0 - exponent : exponent
}
