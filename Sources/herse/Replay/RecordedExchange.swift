// RecordedExchange.swift: one line of the record, as far as a replay needs it.

import Lookup
import Neutralization

/// What the record says of one request.
struct RecordedExchange: Equatable, Sendable {
    /// Milliseconds since 1970.
    var time: UInt64 = 0
    var professional = ""
    var structure = ""
    var route = ""
    var decision = ""
    var delivery = ""
    /// One word for a refusal.
    var why = ""
    /// `FILE:LINE` of the rule that decided.
    var rule = ""
    var interaction = ""
    var vague = ""
    var finding = ""
    /// Lookups it was charged for, weights included.
    var lookups = 0
    /// Lookups it made, before any weight; nil in lines that do not say.
    var asked: Int?
    /// Whom it showed, or would have shown.
    var persons: [UInt64] = []
    /// Patients it was charged for without anybody knowing who they are.
    var assumed = 0
    var breaksGlass = false

    /// Bytes of a line that is read: 100,000 patients and more.
    static let lengthMax = 16 << 20

    init() {}

    /// Reads a line of JSON; nil for what is none, or has no time.
    init?(line: Span<UInt8>) {
        var reader = JSONReader()
        // The reader's own depth runs ahead of a key whose value is a list.
        var depth = 0
        var key = ""
        var hasTime = false
        do throws(Unparsed) {
            while true {
                switch try reader.next(line, isWhole: true) {
                case .key(let range, _) where depth == 1:
                    key = text(line.extracting(range), hasEscapes: false)
                case .string(let range, let hasEscapes):
                    let bytes = line.extracting(range)
                    if depth == 2, key == "persons" || key == "withheld" {
                        persons.append(hexadecimal(bytes))
                    } else if depth == 1, key == "time" {
                        guard let milliseconds = moment(bytes) else { return nil }
                        time = milliseconds
                        hasTime = true
                    } else if depth == 1 {
                        take(key, text(bytes, hasEscapes: hasEscapes))
                    }
                case .number(let range) where depth == 1:
                    take(key, number: line.extracting(range))
                case .beginObject, .beginArray: depth += 1
                case .endObject, .endArray: depth -= 1
                case .end:
                    guard hasTime else { return nil }
                    return
                case .more: return nil
                default: break
                }
            }
        } catch {
            return nil
        }
    }

    private mutating func take(_ key: String, _ value: String) {
        switch key {
        case "professional": professional = value
        case "structure": structure = value
        case "route": route = value
        case "decision": decision = value
        case "delivery": delivery = value
        case "why": why = value
        case "rule": rule = value
        case "interaction": interaction = value
        case "vague": vague = value
        case "finding": finding = value
        case "break_glass": breaksGlass = true
        default: break
        }
    }

    private mutating func take(_ key: String, number: Span<UInt8>) {
        switch key {
        case "lookups": lookups = decimal(number)
        case "asked": asked = decimal(number)
        case "assumed": assumed = decimal(number)
        default: break
        }
    }
}

private func text(_ bytes: Span<UInt8>, hasEscapes: Bool) -> String {
    var plain: [UInt8] = []
    appendUnescaped(bytes, to: &plain)
    return String(decoding: plain, as: UTF8.self)
}

/// Milliseconds since 1970 of a stamp such as `2026-11-20T08:00:00.123Z`.
private func moment(_ stamp: Span<UInt8>) -> UInt64? {
    guard let seconds = UnixSeconds(rfc3339: stamp), seconds.value >= 0 else { return nil }
    var fraction: UInt64 = 0
    if stamp.count >= 24, stamp[19] == UInt8(ascii: ".") {
        for index in 20..<23 where (0x30...0x39).contains(stamp[index]) {
            fraction = fraction * 10 + UInt64(stamp[index] - 0x30)
        }
    }
    return UInt64(seconds.value) * 1000 + fraction
}

/// The value of sixteen hexadecimal digits; of anything else, some value that stays the same.
private func hexadecimal(_ digits: Span<UInt8>) -> UInt64 {
    var value: UInt64 = 0
    for index in digits.indices {
        let byte = digits[index]
        let digit =
            byte >= 0x30 && byte <= 0x39
            ? byte - 0x30 : byte | 0x20 >= 0x61 ? (byte | 0x20) - 0x57 : 0
        value = value << 4 | UInt64(digit & 15)
    }
    return value
}

private func decimal(_ digits: Span<UInt8>) -> Int {
    var value = 0
    for index in digits.indices where value < 1_000_000_000 {
        guard (0x30...0x39).contains(digits[index]) else { break }
        value = value * 10 + Int(digits[index] - 0x30)
    }
    return value
}
