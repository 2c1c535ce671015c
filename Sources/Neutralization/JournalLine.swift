// JournalLine.swift: one order as one line of text, framed so that a torn line is known for one.
//
//     CRC32C LENGTH NUMBER VERB SUBJECT at=TIME [until=TIME] [over=HEX] by=WHO reason=WHY [ticket=ID]
//
// CRC32C (8 hexadecimal digits) covers all that follows it and its blank, the line feed excluded;
// LENGTH (4 decimal digits) counts the same bytes from NUMBER on; NUMBER counts lines from 1, so
// that a missing line is noticed. Bytes other than printable ASCII, and `%`, are written %XX.

/// The first line of a journal: what it is, and the version of its lines.
let journalHeader = "herse neutralization journal 1\n"

/// Bytes of a line, its end included, that is the longest texts with every byte escaped.
let journalLineMax = 6144

enum JournalLineFault: Error, Equatable {
    case noFrame
    case checksum
    case number(expected: UInt64)
    /// The line is whole, but this version does not understand it.
    case content
}

/// The line for `command`, its line feed included.
func journalLine(_ command: Command, number: UInt64) -> [UInt8] {
    var content = "\(number) "
    switch command.verb {
    case .neutralize: content += "neutralize"
    case .reinstate: content += "reinstate"
    case .settle: content += "settle"
    }
    content += " \(command.subject) at=\(command.at)"
    switch command.verb {
    case .neutralize(let until?): content += " until=\(until)"
    case .reinstate(let over): content += " over=\(hexadecimal(over, digits: 16))"
    case .neutralize(nil), .settle: break
    }
    content += " by=\(escaped(command.by)) reason=\(escaped(command.reason))"
    if let ticket = command.ticket { content += " ticket=\(escaped(ticket))" }
    let length = String(content.utf8.count)
    let covered =
        String(repeating: "0", count: max(0, 4 - length.utf8.count)) + length + " " + content
    let checksum = crc32c(Array(covered.utf8).span)
    return Array((hexadecimal(UInt64(checksum), digits: 8) + " " + covered + "\n").utf8)
}

/// Reads a line without its line feed.
func readJournalLine(
    _ line: Span<UInt8>, number: UInt64
) throws(JournalLineFault) -> Command {
    // 8 + 1 + 4 + 1: the frame before the content.
    guard line.count > 14, line[8] == 0x20, line[13] == 0x20,
        let checksum = hexadecimalNumber(line.extracting(0..<8)),
        let length = decimalNumber(line.extracting(9..<13)), length == line.count - 14
    else { throw .noFrame }
    guard UInt64(crc32c(line.extracting(9..<line.count))) == checksum else { throw .checksum }
    var words: [Range<Int>] = []
    var start = 14
    for index in 14...line.count where index == line.count || line[index] == 0x20 {
        words.append(start..<index)
        start = index + 1
    }
    guard decimalNumber(line.extracting(words[0])) == number else {
        throw .number(expected: number)
    }
    guard words.count >= 4, let command = command(line, words) else { throw .content }
    return command
}

private func command(_ line: Span<UInt8>, _ words: [Range<Int>]) -> Command? {
    func text(_ range: Range<Int>) -> String? {
        let part = line.extracting(range)
        return String(validating: (0..<part.count).map { part[$0] }, as: UTF8.self)
    }
    guard let verb = text(words[1]), let named = text(words[2]),
        let subject = try? Subject(named)
    else { return nil }
    var fields: [String: Range<Int>] = [:]
    for word in words[3...] {
        guard let sign = word.first(where: { line[$0] == 0x3D }),
            let name = text(word.lowerBound..<sign),
            fields.updateValue(sign + 1..<word.upperBound, forKey: name) == nil
        else { return nil }
    }
    // A field that could not be read stays, and refuses the line below.
    func time(_ name: String) -> UnixSeconds? {
        let read = fields[name].flatMap { UnixSeconds(rfc3339: line.extracting($0)) }
        if read != nil { fields[name] = nil }
        return read
    }
    func unescapedText(_ name: String) -> String? {
        let read = fields[name].flatMap { unescaped(line.extracting($0)) }
        if read != nil { fields[name] = nil }
        return read
    }
    guard let at = time("at"), let by = unescapedText("by"), let reason = unescapedText("reason")
    else { return nil }
    let ticket = unescapedText("ticket")
    let read: Command.Verb
    switch verb {
    case "neutralize":
        read = .neutralize(until: time("until"))
    case "reinstate":
        guard let digits = fields.removeValue(forKey: "over"),
            let over = hexadecimalNumber(line.extracting(digits))
        else { return nil }
        read = .reinstate(over: over)
    case "settle":
        read = .settle
    default:
        return nil
    }
    // A field that could not be read, or that a later version added, must not be passed over: an
    // `until` that is not understood would neutralize for ever, or worse.
    guard fields.isEmpty else { return nil }
    return Command(read, subject, at: at, reason: reason, ticket: ticket, by: by)
}

private func hexadecimal(_ value: UInt64, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
}

private func hexadecimalNumber(_ text: Span<UInt8>) -> UInt64? {
    guard text.count >= 1, text.count <= 16 else { return nil }
    var value: UInt64 = 0
    for index in 0..<text.count {
        // Lower case only, as written: one line has one spelling.
        guard text[index] < 0x41 || text[index] > 0x46, let digit = hexDigit(text[index]) else {
            return nil
        }
        value = value << 4 | UInt64(digit)
    }
    return value
}

private func decimalNumber(_ text: Span<UInt8>) -> UInt64? {
    guard text.count >= 1, text.count <= 18 else { return nil }
    var value: UInt64 = 0
    for index in 0..<text.count {
        guard text[index] >= 0x30, text[index] <= 0x39 else { return nil }
        value = value * 10 + UInt64(text[index] - 0x30)
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

private func unescaped(_ text: Span<UInt8>) -> String? {
    var bytes: [UInt8] = []
    var index = 0
    while index < text.count {
        if text[index] == 0x25 {
            guard index + 2 < text.count, let high = hexDigit(text[index + 1]),
                let low = hexDigit(text[index + 2])
            else { return nil }
            bytes.append(high << 4 | low)
            index += 3
        } else {
            bytes.append(text[index])
            index += 1
        }
    }
    return String(validating: bytes, as: UTF8.self)
}
