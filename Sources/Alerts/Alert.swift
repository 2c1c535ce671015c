// Alert.swift: something an operator must know of, as a value that is fit to leave the machine.

internal import CSystem
internal import Glibc

/// What an alert is about; the words of the configuration and of every message.
package enum AlertKind: String, CaseIterable, Sendable {
    /// Requests of somebody, or from somewhere, that is neutralized.
    case probing
    case neutralized
    case reinstated
    /// One order that neutralizes many.
    case massOrder = "mass-order"
    /// A list in force that is older than it should be, or not known at all.
    case listStale = "list-stale"
    /// A list that was offered and not taken.
    case listRefused = "list-refused"
    case journalFailed = "journal-failed"
    case recordFailed = "record-failed"
    /// The record is not what a witness, or the gate itself, has seen of it.
    case recordContradicted = "record-contradicted"
    /// A witness that is not shown what it should be.
    case witnessBehind = "witness-behind"
    /// The record has little room left.
    case recordRoom = "record-room"
    case serverUnreachable = "server-unreachable"
    /// An issuer whose keys cannot be fetched.
    case issuerStale = "issuer-stale"
    /// A security event from elsewhere whose action is to tell of it.
    case signal
    /// A stream of security events that does not live, or a receiver that does not take them.
    case signalsStale = "signals-stale"
    case certificateEnds = "certificate-ends"
    case reloadRefused = "reload-refused"
    /// A reload that nobody confirmed in time.
    case rolledBack = "rolled-back"
    case started
    case stopping
    /// Alerts that do not get through elsewhere.
    case alertFailed = "alert-failed"
    /// Anything else that `herse status` calls degraded.
    case degraded
    /// Sent by `herse alerts test`.
    case test
}

/// How bad it is, RFC 5424 §6.2.1.
package enum AlertSeverity: String, CaseIterable, Comparable, Sendable {
    case emergency
    case alert
    case critical
    case error
    case warning
    case notice
    case informational
    case debug

    /// 0 for the worst to 7.
    package var number: Int {
        switch self {
        case .emergency: 0
        case .alert: 1
        case .critical: 2
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .informational: 6
        case .debug: 7
        }
    }

    /// Less is less bad.
    package static func < (one: AlertSeverity, other: AlertSeverity) -> Bool {
        one.number > other.number
    }
}

/// What facts are told of; a closed list, so that no name needs to be escaped or translated late.
package enum FactName: String, CaseIterable, Sendable {
    case by
    case connections
    case generation
    case sessions
    case subjects
    case ticket
    case until
}

/// One fact, by its name.
package struct AlertFact: Equatable, Sendable {
    package let name: FactName
    /// At most 256 bytes of printable text.
    package let value: String

    package init(_ name: FactName, _ value: String) {
        self.name = name
        self.value = printable(value, bytesMax: 256)
    }

    package init(_ name: FactName, _ value: some BinaryInteger) {
        self.init(name, String(value))
    }
}

/// Something an operator must know of.
///
/// Its texts go by mail and over networks: never patients, never secrets. Whatever they are made
/// of, they hold no control character and have an end.
package struct Alert: Equatable, Sendable {
    package let kind: AlertKind
    package let severity: AlertSeverity
    /// What a destination's `from_severity` is compared with: the end of something is told to
    /// whoever was told of its beginning.
    package let weight: AlertSeverity
    /// Whom or what it is about; alerts of one kind and subject are one and the same, again.
    package let subject: String
    /// One sentence in English.
    package let text: String
    package let facts: [AlertFact]
    /// Milliseconds since 1970.
    package let at: Int64
    /// Under which people speak of it; 16 hexadecimal digits unless it came with one.
    package let incident: String

    /// Bytes of `text`.
    package static let textMax = 1024
    /// Facts of one alert.
    package static let factsMax = 16

    package init(
        _ kind: AlertKind, _ severity: AlertSeverity, subject: String, _ text: String,
        facts: [AlertFact] = [], weight: AlertSeverity? = nil, incident: String? = nil,
        at: Int64? = nil
    ) {
        self.kind = kind
        self.severity = severity
        self.weight = weight ?? severity
        self.subject = printable(subject, bytesMax: 256)
        self.text = printable(text, bytesMax: Self.textMax)
        self.facts = Array(facts.prefix(Self.factsMax))
        self.incident = incident.map { printable($0, bytesMax: 64) } ?? newIncident()
        self.at = at ?? Int64(clamping: herse_clock(CLOCK_REALTIME) / 1_000_000)
    }

    /// The same for many subjects at once: what is sent of a storm.
    var ofMany: Alert {
        Alert(
            kind, severity, subject: "", "different subjects, the latest: \(text)", weight: weight,
            at: at)
    }
}

private func newIncident() -> String {
    let digits = String(UInt64.random(in: .min ... .max), radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
}

/// `text` on one line, of at most `bytesMax` bytes, without what breaks or turns a line.
func printable(_ text: String, bytesMax: Int) -> String {
    // Nearly all of it is short and ASCII, and probes come by the thousand.
    if text.utf8.count <= bytesMax, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) {
        return text
    }
    var shown = ""
    var count = 0
    for scalar in text.unicodeScalars {
        let isPlain =
            switch scalar.value {
            case 0..<0x20, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: false
            default: true
            }
        let kept: Unicode.Scalar = isPlain ? scalar : "\u{FFFD}"
        count += UTF8.width(kept)
        guard count <= bytesMax else { break }
        shown.unicodeScalars.append(kept)
    }
    return shown
}
