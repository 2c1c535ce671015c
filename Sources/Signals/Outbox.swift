// Outbox.swift: what is to be told others, kept on the disk until they have it or it is too old.

internal import JSON
internal import Synchronization
internal import Tokens

/// An event that waits for one receiver.
package struct OutgoingEvent: Equatable, Sendable {
    /// The receiver's name in the configuration.
    package let receiver: String
    /// `jti`.
    package let id: String
    /// Seconds since 1970.
    package let at: Int64
    /// A JSON text, without what is known only when it is sent.
    package let claims: [UInt8]

    package init(receiver: String, id: String, at: Int64, claims: [UInt8]) {
        self.receiver = receiver
        self.id = id
        self.at = at
        self.claims = claims
    }

    fileprivate var line: String { "+ \(receiver) \(id) \(at) \(encodeBase64URL(claims))" }

    fileprivate init?(_ parts: [Substring]) {
        guard parts.count == 5, let at = Int64(parts[3]),
            let claims = decodeBase64URL(String(parts[4]))
        else { return nil }
        self.init(receiver: String(parts[1]), id: String(parts[2]), at: at, claims: claims)
    }
}

/// The queue of all receivers; every call may be made from any thread.
package final class Outbox: Sendable {
    private struct State {
        /// By receiver, the oldest first.
        var waiting: [String: [OutgoingEvent]] = [:]
        var counts: [String: Counts] = [:]
    }

    /// What became of a receiver's events since the start.
    package struct Counts: Equatable, Sendable {
        package var sent: UInt64 = 0
        /// Refused for good, too old, or too many.
        package var failed: UInt64 = 0
    }

    private let state: Mutex<State>
    private let journal: LineJournal
    /// Held while memory and disk are made the same.
    private let isWritten = Mutex(())

    /// Events that wait for one receiver.
    package static let waitingMax = 10_000
    /// Bytes of a journal with nothing left in it that is rewritten.
    private static let rewriteBytes = 1 << 20

    package init(folder: String) throws(LineJournalError) {
        let (journal, lines) = try LineJournal.open(folder: folder, name: "outbox")
        self.journal = journal
        var state = State()
        for line in lines {
            let parts = line.split(separator: " ")
            if parts.first == "-", parts.count == 3 {
                state.waiting[String(parts[1])]?.removeAll { $0.id == parts[2] }
            } else if parts.first == "+", let event = OutgoingEvent(parts) {
                // A receiver's events in the order they were decided.
                state.waiting[event.receiver, default: []].append(event)
            }
        }
        self.state = Mutex(state)
    }

    /// Keeps events; when it throws they wait all the same, and are lost if the gate stops before
    /// they are sent.
    package func add(_ events: [OutgoingEvent]) throws(LineJournalError) {
        try isWritten.withLock { _ throws(LineJournalError) in try addWritten(events) }
    }

    private func addWritten(_ events: [OutgoingEvent]) throws(LineJournalError) {
        let accepted = state.withLock { state in
            events.filter { event in
                guard state.waiting[event.receiver, default: []].count < Self.waitingMax else {
                    state.counts[event.receiver, default: Counts()].failed += 1
                    return false
                }
                state.waiting[event.receiver, default: []].append(event)
                return true
            }
        }
        if !accepted.isEmpty { try journal.append(accepted.map(\.line)) }
    }

    /// The oldest event that waits for a receiver.
    package func next(for receiver: String) -> OutgoingEvent? {
        state.withLock { $0.waiting[receiver]?.first }
    }

    /// Forgets an event: it was sent, or never will be.
    ///
    /// When it throws, it may be sent once more after a restart, under the same `jti`.
    package func remove(_ event: OutgoingEvent, wasSent: Bool) throws(LineJournalError) {
        try isWritten.withLock { _ throws(LineJournalError) in
            try removeWritten(event, wasSent: wasSent)
        }
    }

    private func removeWritten(
        _ event: OutgoingEvent, wasSent: Bool
    ) throws(LineJournalError) {
        let isEmpty = state.withLock { state in
            state.waiting[event.receiver]?.removeAll { $0.id == event.id }
            if wasSent {
                state.counts[event.receiver, default: Counts()].sent += 1
            } else {
                state.counts[event.receiver, default: Counts()].failed += 1
            }
            return state.waiting.values.allSatisfy(\.isEmpty)
        }
        try journal.append(["- \(event.receiver) \(event.id)"])
        if isEmpty || journal.length > LineJournal.bytesMax / 2,
            journal.length > Self.rewriteBytes
        {
            try journal.replace(
                with: state.withLock { state in state.waiting.values.flatMap { $0 } }.map(\.line))
        }
    }

    /// Forgets what waits for receivers that are none of these: nobody tells them any more.
    package func keep(only receivers: Set<String>) throws(LineJournalError) {
        try isWritten.withLock { _ throws(LineJournalError) in
            let isChanged = state.withLock { state in
                let before = state.waiting.count
                state.waiting = state.waiting.filter {
                    receivers.contains($0.key) && !$0.value.isEmpty
                }
                return state.waiting.count != before
            }
            guard isChanged else { return }
            try journal.replace(
                with: state.withLock { state in state.waiting.values.flatMap { $0 } }.map(\.line))
        }
    }

    /// How many wait, and since when the oldest does.
    package func waiting(for receiver: String) -> (count: Int, oldestAt: Int64?) {
        state.withLock { state in
            let waiting = state.waiting[receiver] ?? []
            return (waiting.count, waiting.first?.at)
        }
    }

    package func counts(of receiver: String) -> Counts {
        state.withLock { $0.counts[receiver] ?? Counts() }
    }
}
