// LookupJudgement.swift: what is decided of a lookup once it is known what it asks.
//
// Comes after route and identity, before the limits: the gate, `explain`, `replay` and the policy
// tests ask the same function.

package import Lookup

/// What becomes of a classified request.
package enum LookupJudgement: Equatable, Sendable {
    /// It goes on, and counts as so many lookups.
    case passes(lookups: Int)
    case refused(Decision)
}

extension Rulebook {
    /// Judges what a request asks by the rules of its route; allocates nothing when it passes.
    ///
    /// `isMachine` says that an organisation's certificate asks: it looks for patients only where
    /// `machines` lets it.
    package func judge(
        _ question: Question, route: Int, isMachine: Bool = false
    ) -> LookupJudgement {
        guard let rules = configuration.routes[route].lookupRules else {
            return .passes(lookups: 0)
        }
        if isMachine, let machines = configuration.routes[route].machines, !machines.mayLookUp,
            let interaction = Interaction.allCases.first(where: {
                question.interactions.contains($0) && !$0.isOpenToMachines
            })
        {
            return .refused(.interactionNotAllowed(route: route, interaction))
        }
        if let forbidden = forbidden(question, rules) {
            return .refused(.interactionNotAllowed(route: route, forbidden))
        }
        var weight = rules.weight(of: question.interactions)
        if let vagueness = question.vagueness {
            switch rules.vague {
            case .refuse: return .refused(.tooVague(route: route, vagueness))
            case .weigh(let lookups): weight = saturating(weight, times: lookups)
            case .allow: break
            }
        }
        return .passes(lookups: saturating(max(0, question.lookups), times: weight))
    }

    /// The first thing asked that the route does not let pass.
    private func forbidden(_ question: Question, _ rules: LookupRules) -> Interaction? {
        if rules.interactions.isSuperset(of: question.interactions) { return nil }
        for interaction in Interaction.allCases
        where question.interactions.contains(interaction)
            && !rules.interactions.contains(interaction)
        {
            let isListed =
                interaction == .operation && !question.operations.isEmpty
                && question.operations.allSatisfy(rules.operations.contains)
            if !isListed { return interaction }
        }
        return nil
    }
}

extension Interaction {
    /// Whether a machine that may not look up may ask it: it names the one patient it is about, or
    /// tells of one, and goes through nobody else.
    fileprivate var isOpenToMachines: Bool {
        switch self {
        case .capabilities, .read, .vread, .history, .crossReference, .crossReferenceQuery, .feed,
            .batch, .transaction, .cancel:
            true
        default: false
        }
    }
}

extension LookupRules {
    /// How many lookups one of these counts as; of several things asked at once, the heaviest.
    package func weight(of interactions: Interactions) -> Int {
        var heaviest = 1
        for (interaction, lookups) in weights where !interactions.isDisjoint(with: interaction) {
            heaviest = max(heaviest, lookups)
        }
        return heaviest
    }
}

private func saturating(_ left: Int, times right: Int) -> Int {
    let (product, overflow) = left.multipliedReportingOverflow(by: right)
    return overflow ? .max : product
}
