// AlertNotice.swift: what is sent of alerts that are the same, and who carries it.

internal import Glibc

/// One message for one destination.
struct AlertNotice: Sendable {
    let alert: Alert
    /// Alerts it stands for.
    let count: Int
    /// When the first of them was raised, in milliseconds since 1970.
    let since: Int64
    /// Alerts that this destination never got, since the last message that it did.
    let dropped: Int
    /// This machine's name.
    let host: String

    /// The sentence, and how often it holds.
    var text: String {
        var text = alert.text
        if count > 1 { text += " (\(count) times since \(moment(since)))" }
        if dropped > 0 { text += " (\(dropped) other alerts were dropped before)" }
        return text
    }

    /// Every fact by its name, in a fixed order.
    var facts: [(name: String, value: String)] {
        var facts: [(String, String)] = [("incident", alert.incident)]
        if !alert.subject.isEmpty { facts.append(("subject", alert.subject)) }
        facts += alert.facts.map { ($0.name.rawValue, $0.value) }
        if count > 1 {
            facts.append(("count", String(count)))
            facts.append(("since", moment(since)))
        }
        if dropped > 0 { facts.append(("dropped", String(dropped))) }
        return facts
    }
}

/// Why a message was not taken, for operators; holds no secret.
struct DeliveryProblem: Error, Equatable {
    let text: String
    init(_ text: String) { self.text = printable(text, bytesMax: 400) }
}

/// What brings messages to one destination; used by one thread, which may wait for it.
protocol AlertCarrier: AnyObject {
    /// Delivers within a deadline of its own; returns what the destination said.
    func deliver(_ notice: AlertNotice) throws(DeliveryProblem) -> String
}

func makeCarrier(_ target: AlertTarget) -> any AlertCarrier {
    switch target {
    case .syslog(let target): SyslogCarrier(target)
    case .webhook(let target): WebhookCarrier(target)
    case .mail(let target): MailCarrier(target)
    }
}

/// A moment in UTC, taken apart; within the years 1970 to 9999.
struct CalendarMoment {
    let year: Int32
    /// 1 to 12.
    let month: Int32
    let day: Int32
    let hour: Int32
    let minute: Int32
    let second: Int32
    /// Days since Sunday.
    let weekday: Int32

    init(_ milliseconds: Int64) {
        var seconds = Int(min(max(0, milliseconds / 1000), 253_402_300_799))
        // Safe because both are locals and gmtime_r writes only its second argument.
        var parts = unsafe tm()
        unsafe gmtime_r(&seconds, &parts)
        year = unsafe parts.tm_year + 1900
        month = unsafe parts.tm_mon + 1
        day = unsafe parts.tm_mday
        hour = unsafe parts.tm_hour
        minute = unsafe parts.tm_min
        second = unsafe parts.tm_sec
        weekday = unsafe parts.tm_wday
    }

    var date: String { "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))" }
    var time: String { "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))" }
}

/// RFC 3339 in UTC with milliseconds.
func moment(_ milliseconds: Int64) -> String {
    let parts = CalendarMoment(milliseconds)
    let rest = Int32(((milliseconds % 1000) + 1000) % 1000)
    return "\(parts.date)T\(parts.time).\(padded(rest, 3))Z"
}

func padded(_ number: Int32, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

/// This machine's name, as RFC 5424 §6.2.4 takes it; `-` when it has none.
let hostName: String = {
    var name = [CChar](repeating: 0, count: 256)
    // Safe because one byte less than there is room for is written at most.
    guard unsafe gethostname(&name, name.count - 1) == 0 else { return "-" }
    let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    let isPlain = bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    return bytes.isEmpty || !isPlain ? "-" : String(decoding: bytes, as: UTF8.self)
}()
