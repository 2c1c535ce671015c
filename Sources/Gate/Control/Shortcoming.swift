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

/// Tells what has become worse or better from one look to the next.
///
/// A look is every two seconds: what is gone at the next was not worth an alert, such as keys that
/// are not fetched yet when the gate starts. What concerns the disk is told at once.
struct ShortcomingWatch: Sendable {
    /// What was told, by its key.
    private var told: [String: Shortcoming] = [:]
    /// What was there at the last look, and is not told yet.
    private var seen: Set<String> = []

    /// What is to be told now that this is found.
    mutating func look(_ found: [Shortcoming]) -> [Alert] {
        var alerts: [Alert] = []
        var (now, fresh): ([String: Shortcoming], Set<String>) = ([:], [])
        for one in found {
            if let earlier = now[one.key], earlier.severity >= one.severity { continue }
            let isKnown = told[one.key].map { $0.severity >= one.severity } ?? false
            let isSure =
                one.kind == .journalFailed || one.kind == .recordFailed
                || one.kind == .recordContradicted
            if isKnown {
                now[one.key] = one
            } else if isSure || seen.contains(one.key) {
                now[one.key] = one
                alerts.append(one.alert)
            } else {
                // What was told of it still holds.
                now[one.key] = told[one.key]
                fresh.insert(one.key)
            }
        }
        alerts += told.filter { now[$0.key] == nil }.map(\.value.end)
        (told, seen) = (now, fresh)
        return alerts
    }
}
