// EventName.swift: what the record calls what is no exchange.

/// What a line's `event` says.
package enum EventName: String, CaseIterable, Sendable {
    /// An administrator's act.
    case administration
    /// A connection that ended before any request because of its certificate.
    case handshakeRefused = "handshake-refused"
    /// A segment went.
    case purged
    /// Somebody reads the record.
    case recordRead = "record-read"

    // On the gate's own pages.
    case signedIn = "signed-in"
    case signedOut = "signed-out"
    case providerLogout = "provider-logout"
    case enrolled
    case halfway
    case refused
    case delayed

    /// The field, as it stands in a line after another.
    package var field: String { ",\"event\":\"\(rawValue)\"" }
}
