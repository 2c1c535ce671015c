// SignalInbox.swift: events on their way from errands to the control plane, which alone carries
// them out.

internal import Reactor
internal import Signals
internal import Synchronization

/// An event that is believed, and who waits to hear what became of it.
struct SignalOrder: Sendable {
    let receiver: ReceiverDesk
    let event: SecurityEvent
    let signal: SignalEvent
    let subject: SubjectIdentifier
    /// Called once, on any thread.
    let done: @Sendable (SignalOutcome) -> Void
}

/// What outlives every configuration of the streams: orders that wait, and files of the state.
final class SignalInbox: Sendable {
    private let orders = Mutex<[SignalOrder]>([])
    private let loop = Mutex<EventLoop?>(nil)
    private let outbox = Mutex<Outbox?>(nil)
    /// Since when somebody has to have proven who they are.
    let moments = ProofMoments()
    /// Who is known by which subject.
    let book = SubjectBook()

    /// Orders that wait at once.
    static let ordersMax = 1024

    /// Has the control plane's loop woken by every order from now on.
    func attach(_ loop: EventLoop) { self.loop.withLock { $0 = loop } }

    /// Whether there was room for it.
    func put(_ order: SignalOrder) -> Bool {
        let accepted = orders.withLock { orders in
            guard orders.count < Self.ordersMax else { return false }
            orders.append(order)
            return true
        }
        if accepted { loop.withLock { $0 }?.wake() }
        return accepted
    }

    func next() -> SignalOrder? {
        orders.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    var isEmpty: Bool { orders.withLock { $0.isEmpty } }

    /// Opens the files of the state folder, unless they are open.
    func open(
        folder: String, transmits: Bool, now: Int64
    ) throws(LineJournalError) -> Outbox? {
        try moments.open(folder: folder, now: now)
        guard transmits else { return nil }
        return try outbox.withLock { outbox throws(LineJournalError) in
            if let outbox { return outbox }
            let made = try Outbox(folder: folder)
            outbox = made
            return made
        }
    }
}
