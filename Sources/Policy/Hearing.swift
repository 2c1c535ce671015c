// Hearing.swift: how an inquiry is heard, step by step as the gate goes.

package import KeyedHash
import Lookup

extension Rulebook {
    /// Hears an inquiry; persons are told apart under `key`.
    package func hear(_ inquiry: Inquiry, key: SipKey) -> Hearing {
        var inquiry = inquiry
        inquiry.holder.level = inquiry.evidence.level
        let method = Array(inquiry.method.utf8)
        let path = Array(inquiry.path.utf8)
        let professional = Array(inquiry.professional.utf8)
        var hearing = Hearing(
            decision: decide(
                isNeutralized: inquiry.isNeutralized, method: Method(method.span), path: path.span,
                listener: inquiry.listener, evidence: inquiry.evidence,
                professional: professional.span, structure: inquiry.holder.structure.span,
                organisation: inquiry.organisation.span))
        guard case .allowed(let index) = hearing.decision else { return hearing }
        let route = configuration.routes[index]
        hearing.set = route.limits
        if inquiry.evidence.proof == .organisation, let own = route.machines?.limits {
            hearing.set = own
        }
        if inquiry.breaksGlass, let glass = route.lookupRules?.breakGlass {
            hearing.set = glass.limits
        }
        hearing.charge.requests = 1
        classify(inquiry, route: index, key, &hearing)
        if hearing.charge.lookups > 0 {
            hearing.decision = expectRoom(
                hearing.decision, set: hearing.set, after: inquiry.used, holder: inquiry.holder)
        }
        hearing.decision = decide(
            hearing.decision, set: hearing.set, charging: hearing.charge, after: inquiry.used,
            holder: inquiry.holder)
        guard case .allowed = hearing.decision, let rules = route.lookupRules,
            let question = hearing.question, let answer = inquiry.answer
        else { return hearing }
        let inspected = inspect(answer, to: question, route: index, key)
        hearing.inspected = inspected
        settle(inspected, question, rules, route: index, &hearing)
        // What was asked has been let pass; only what is answered can still reach a limit.
        var settled = hearing.charge
        (settled.requests, settled.lookups) = (0, 0)
        hearing.decision = decide(
            hearing.decision, set: hearing.set, charging: settled, after: inquiry.used,
            holder: inquiry.holder)
        return hearing
    }

    private func classify(
        _ inquiry: Inquiry, route: Int, _ key: SipKey, _ hearing: inout Hearing
    ) {
        guard configuration.routes[route].lookupRules != nil else { return }
        do throws(QuestionError) {
            let question = try question(inquiry, route: route, key)
            hearing.question = question
            let isMachine = inquiry.evidence.proof == .organisation
            switch judge(question, route: route, isMachine: isMachine) {
            case .passes(let lookups): hearing.charge.lookups = lookups
            case .refused(let decision): hearing.decision = decision
            }
        } catch {
            hearing.decision = .questionNotUnderstood(route: route, error)
        }
    }

    /// What an answer adds to the counts, or why it is withheld.
    private func settle(
        _ inspected: Inspected, _ question: Question, _ rules: LookupRules, route: Int,
        _ hearing: inout Hearing
    ) {
        switch inspected.finding {
        case .understood:
            hearing.charge.patients = inspected.persons.count
            hearing.charge.disclosures = inspected.persons.count
        case .miss: hearing.charge.misses = max(1, question.lookups)
        case .nothing: break
        case .unparsed(let why):
            switch rules.unparsed {
            case .withhold: hearing.decision = .answerWithheld(route: route, why)
            case .charge(let patients):
                hearing.charge.patients = patients
                hearing.charge.disclosures = patients
            }
        }
    }
}
