// Settlement.swift: whom an answer discloses is counted, all of it or nothing, before it may leave.

internal import Limits
internal import Lookup
internal import Policy

extension WorkerCore {
    /// Charges what an inspected answer discloses to who asked; throws when it must not leave.
    func settle(_ inquiry: Inquiry, of exchange: Exchange) throws(Refusal) {
        guard let client = exchange.client, let identity = client.identity,
            let route = inquiry.route
        else { throw .unproven(route: exchange.route ?? 0) }
        if case .unparsed = inquiry.finding {
            guard let charge = route.unparsedCharge else {
                throw .answerNotUnderstood(route: route.index)
            }
            inquiry.assume(charge, number: exchange.requestID)
        }
        let persons = inquiry.persons
        if let set = route.limits(of: inquiry) {
            var event = LimitEvent()
            event.disclosures = UInt32(clamping: persons.count)
            if inquiry.finding == .miss {
                event.misses = UInt32(clamping: max(1, inquiry.question.lookups))
            }
            if event.disclosures > 0 || event.misses > 0 {
                do throws(Refusal) {
                    try charge(
                        identity, set, event, persons: persons, of: client, route: route.index)
                } catch {
                    inquiry.isWithheld = true
                    throw error
                }
                exchange.shadowed = exchange.shadowed || shadowed
            }
        }
        for link in inquiry.links {
            pages.bind(link, to: identity.limitKey, now: clock.milliseconds)
        }
    }

    /// Counts `event` and `persons` against every window of a set, or in none.
    func charge(
        _ identity: ProvenIdentity, _ index: Int, _ event: LimitEvent, persons: Disclosed,
        of client: ClientConnection, route: Int
    ) throws(Refusal) {
    }
}
