// Admission.swift: the one place that lets a request pass.
//
// Neutralization, route, identity, what is asked, limits, in that order. Forwarding takes a
// Permit, and only this file can make one (promise P1).

internal import Identity
internal import Limits
internal import Lookup
internal import Policy
internal import Wire

/// Leave to forward one request, once.
struct Permit: ~Copyable {
    /// Index of the route that lets it pass.
    let route: Int
    fileprivate init(route: Int) { self.route = route }
}

/// A request that nothing known from its head forbids; what it asks and the limits are still to be
/// judged.
struct Applicant: ~Copyable {
    /// Index of the route that might let it pass.
    let route: Int
    /// The configuration it is judged by, from its head to its end.
    let generation: Generation
    /// Who asks.
    let identity: ProvenIdentity
    fileprivate init(route: Int, generation: Generation, identity: ProvenIdentity) {
        self.route = route
        self.generation = generation
        self.identity = identity
    }
}

extension WorkerCore {
    /// The route of a request from a client that may ask at all; `bytes` are those its head was
    /// parsed from.
    func route(
        of head: borrowing RequestHead, _ bytes: Span<UInt8>, from client: ClientConnection
    ) throws(Refusal) -> Int {
        let listener = try welcome(client, wantsUpgrade: head.wantsUpgrade)
        let match = generation.rulebook.table.match(
            path: bytes.extracting(head.path), method: Policy.Method(head.method),
            listener: listener)
        return switch match {
        case .route(let index): index
        case .methodNotAllowed: throw .methodNotAllowed
        case .unknown: throw .unknownRoute
        case .ambiguous: throw .ambiguousPath
        }
    }

    /// Whoever may ask anything at all of the gate, and through which listener.
    @discardableResult
    func welcome(_ client: ClientConnection, wantsUpgrade: Bool) throws(Refusal) -> Int {
        // The list is asked when a connection comes in, and again only when the list has changed.
        if client.neutralizationEpoch != neutralizationEpoch { consult(client) }
        let isNeutralized = client.neutralized != nil
        if wantsUpgrade, !isNeutralized { throw .upgrade }
        guard !isDraining, let listener = client.listener else { throw .draining }
        try believeStill(client)
        guard !isNeutralized else { throw .neutralized }
        return listener
    }

    /// Judges whoever asks on a route by what they have shown; nobody is there when they showed
    /// nothing that the route accepts.
    func consider(
        _ identity: ProvenIdentity?, on route: Int, of client: ClientConnection
    ) throws(Refusal) -> Applicant {
        guard let identity else { throw .unproven(route: route) }
        if identity.neutralizationEpoch != neutralizationEpoch { consult(identity) }
        guard identity.neutralized == nil else { throw .neutralized }
        guard !isProofVoid(identity, on: client) else {
            throw identity.method == .token
                ? .tokenTooWeak(route: route) : .proofTooOld(route: route)
        }
        identity.requests.add(now: clock.milliseconds)
        noteNeighbour(identity, client)
        let (professional, structure) = (identity.professional, identity.structure)
        let organisation = identity.organisation
        let decision = generation.rulebook.judge(
            evidence(of: identity, on: client), route: route, professional: professional.span,
            structure: structure.span, organisation: organisation.span)
        if identity.method == .token {
            switch decision {
            case .levelTooLow, .proofTooOld: throw .tokenTooWeak(route: route)
            default: break
            }
        }
        return Applicant(
            route: try passed(decision), generation: generation, identity: identity)
    }

    private func evidence(
        of identity: ProvenIdentity, on client: ClientConnection
    ) -> Evidence {
        Evidence(
            identity.proof, by: identity.method, level: identity.credential.level,
            ageSeconds: proofAge(of: identity, on: client), standing: identity.standing)
    }

    /// Seconds since somebody proved who they are; nil when that is not known.
    func proofAge(of identity: ProvenIdentity, on client: ClientConnection) -> UInt32? {
        guard let provenAt = identity.credential.provenAt else {
            return identity.card == nil ? nil : client.proofAgeSeconds
        }
        return provenAt <= clock.wallSeconds ? UInt32(clamping: clock.wallSeconds - provenAt) : nil
    }

    /// Decides on what an applicant asks, and counts it against every window of its route, or in
    /// none; `inquiry` is there on routes where identities are looked up.
    func admit(
        _ applicant: consuming Applicant, asking inquiry: Inquiry?, of client: ClientConnection
    ) throws(Refusal) -> Permit {
        let index = applicant.route
        let generation = applicant.generation
        let identity = applicant.identity
        // The list may have changed while the body came.
        if client.neutralizationEpoch != neutralizationEpoch { consult(client) }
        if identity.neutralizationEpoch != neutralizationEpoch { consult(identity) }
        guard client.neutralized == nil, identity.neutralized == nil else { throw .neutralized }
        let route = generation.routes[index]
        var event = LimitEvent()
        event.requests = 1
        guard let inquiry else {
            if let set = route.limits(of: identity) {
                try charge(identity, generation, set, event, nil, of: client, route: index)
            }
            return Permit(route: index)
        }
        try judge(inquiry, generation, route, identity)
        event.lookups = UInt32(clamping: inquiry.weight)
        if let set = inquiry.limits(of: identity) {
            if inquiry.weight > 0 { try expectRoom(identity, generation, set, route: index) }
            try charge(identity, generation, set, event, nil, of: client, route: index)
        }
        return Permit(route: index)
    }

    /// What is asked must be allowed on its route, be precise enough, and be the asker's to ask.
    private func judge(
        _ inquiry: Inquiry, _ generation: Generation, _ route: PreparedRoute,
        _ identity: ProvenIdentity
    ) throws(Refusal) {
        let judgement = generation.rulebook.judge(
            inquiry.question, route: route.index, isMachine: identity.proof == .organisation)
        switch judgement {
        case .passes(let lookups): inquiry.weight = lookups
        case .refused(.tooVague(_, let vagueness)):
            throw .tooVague(route: route.index, vagueness)
        case .refused(.questionNotUnderstood(_, let error)):
            throw .questionNotUnderstood(route: route.index, error)
        case .refused: throw .interactionNotAllowed(route: route.index)
        }
        guard let page = inquiry.question.page else { return }
        let number = pages.page(of: page, for: identity.limitKey, now: clock.milliseconds)
        guard let number else { throw .pageNotYours(route: route.index) }
        inquiry.page = number
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
        case .notInDirectory(let route): throw .notInDirectory(route: route)
        case .levelTooLow(let route): throw .levelTooLow(route: route)
        case .proofTooOld(let route): throw .proofTooOld(route: route)
        case .limitReached(let route, let set, let limit):
            throw .limitReached(route: route, .init(set: set, limit: limit, retryAfter: 1))
        case .questionNotUnderstood(let route, _), .interactionNotAllowed(let route, _),
            .tooVague(let route, _), .stepUpNeeded(let route, _, _),
            .answerWithheld(let route, _):
            // INVARIANT: none of these is decided before the request is classified.
            throw .interactionNotAllowed(route: route)
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
