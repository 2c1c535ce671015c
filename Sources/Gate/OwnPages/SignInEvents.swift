// SignInEvents.swift: what happened at the gate's own pages, on its way to log and record.

internal import Identity
internal import Record
internal import SignIn
internal import Synchronization

/// Events that errands left; some worker records them when a page comes back to it.
final class SignInEvents: Sendable {
    private struct Queue {
        var events: [SignInEvent] = []
        var dropped = 0
    }

    private let queue = Mutex(Queue())

    /// Events that wait: as many as there can be errands, some times over.
    static let eventsMax = 4096

    func add(_ event: SignInEvent) {
        queue.withLock { queue in
            if queue.events.count < Self.eventsMax {
                queue.events.append(event)
            } else {
                queue.dropped += 1
            }
        }
    }

    /// All that wait, and how many there was no room for.
    func take() -> (events: [SignInEvent], dropped: Int) {
        queue.withLock { queue in
            defer { queue = Queue() }
            return (queue.events, queue.dropped)
        }
    }
}

extension WorkerCore {
    /// Records and tells what happened at the gate's own pages.
    func noteSignIns() {
        let (events, dropped) = signInEvents.take()
        for event in events {
            desk.record(event, by: self)
            log.say(event.line, kind: "sign-in \(EventName(event.kind).rawValue)")
        }
        if dropped > 0 { log.say("sign-in: \(dropped) events were not recorded: too many at once") }
    }
}

extension SignInEvent {
    /// What the operator reads: no secret, nothing a stranger typed.
    fileprivate var line: String {
        var line = "sign-in: \(EventName(kind).rawValue)"
        if let reason { line += " (\(reason))" }
        if let professional { line += " \(professional)" }
        if let account { line += ", account \(account)" }
        if let provider { line += ", issuer \(provider)" }
        if let method { line += ", by \(method.rawValue)" }
        if let session { line += ", session \(session)" }
        if count > 0 { line += ", \(count) sessions" }
        return line + " from \(peer)"
    }
}
