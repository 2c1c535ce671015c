// Usage.swift: what somebody has used of the limits, and what one more request would add.
//
// For whoever asks without the gate's counters: policy tests and `explain`.

package import Identity

/// So many of each thing that is counted.
package struct Usage: Equatable, Sendable {
    package var requests = 0
    package var lookups = 0
    package var patients = 0
    package var disclosures = 0
    package var misses = 0

    package init(
        requests: Int = 0, lookups: Int = 0, patients: Int = 0, disclosures: Int = 0,
        misses: Int = 0
    ) {
        self.requests = requests
        self.lookups = lookups
        self.patients = patients
        self.disclosures = disclosures
        self.misses = misses
    }

    package subscript(_ count: Limit.Count) -> Int {
        switch count {
        case .requests: requests
        case .lookups: lookups
        case .patients: patients
        case .disclosures: disclosures
        case .misses: misses
        }
    }
}

/// Who asks, as far as limits care.
package struct LimitedHolder: Equatable, Sendable {
    /// Titles on the card.
    package var titles: [String]
    /// National identifier of the structure, empty for none.
    package var structure: [UInt8]
    /// How long ago it was proven: the card shown in a full handshake, the sign-in done.
    package var cardAge: Duration
    /// How sure the proof makes.
    package var level: AssuranceLevel

    package init(
        titles: [String] = [], structure: [UInt8] = [], cardAge: Duration = .zero,
        level: AssuranceLevel = .high
    ) {
        self.titles = titles
        self.structure = structure
        self.cardAge = cardAge
        self.level = level
    }
}

extension Rulebook {
    /// Adds the limits of a set to a decision, for somebody who has already used `used` within
    /// every window and now adds `charge`; what the gate asks its counters instead.
    package func decide(
        _ decision: Decision, set: Int?, charging charge: Usage, after used: Usage,
        holder: LimitedHolder
    ) -> Decision {
        guard case .allowed(let route) = decision, let set else { return decision }
        for (index, limit) in configuration.limitSets[set].limits.enumerated()
        where charge[limit.count] > 0 && limit.enforcement != .shadow {
            let (sum, overflow) = used[limit.count].addingReportingOverflow(charge[limit.count])
            guard overflow || sum > limit.limit,
                limit.applies(titles: holder.titles, structure: holder.structure.span)
            else { continue }
            if let age = limit.cardAgeMax {
                guard holder.cardAge > age || holder.level < limit.stepUpLevel else { continue }
                return .stepUpNeeded(route: route, set: set, limit: index)
            }
            return .limitReached(route: route, set: set, limit: index)
        }
        return decision
    }
}

extension Rulebook {
    /// Refuses a lookup of which no answer could leave any more: the ceiling of disclosures or of
    /// misses is reached.
    func expectRoom(
        _ decision: Decision, set: Int?, after used: Usage, holder: LimitedHolder
    ) -> Decision {
        guard case .allowed(let route) = decision, let set else { return decision }
        for (index, limit) in configuration.limitSets[set].limits.enumerated()
        where limit.enforcement == .deny && [.disclosures, .misses].contains(limit.count)
            && used[limit.count] >= limit.limit
            && limit.applies(titles: holder.titles, structure: holder.structure.span)
        {
            return .limitReached(route: route, set: set, limit: index)
        }
        return decision
    }
}
