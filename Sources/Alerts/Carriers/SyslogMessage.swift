// SyslogMessage.swift: a notice as syslog has it, RFC 5424.

/// The message without its frame: header, structured data, and the sentence in UTF-8.
func syslogMessage(
    _ notice: AlertNotice, _ facility: SyslogFacility, process: Int32
) -> [UInt8] {
    let alert = notice.alert
    let head = SyslogHead(
        priority: facility.number * 8 + alert.severity.number, at: alert.at, host: notice.host,
        process: process, kind: alert.kind.rawValue)
    return syslogMessage(head, facts: notice.facts, notice.text)
}

/// What a message begins with.
struct SyslogHead {
    let priority: Int
    /// Milliseconds since 1970.
    let at: Int64
    let host: String
    let process: Int32
    /// MSGID, one word.
    let kind: String
}

func syslogMessage(
    _ head: SyslogHead, facts: [(name: String, value: String)], _ sentence: String
) -> [UInt8] {
    var text =
        "<\(head.priority)>1 \(moment(head.at)) \(head.host) herse \(head.process) "
        + "\(head.kind) [herse@32473"
    for fact in facts { text += " \(fact.name)=\"\(escaped(fact.value))\"" }
    // The mark says that UTF-8 follows, §6.4.
    return Array(text.utf8) + Array("] ".utf8) + [0xEF, 0xBB, 0xBF] + Array(sentence.utf8)
}

/// RFC 5424 §6.3.3.
private func escaped(_ value: String) -> String {
    var shown = ""
    for scalar in value.unicodeScalars {
        if scalar == "\"" || scalar == "\\" || scalar == "]" { shown.unicodeScalars.append("\\") }
        shown.unicodeScalars.append(scalar)
    }
    return shown
}

/// Its length before it, RFC 5425 §4.3.1, so that nothing in it can begin another message.
func octetCounted(_ message: [UInt8]) -> [UInt8] { Array("\(message.count) ".utf8) + message }
