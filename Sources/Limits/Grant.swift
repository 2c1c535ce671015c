// Grant.swift: a bounded exception to somebody's limits, and the line that keeps it.
//
//     CHECK NUMBER PROFESSIONAL count=KIND extra=N at=SECONDS until=SECONDS by=WHO reason=WHY
//
// CHECK is 16 hexadecimal digits over all that follows its blank, the line feed excluded; NUMBER
// counts lines from 1, so that a missing line is noticed. Times are the limit clock's, in seconds,
// so that no wall clock makes a grant longer. Bytes other than printable ASCII, and `%`, are
// written %XX. Professionals stand here in clear, as administrators' acts do; patients never.

import KeyedHash

/// What an administrator added to a professional's limits, for a while.
package struct Grant: Hashable, Sendable {
    package let professional: String
    package let count: CountKind
    /// Added to every window of that kind; 1 to 100,000.
    package let extra: UInt32
    package let at: LimitTime
    /// 30 days after `at` at most.
    package let until: LimitTime
    package let reason: String
    /// Who gave it.
    package let by: String

    package static let extraMax: UInt32 = 100_000
    package static let secondsMax: UInt64 = 30 * 86_400
    /// Bytes of a text.
    package static let textMax = 1024

    package init(
        professional: String, count: CountKind, extra: UInt32, at: LimitTime, until: LimitTime,
        reason: String, by: String
    ) {
        self.professional = professional
        self.count = count
        self.extra = extra
        // To the second, as it is kept; a grant that begins within a second has begun.
        self.at = LimitTime(milliseconds: at.milliseconds / 1000 * 1000)
        self.until = LimitTime(milliseconds: until.milliseconds / 1000 * 1000)
        self.reason = reason
        self.by = by
    }

    /// Whether it is one that may be given.
    var isKeepable: Bool {
        let texts = [professional, reason, by]
        let ends = at.milliseconds + Self.secondsMax * 1000
        return extra >= 1 && extra <= Self.extraMax && at < until && until.milliseconds <= ends
            && texts.allSatisfy { !$0.isEmpty && $0.utf8.count <= Self.textMax }
    }

    package func isInForce(at now: LimitTime) -> Bool { now >= at && now < until }
}

extension Sequence<Grant> {
    /// What the grants in force add to a professional's limits.
    package func extras(of professional: String, at now: LimitTime) -> LimitExtras {
        reduce(into: .none) { extras, grant in
            guard grant.professional == professional, grant.isInForce(at: now) else { return }
            let (sum, isOver) = extras[grant.count].addingReportingOverflow(grant.extra)
            extras[grant.count] = isOver ? .max : sum
        }
    }
}

/// The first line of a journal: what it is, and the version of its lines.
let grantHeader = "herse grants 1\n"

/// Bytes of a line with the longest texts, every byte escaped, and its end.
let grantLineMax = 9_600

/// Why a line of the journal is refused.
package enum GrantLineFault: Equatable, Sendable {
    case check
    /// A line is missing or stands twice.
    case number(expected: UInt64)
    /// Whole, and nothing that this version understands.
    case content
}

/// The line for a grant, its line feed included.
func grantLine(_ grant: Grant, number: UInt64) -> [UInt8] {
    let content =
        "\(number) \(escaped(grant.professional)) count=\(grant.count) extra=\(grant.extra)"
        + " at=\(grant.at.milliseconds / 1000) until=\(grant.until.milliseconds / 1000)"
        + " by=\(escaped(grant.by)) reason=\(escaped(grant.reason))"
    return Array((check(Array(content.utf8).span) + " " + content + "\n").utf8)
}

/// Reads a line without its line feed.
func readGrantLine(_ line: Span<UInt8>, number: UInt64) -> Result<Grant, GrantLineError> {
    guard line.count > 17, line[16] == 0x20 else { return .failure(GrantLineError(.check)) }
    let bytes = (0..<line.count).map { line[$0] }
    guard bytes[..<16].elementsEqual(check(line.extracting(17..<line.count)).utf8) else {
        return .failure(GrantLineError(.check))
    }
    let words = bytes[17...].split(separator: 0x20, omittingEmptySubsequences: false)
    guard words.count == 8, decimal(words[0]) == number else {
        let isNumbered = words.count == 8 && decimal(words[0]) != nil
        return .failure(GrantLineError(isNumbered ? .number(expected: number) : .content))
    }
    func field(_ index: Int, _ name: String) -> ArraySlice<UInt8>? {
        let start = Array((name + "=").utf8)
        return words[index].starts(with: start) ? words[index].dropFirst(start.count) : nil
    }
    guard let professional = unescaped(words[1]),
        let kind = field(2, "count"),
        let count = CountKind.allCases.first(where: { "\($0)".utf8.elementsEqual(kind) }),
        let extra = field(3, "extra").flatMap(decimal), extra <= UInt64(Grant.extraMax),
        let at = field(4, "at").flatMap(decimal), at <= LimitTime.latest / 1000,
        let until = field(5, "until").flatMap(decimal), until <= LimitTime.latest / 1000,
        let by = field(6, "by").flatMap(unescaped),
        let reason = field(7, "reason").flatMap(unescaped)
    else { return .failure(GrantLineError(.content)) }
    let grant = Grant(
        professional: professional, count: count, extra: UInt32(extra),
        at: LimitTime(milliseconds: at * 1000), until: LimitTime(milliseconds: until * 1000),
        reason: reason, by: by)
    return grant.isKeepable ? .success(grant) : .failure(GrantLineError(.content))
}

/// A fault as an error.
struct GrantLineError: Error {
    let fault: GrantLineFault

    init(_ fault: GrantLineFault) { self.fault = fault }
}

/// 16 hexadecimal digits against accidents; the key is no secret.
private func check(_ content: Span<UInt8>) -> String {
    hexadecimal(sipHash128(content, key: SipKey(low: 0x6772_616E_7473, high: 1)).first, digits: 16)
}

private func hexadecimal(_ value: UInt64, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
}

private func decimal(_ text: ArraySlice<UInt8>) -> UInt64? {
    guard text.count >= 1, text.count <= 18 else { return nil }
    var value: UInt64 = 0
    for digit in text {
        guard digit >= 0x30, digit <= 0x39 else { return nil }
        value = value * 10 + UInt64(digit - 0x30)
    }
    return value
}

private func escaped(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
        if byte > 0x20, byte < 0x7F, byte != 0x25 {
            result.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
            result += "%" + hexadecimal(UInt64(byte), digits: 2)
        }
    }
    return result
}

private func unescaped(_ text: ArraySlice<UInt8>) -> String? {
    var bytes: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
        guard byte == 0x25 else {
            bytes.append(byte)
            continue
        }
        guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit)
        else { return nil }
        bytes.append(high << 4 | low)
    }
    return String(validating: bytes, as: UTF8.self)
}

private func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x61...0x66: byte - 0x57
    default: nil
    }
}
