// Admission.swift: the one place that lets a request pass.
//
// Neutralization, route, identity, limits, in that order. Forwarding takes a Permit, and only
// this file can make one (promise P1).

internal import Limits
internal import Policy
internal import Wire

/// Leave to forward one request, once.
struct Permit: ~Copyable {
    /// Index of the route that lets it pass.
    let route: Int
    fileprivate init(route: Int) { self.route = route }
}

extension WorkerCore {
    /// Decides on a request; `bytes` are those its head was parsed from.
    func admit(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, of client: ClientConnection
    ) throws(Refusal) -> Permit {
        // The list is asked when a connection comes in, and again only when the list has changed.
        if client.neutralizationEpoch != neutralizationEpoch { consult(client) }
        let isNeutralized = client.neutralized != nil
        if head.wantsUpgrade, !isNeutralized { throw .upgrade }
        guard !isDraining, let listener = client.listener else { throw .draining }
        try believeStill(client)

        let identity = client.identity
        let professional = identity?.professional ?? WorkerCore.nothing
        let structure = identity?.structure ?? WorkerCore.nothing
        let decision = generation.rulebook.decide(
            isNeutralized: isNeutralized, method: Policy.Method(head.method),
            path: bytes.extracting(head.path), listener: listener,
            proof: identity?.proof ?? .none,
            professional: professional.span, structure: structure.span)
        let route = try passed(decision)

        guard let identity else { throw .unproven(route: route) }
        try charge(identity, route: route)
        return Permit(route: route)
    }

    /// A certificate believed under an earlier generation, or whose time or list has ended since,
    /// is verified again.
    private func believeStill(_ client: ClientConnection) throws(Refusal) {
        if client.identity == nil { return }
        if client.believedIn == generation.number, clock.wallSeconds <= client.believedUntil {
            return
        }
        guard believeAgain(client) else { throw .notBelieved }
    }

    /// The route of a decision that lets pass, else the refusal it means.
    private func passed(_ decision: Policy.Decision) throws(Refusal) -> Int {
        switch decision {
        case .allowed(let route): return route
        case .neutralized: throw .neutralized
        case .ambiguousPath: throw .ambiguousPath
        case .unknownRoute: throw .unknownRoute
        case .methodNotAllowed: throw .methodNotAllowed
        case .unproven(let route): throw .unproven(route: route)
        case .nobody(let route): throw .nobody(route: route)
        case .organisationRefused(let route): throw .organisation(route: route)
        case .nonNominativeRefused(let route): throw .nonNominative(route: route)
        case .professionalNotAllowed(let route): throw .professionalNotAllowed(route: route)
        case .structureNotAllowed(let route): throw .structureNotAllowed(route: route)
        case .limitReached(let route, let set, let limit):
            throw .limitReached(route: route, .init(set: set, limit: limit, retryAfter: 1))
        case .questionNotUnderstood(let route, _), .interactionNotAllowed(let route, _),
            .tooVague(let route, _), .stepUpNeeded(let route, _, _),
            .answerWithheld(let route, _):
            // INVARIANT: none of these is decided before the request is classified.
            throw .professionalNotAllowed(route: route)
        }
    }

    /// Counts the request against every window of its route, or in none.
    private func charge(_ identity: ProvenIdentity, route: Int) throws(Refusal) {
        guard let index = generation.routes[route].limits else { return }
        let outcome = limits.charge(
            LimitSubjects(professional: identity.limitKey), generation.limits[index].set,
            event: LimitEvent(requests: 1), now: limitTime)
        shadowed = outcome.shadowed != 0
        switch outcome.decision {
        case .allowed: return
        case .limited(let window, let wait):
            throw .limitReached(
                route: route,
                .init(set: index, limit: window, retryAfter: Int(clamping: max(wait, 1))))
        // No proof fresher than the connection's is known here yet.
        case .stepUpNeeded(let window, _):
            throw .limitReached(route: route, .init(set: index, limit: window, retryAfter: 1))
        case .noRoom: throw .limitsUnavailable(route: route)
        }
    }
}

extension Policy.Method {
    /// The same method as the wire has it.
    @inline(__always)
    init(_ method: Wire.Method) {
        switch method {
        case .get: self = .get
        case .head: self = .head
        case .post: self = .post
        case .put: self = .put
        case .patch: self = .patch
        case .delete: self = .delete
        case .options: self = .options
        case .trace, .connect, .other: self = .other
        }
    }
}
