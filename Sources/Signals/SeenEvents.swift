// SeenEvents.swift: which events were carried out already, and up to when for whom.
//
// In memory only. What comes again after a restart is carried out again, and that changes nothing:
// an account stays cut off, a moment stays the latest. What an order of old could undo (a
// `account-disabled` that comes after its `account-enabled`) its transmitter alone could send, whose
// events are taken in the order they come anyway.

internal import Synchronization
internal import Tokens

/// A bounded memory of events; every call may be made from any thread.
package final class SeenEvents: Sendable {
    private struct State {
        var current: Set<String> = []
        var previous: Set<String> = []
        /// `iat` of the last event that neutralized or reinstated an account.
        var latest: [String: Int64] = [:]
    }

    private let state = Mutex(State())
    private let countMax: Int

    package init(countMax: Int = 32_768) { self.countMax = countMax }

    /// Whether the event of this `jti` was carried out already.
    package func contains(_ id: String) -> Bool {
        state.withLock { $0.current.contains(id) || $0.previous.contains(id) }
    }

    /// Notes that it was; the oldest make room.
    package func insert(_ id: String) {
        state.withLock { state in
            if state.current.count >= countMax {
                state.previous = state.current
                state.current = []
            }
            state.current.insert(id)
        }
    }

    /// Whether something later than `issuedAt` was said of an account already: events that overtake
    /// one another on their way must not be undone by those they passed.
    package func isOvertaken(_ account: String, issuedAt: Int64) -> Bool {
        state.withLock { $0.latest[account].map { issuedAt < $0 } ?? false }
    }

    package func noteLatest(_ account: String, issuedAt: Int64) {
        state.withLock { state in
            if state.latest.count >= countMax { state.latest = [:] }
            state.latest[account] = max(state.latest[account] ?? issuedAt, issuedAt)
        }
    }
}

/// Which professional is known by which subject at which issuer: whoever proved themselves since
/// the gate started.
package final class SubjectBook: Sendable {
    private let known = Mutex<[String: String]>([:])

    /// Subjects that are remembered; when there are more, all are learned anew.
    static let countMax = 65_536

    package init() {}

    package func learn(issuer: String, subject: String, professional: String) {
        let key = Self.key(issuer, subject)
        known.withLock { known in
            if known.count >= Self.countMax, known[key] == nil { known = [:] }
            known[key] = professional
        }
    }

    package func professional(issuer: String, subject: String) -> String? {
        known.withLock { $0[Self.key(issuer, subject)] }
    }

    /// The issuer's length keeps two pairs apart that are the same when written together.
    private static func key(_ issuer: String, _ subject: String) -> String {
        encodeBase64URL(Array(sha256("\(issuer.utf8.count):\(issuer)\(subject)").prefix(16)))
    }
}
