// ErrandDesk.swift: a worker's side of errands: what it waits for, and what has come back.

internal import Reactor
internal import Revocation
internal import SignIn
internal import Synchronization
internal import Tokens

/// What an errand came back with.
enum ErrandResult: Sendable {
    /// What was found out about a token.
    case token(Result<TokenInquiry.Found, TokenRefusal>)
    /// A local account's credentials, judged.
    case account(BasicVerdict)
    /// Whoever should have said cannot be reached.
    case unavailable
    /// A page of the gate's own.
    case page(OwnReply)
    /// Whether a certificate is revoked.
    case certificate(OCSPStatus)
}

/// Results on their way back to a worker; any thread may leave one.
final class ErrandInbox: Sendable {
    private let results = Mutex<[(number: UInt64, result: ErrandResult)]>([])
    private let loop: EventLoop

    init(loop: EventLoop) { self.loop = loop }

    func leave(_ number: UInt64, _ result: ErrandResult) {
        let isFirst = results.withLock { results in
            results.append((number, result))
            return results.count == 1
        }
        if isFirst { loop.wake() }
    }

    func take() -> [(number: UInt64, result: ErrandResult)] {
        results.withLock { results in
            let taken = results
            results.removeAll(keepingCapacity: true)
            return taken
        }
    }
}

/// The errands of one worker.
final class ErrandDesk {
    /// Which of the gate's lanes runs an errand.
    enum Lane {
        /// Recognising somebody who bears proof already.
        case recognition
        /// Pages, passwords: people who are about to sign in.
        case signIn
        /// Events that are pushed: nobody who signs in may keep them waiting.
        case signals
    }

    private let lanes: ErrandLanes
    private let inbox: ErrandInbox
    private var waiting: [UInt64: (ErrandResult) -> Void] = [:]
    private var lastNumber: UInt64 = 0

    init(lanes: ErrandLanes, loop: EventLoop) {
        self.lanes = lanes
        inbox = ErrandInbox(loop: loop)
    }

    /// Has `work` run elsewhere and `done` called here with its result; false when the lane is
    /// full, and nothing happens.
    func run(
        _ lane: Lane, _ work: @escaping @Sendable () -> ErrandResult,
        done: @escaping (ErrandResult) -> Void
    ) -> Bool {
        run(lane) { leave in
            leave(work())
        } done: {
            done($0)
        }
    }

    /// The same for work that is not over when it returns: its result is what is left, once, on
    /// any thread.
    func run(
        _ lane: Lane,
        _ work: @escaping @Sendable (_ leave: @escaping @Sendable (ErrandResult) -> Void) -> Void,
        done: @escaping (ErrandResult) -> Void
    ) -> Bool {
        lastNumber &+= 1
        let number = lastNumber
        let inbox = self.inbox
        let errands =
            switch lane {
            case .recognition: lanes.recognition
            case .signIn: lanes.signIn
            case .signals: lanes.signals
            }
        guard errands.run({ work { inbox.leave(number, $0) } }) else { return false }
        waiting[number] = done
        return true
    }

    /// Hands out what has come back; called when the worker is woken.
    func collect() {
        for (number, result) in inbox.take() { waiting.removeValue(forKey: number)?(result) }
    }
}

/// The lanes all workers share.
struct ErrandLanes: Sendable {
    let recognition: Errands
    let signIn: Errands
    /// What nobody waits for.
    let upkeep: Errands
    /// Events that are pushed, and those that are fetched or sent.
    let signals: Errands
    let streams: Errands

    init() throws(SystemError) {
        signals = try Errands(name: "herse-signals", threads: 2, waitingMax: 256)
        streams = try Errands(name: "herse-streams", threads: 4, waitingMax: 256)
        upkeep = try Errands(name: "herse-upkeep", threads: 4, waitingMax: 64)
        recognition = try Errands(name: "herse-issuers", threads: 8, waitingMax: 1024)
        signIn = try Errands(name: "herse-sign-in", threads: 8, waitingMax: 256)
    }
}
