// MailMessage.swift: a notice as a mail, RFC 5322, RFC 2045 and RFC 2047.

/// The whole message; every line ends with `lineEnd`.
func mailMessage(_ notice: AlertNotice, _ target: MailTarget, lineEnd: String) -> [UInt8] {
    let alert = notice.alert
    let words = MailWords(target.language)
    var subject =
        "[Herse \(notice.host)] \(words.severity(alert.severity)): \(words.title(alert.kind)) "
        + "(\(alert.kind.rawValue))"
    if notice.count > 1 { subject += " x\(notice.count)" }
    let domain = target.sender.split(separator: "@").last.map(String.init) ?? "localhost"
    var lines = [
        "From: Herse <\(target.sender)>",
        "To: " + target.recipients.joined(separator: ",\(lineEnd) "),
        "Subject: " + headerText(subject, after: 9, lineEnd: lineEnd),
        "Date: \(mailDate(alert.at))",
        // The same in every attempt, so that who has it already knows.
        "Message-ID: <\(alert.incident).\(alert.at)@\(domain)>",
        // Nobody is to answer by machine, RFC 3834 §5.
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=UTF-8",
        "Content-Transfer-Encoding: quoted-printable",
        "Content-Language: \(target.language.rawValue)",
        "",
    ]
    lines += mailBody(notice, words).map(quotedPrintable).flatMap { $0 }
    return Array((lines.joined(separator: lineEnd) + lineEnd).utf8)
}

private func mailBody(_ notice: AlertNotice, _ words: MailWords) -> [String] {
    let alert = notice.alert
    var rows: [(String, String)] = [
        (words.label("severity"), "\(words.severity(alert.severity)) (\(alert.severity.number))"),
        (words.label("kind"), alert.kind.rawValue),
        (words.label("time"), moment(alert.at)),
        (words.label("host"), notice.host),
    ]
    rows += notice.facts.map { (words.label($0.name), $0.value) }
    let width = rows.map(\.0.count).max() ?? 0
    let table = rows.map { row in
        row.0 + String(repeating: " ", count: width - row.0.count) + "  " + row.1
    }
    return [words.title(alert.kind) + ".", "", alert.text, ""] + table + ["", words.closing]
}

/// A header's text: as it is where it is ASCII and short, or else in encoded words, RFC 2047 §2.
func headerText(_ text: String, after used: Int, lineEnd: String) -> String {
    let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } && !text.contains("=?")
    if isPlain, text.utf8.count + used <= 78 { return text }
    // 76 characters a line, of which 12 are a word's frame and one its blank: 45 bytes make 60
    // letters; the first line has the header's name as well.
    var words: [String] = []
    var room = max(4, (76 - 12 - used) / 4 * 3)
    var piece: [UInt8] = []
    for scalar in text.unicodeScalars {
        let bytes = Array(String(scalar).utf8)
        // No character is torn apart, §5.
        if piece.count + bytes.count > room {
            room = 45
            words.append("=?UTF-8?B?\(base64(piece))?=")
            piece = []
        }
        piece += bytes
    }
    words.append("=?UTF-8?B?\(base64(piece))?=")
    return words.joined(separator: lineEnd + " ")
}

/// One line of text as quoted-printable lines, RFC 2045 §6.7.
func quotedPrintable(_ line: String) -> [String] {
    let digits = Array("0123456789ABCDEF")
    var lines: [String] = []
    var current = ""
    let bytes = Array(line.utf8)
    for (index, byte) in bytes.enumerated() {
        let isLast = index == bytes.count - 1
        let isBlank = byte == 0x20 || byte == 0x09
        let isPlain = (byte >= 0x20 && byte < 0x7F && byte != 0x3D) && !(isBlank && isLast)
        let isLeadingDot = current.isEmpty && byte == 0x2E
        let text =
            isPlain && !isLeadingDot
            ? String(UnicodeScalar(byte)) : "=\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
        // 76 characters, with the `=` of a line that goes on.
        if current.utf8.count + text.utf8.count > 75 {
            lines.append(current + "=")
            current = ""
        }
        current += text
    }
    return lines + [current]
}

/// RFC 5322 §3.3.
func mailDate(_ milliseconds: Int64) -> String {
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    let parts = CalendarMoment(milliseconds)
    let (day, month) = (days[Int(parts.weekday) % 7], months[Int(parts.month - 1) % 12])
    return "\(day), \(padded(parts.day, 2)) \(month) \(parts.year) \(parts.time) +0000"
}
