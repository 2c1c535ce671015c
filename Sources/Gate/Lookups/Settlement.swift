// Settlement.swift: counting against limits, at admission and again when it is known whom an answer
// discloses: all of it is counted and may leave, or nothing.

internal import Identity
internal import Limits
internal import Lookup
internal import Wire

extension Exchange {
    /// Takes over what the limits said of the last charge.
    func isCharged() {
        shadowed = shadowed || worker.shadowed
        notes.left = worker.left
        notes.list = worker.listRecord
    }
}

extension WorkerCore {
    /// Charges what an inspected answer discloses to who asked; throws when it must not leave.
    func settle(_ inquiry: Inquiry, of exchange: Exchange) throws(Refusal) {
        guard let route = inquiry.route, let client = exchange.client,
            let identity = exchange.identity
        else { throw .unproven(route: exchange.route ?? 0) }
        if case .unparsed = inquiry.finding {
            guard let count = route.unparsedCharge else {
                throw .answerNotUnderstood(route: route.index)
            }
            inquiry.assume(count, for: exchange.requestID)
        }
        var event = LimitEvent()
        event.disclosures = UInt32(clamping: inquiry.personCount)
        if inquiry.finding == .miss {
            event.misses = UInt32(clamping: max(1, inquiry.question.lookups))
        }
        if let set = inquiry.limits(of: identity), event.disclosures > 0 || event.misses > 0 {
            inquiry.isWithheld = true
            try charge(
                identity, exchange.generation, set, event, inquiry, of: client, route: route.index)
            inquiry.isWithheld = false
            exchange.isCharged()
        }
        let next = inquiry.page + 1
        if let query = inquiry.question.opens, inquiry.finding == .understood {
            pages.bind(query, to: identity.limitKey, page: next, now: clock.milliseconds)
        }
        for link in inquiry.links {
            // A query that goes on under one name moves on; any other link stays what it was.
            pages.bind(
                link, to: identity.limitKey, page: next, movesOn: link == inquiry.question.page,
                now: clock.milliseconds)
        }
    }

    /// Counts an event, and the persons of an inquiry, against every window of a set, or in none.
    func charge(
        _ identity: ProvenIdentity, _ generation: Generation, _ index: Int, _ event: LimitEvent,
        _ inquiry: Inquiry?, of client: ClientConnection, route: Int
    ) throws(Refusal) {
        let prepared = generation.limits[index]
        let extras = self.extras(of: identity)
        let keys = inquiry?.personKeys ?? Self.noKeys
        let starts = inquiry?.personStarts ?? Self.noStarts
        let outcome = limits.charge(
            identity.limitSubjects, prepared.set,
            applies: identity.applying(index, in: generation), event: event,
            persons: keys.span, starts: starts.span, extras: extras,
            authenticationAge: identity.credential.level >= prepared.stepUpLevel
                ? proofAge(of: identity, on: client) : nil, now: limitTime)
        shadowed = outcome.shadowed != 0
        if let tightest = outcome.tightest {
            let rest = tightest.limit - min(tightest.limit, tightest.used)
            left = min(left ?? rest, rest)
        }
        switch outcome.decision {
        case .allowed: return
        case .limited(let window, let wait):
            throw .limitReached(
                route: route,
                .init(set: index, limit: window, retryAfter: Int(clamping: max(wait, 1))))
        case .stepUpNeeded(let window, _):
            let reached = Refusal.LimitReached(set: index, limit: window, retryAfter: 1)
            throw identity.method == .token
                ? .tokenStepUp(route: route, reached) : .stepUp(route: route, reached)
        case .noRoom: throw .limitsUnavailable(route: route)
        }
    }

    private static let noKeys: [UInt64] = []
    private static let noStarts: [Int] = []

    /// Refuses a lookup of which no answer could leave any more: the ceiling of disclosures or of
    /// misses is reached.
    func expectRoom(
        _ identity: ProvenIdentity, _ generation: Generation, _ index: Int, route: Int
    ) throws(Refusal) {
        let exhausted = limits.exhausted(
            identity.limitSubjects, generation.limits[index].set,
            applies: identity.applying(index, in: generation), kinds: .ofAnswers,
            extras: extras(of: identity), now: limitTime)
        guard let exhausted else { return }
        throw .limitReached(
            route: route,
            .init(
                set: index, limit: exhausted.window,
                retryAfter: Int(clamping: max(exhausted.retryAfterSeconds, 1))))
    }

    /// What administrators granted a professional, and is not over.
    private func extras(of identity: ProvenIdentity) -> LimitExtras {
        grants.isEmpty ? .none : grants.extras(of: identity.limitKey, at: limitTime)
    }
}
