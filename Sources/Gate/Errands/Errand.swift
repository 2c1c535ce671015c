// Errand.swift: what a request waits for before it can be judged: finding out who sends it.

internal import Reactor
internal import Revocation
internal import Tokens
internal import Wire

/// Blocking work, and what its result means for the request that waits.
struct Errand {
    let lane: ErrandDesk.Lane
    let work: @Sendable () -> ErrandResult
    /// Called on the worker's own thread.
    let adopt: (ErrandResult) -> ErrandFinding
}

/// What an errand found out; good for the request that waited, and for no other.
enum ErrandFinding {
    case somebody(ProvenIdentity)
    case token(TokenRefusal)
    /// The account, its password or its code is wrong.
    case account
    /// What the certificate's responder says.
    case certificate(OCSPStatus)
    /// Somebody who is cut off.
    case neutralized
    /// The configuration has changed meanwhile: nothing that was found holds any more.
    case outdated
    /// Whoever could say cannot be reached.
    case unavailable
    /// Too much waits already, or it took too long.
    case overloaded

    /// The refusal it means on a route; nil when somebody was found.
    func refusal(on route: Int) -> Refusal? {
        switch self {
        case .somebody, .outdated, .certificate: nil
        case .token(let why): .tokenRefused(route: route, why)
        case .account: .accountRefused(route: route)
        case .neutralized: .neutralized
        case .unavailable: .issuerUnavailable(route: route)
        case .overloaded: .overloaded
        }
    }
}

extension ClientConnection {
    /// Waits for an errand, and reads nothing meanwhile; false when it can be gone on with at once,
    /// since too many wait already.
    func wait(for errand: Errand) -> Bool {
        phase = .recognising
        errandsRun &+= 1
        let number = errandsRun
        let accepted = worker.errands.run(errand.lane, errand.work) { [self] result in
            // Cut, closed or given up meanwhile: nobody waits any more.
            guard phase == .recognising, errandsRun == number else { return }
            goOn(with: errand.adopt(result))
        }
        guard accepted else {
            phase = .idle
            finding = .overloaded
            return false
        }
        watch([])
        return true
    }

    /// Goes on with the request whose head waits.
    func goOn(with finding: ErrandFinding) {
        guard phase == .recognising else { return }
        self.finding = finding
        phase = .idle
        headSearch.reset()
        if !turn.inputEnded { watchInput() }
        understand()
        if phase == .idle || phase == .exchanging, session.hasPending {
            worker.resumeLater(token)
        }
    }
}
