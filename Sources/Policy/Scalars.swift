// Scalars.swift: single values of a configuration, read from their text.

extension Scalar {
    /// A name that can stand in a header field, a log line and a command: 1 to 64 of
    /// `A-Z a-z 0-9 . _ -`, beginning with a letter or digit.
    func name() throws(Complaint) -> String {
        let bytes = Array(text.utf8)
        let isNamed = bytes.allSatisfy { isLetter($0) || isDigit($0) || ".-_".utf8.contains($0) }
        guard let first = bytes.first, isNamed, bytes.count <= 64, isLetter(first) || isDigit(first)
        else {
            throw Complaint(
                "\(quoted(text)) is not a name", hint: "1 to 64 letters, digits, `.`, `_`, `-`")
        }
        return text
    }

    /// One line of printable text, at most 200 characters.
    func line() throws(Complaint) -> String {
        guard !text.isEmpty, text.count <= 200, text.unicodeScalars.allSatisfy(isPlain) else {
            throw Complaint("not one line of 1 to 200 characters")
        }
        return text
    }

    /// A whole number within `range`.
    func number(_ range: ClosedRange<Int>) throws(Complaint) -> Int {
        guard !isQuoted, let number = wholeNumber(text) else {
            throw Complaint(
                "\(quoted(text)) is not a number",
                hint: "a whole number of \(range.lowerBound) to \(range.upperBound), unquoted")
        }
        guard range.contains(number) else {
            throw Complaint(
                "\(text) is out of range",
                hint: "at least \(range.lowerBound), at most \(range.upperBound)")
        }
        return number
    }

    /// `true` or `false`.
    func truth() throws(Complaint) -> Bool {
        switch (text, isQuoted) {
        case ("true", false): return true
        case ("false", false): return false
        default: throw Complaint("\(quoted(text)) is neither `true` nor `false`")
        }
    }

    /// One of the words of an enumeration.
    func word<Word: RawRepresentable & CaseIterable>(
        _ type: Word.Type
    ) throws(Complaint) -> Word where Word.RawValue == String {
        if let word = Word(rawValue: text) { return word }
        let known = Word.allCases.map(\.rawValue)
        throw Complaint("unknown value \(quoted(text))", hint: hint(for: text, among: known))
    }

    /// A span of time: a whole number and one of `ms` (where `range` begins below a second),
    /// `s`, `m`, `h`, `d`.
    func duration(_ range: ClosedRange<Duration>) throws(Complaint) -> Duration {
        let allowsMilliseconds = range.lowerBound < .seconds(1) && range.lowerBound > .zero
        let digits = text.utf8.prefix(while: isDigit)
        let unit = String(text.utf8.dropFirst(digits.count)) ?? ""
        guard let number = wholeNumber(String(digits) ?? ""), number <= 1_000_000_000,
            let one = unitLength(unit, allowsMilliseconds: allowsMilliseconds)
        else {
            let example = allowsMilliseconds ? "`500ms`, `10s`, `5m`" : "`10s`, `5m`, `1h`, `30d`"
            throw Complaint(
                "\(quoted(text)) is not a duration", hint: "a number and its unit: \(example)")
        }
        let duration = one * number
        guard range.contains(duration) else {
            throw Complaint(
                "\(text) is out of range",
                hint: "at least \(shown(range.lowerBound)), at most \(shown(range.upperBound))")
        }
        return duration
    }

    /// A number of bytes, with `k` (1,024) or `M` (1,048,576).
    func size(min: Int = 0, max: Int) throws(Complaint) -> Int {
        let digits = text.utf8.prefix(while: isDigit)
        let factor: Int? =
            switch String(text.utf8.dropFirst(digits.count)) {
            case "": 1
            case "k": 1 << 10
            case "M": 1 << 20
            default: nil
            }
        guard let number = wholeNumber(String(digits) ?? ""), let factor else {
            throw Complaint(
                "\(quoted(text)) is not a size", hint: "a number of bytes, or `64k`, `10M`")
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow, bytes >= min, bytes <= max else {
            let least = min > 0 ? "at least \(min >> 10)k, " : ""
            throw Complaint("\(text) is out of range", hint: "\(least)at most \(max >> 20)M")
        }
        return bytes
    }
}

func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

func isLetter(_ byte: UInt8) -> Bool {
    byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
}

/// ASCII digits without sign or needless zero, at most 18 of them, so that nothing overflows.
func wholeNumber(_ text: String) -> Int? {
    let digits = text.utf8
    guard !digits.isEmpty, digits.count <= 18, digits.allSatisfy(isDigit),
        digits.count == 1 || digits.first != UInt8(ascii: "0")
    else { return nil }
    return Int(text)
}

private func unitLength(_ unit: String, allowsMilliseconds: Bool) -> Duration? {
    switch unit {
    case "ms": allowsMilliseconds ? .milliseconds(1) : nil
    case "s": .seconds(1)
    case "m": .seconds(60)
    case "h": .seconds(3600)
    case "d": .seconds(86_400)
    default: nil
    }
}

/// A duration in the largest unit that holds it whole: `90s`, `5m`, `30d`.
package func shown(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    guard attoseconds == 0 else {
        return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms"
    }
    for (unit, length) in [("d", 86_400), ("h", 3600), ("m", 60)] as [(String, Int64)]
    where seconds != 0 && seconds % length == 0 {
        return "\(seconds / length)\(unit)"
    }
    return "\(seconds)s"
}
