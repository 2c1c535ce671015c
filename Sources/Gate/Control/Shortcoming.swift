// Shortcoming.swift: something that is not as it should be, for `herse status` and for alerts.

internal import Alerts

/// One sentence of `degraded`, and what it is about.
///
/// A literal is a shortcoming of no special kind, which is the same as long as its sentence is.
struct Shortcoming: Sendable, ExpressibleByStringInterpolation {
    let kind: AlertKind
    /// What stays the same while the sentence changes: two of one kind and subject are one.
    let subject: String
    let text: String
    /// How bad it is.
    let severity: AlertSeverity

    init(
        _ kind: AlertKind, _ subject: String, _ text: String,
        _ severity: AlertSeverity = .warning
    ) {
        self.severity = severity
        self.kind = kind
        self.subject = subject
        self.text = text
    }

    init(stringLiteral text: String) { self.init(.degraded, text, text) }

    /// By what it is known again.
    var key: String { "\(kind.rawValue) \(subject)" }

    var alert: Alert { Alert(kind, severity, subject: subject, text) }

    /// That it is over; told to whoever was told of it.
    var end: Alert {
        Alert(kind, .notice, subject: subject, "no longer: \(text)", weight: severity)
    }
}
