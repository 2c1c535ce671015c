// Words.swift: numbers as people read them.

import Foundation

/// `1 connection`, `3 connections`.
func counted(_ count: some BinaryInteger, _ noun: String) -> String {
    let plural = noun.hasSuffix("y") ? String(noun.dropLast()) + "ies" : noun + "s"
    return "\(count) \(count == 1 ? noun : plural)"
}

/// Milliseconds with as many digits as say something: `0.61 ms`, `1.8 ms`, `240 ms`.
func shownMilliseconds(_ milliseconds: Double) -> String {
    let digits = milliseconds < 1 ? 2 : milliseconds < 10 ? 1 : 0
    let format = FloatingPointFormatStyle<Double>.number
        .precision(.fractionLength(digits)).grouping(.never)
        .locale(Locale(identifier: "en_US_POSIX"))
    return milliseconds.formatted(format) + " ms"
}

/// A fraction as a percentage with one digit: `1.6 %`.
func shownPercent(_ fraction: Double) -> String {
    let format = FloatingPointFormatStyle<Double>.number
        .precision(.fractionLength(1)).grouping(.never)
        .locale(Locale(identifier: "en_US_POSIX"))
    return (fraction * 100).formatted(format) + " %"
}

/// A span of time in its two largest units: `3d 4h`, `5m`, `12s`.
func shownSeconds(_ seconds: some BinaryInteger) -> String {
    let units: [(String, Int64)] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)]
    var rest = Int64(clamping: seconds)
    guard rest > 0 else { return "0s" }
    var parts: [String] = []
    for (name, length) in units {
        if rest >= length {
            parts.append("\(rest / length)\(name)")
        } else if !parts.isEmpty {
            break
        }
        rest %= length
        if parts.count == 2 { break }
    }
    return parts.joined(separator: " ")
}

/// Reads `10s`, `5m`, `1h`, `30d`, and `3y` of 365 days; nil for anything else.
func secondsOfDuration(_ text: String) -> Int? {
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "y": 365 * 86_400]
    let digits = text.dropLast()
    guard let length = text.last.flatMap({ units[$0] }), (1...9).contains(digits.utf8.count),
        digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits)
    else { return nil }
    return number * length
}
