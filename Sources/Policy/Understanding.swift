// Understanding.swift: an inquiry's request and answer, read as the gate reads them.

import KeyedHash
import Lookup

extension Rulebook {
    /// What an inquiry asks, by the protocol its route speaks.
    func question(
        _ inquiry: Inquiry, route: Int, _ key: SipKey
    ) throws(QuestionError) -> Question {
        let hasher = hasher(route: route, key)
        let countMax = configuration.routes[route].lookupRules?.countMax ?? 50
        let methodName = Array(inquiry.method.utf8)
        let method = LookupMethod(methodName.span)
        switch configuration.routes[route].lookups {
        case .fhir:
            return try questionOfFHIR(
                inquiry, method, QuestionRules(countMax: countMax), hasher)
        case .hl7v3, .insi:
            switch method {
            case .post: break
            // A service's description: nobody's identity.
            case .get, .head: return Question(.capabilities)
            default: return Question(.unknown)
            }
            let contentType = Array(inquiry.contentType.utf8)
            return try questionOfSOAP(
                inquiry.body.span,
                dialect: configuration.routes[route].lookups == .insi ? .insi : .hl7v3,
                contentType: contentType.span, hasher, countMax: countMax)
        case .declared: return Question(.declared)
        case .none: return Question(.capabilities)
        }
    }

    private func questionOfFHIR(
        _ inquiry: Inquiry, _ method: LookupMethod, _ rules: QuestionRules, _ hasher: PersonHasher
    ) throws(QuestionError) -> Question {
        let path = Array(inquiry.path.utf8)
        let query = Array(inquiry.query.utf8)
        let contentType = Array(inquiry.contentType.utf8)
        let head = try Lookup.questionOfFHIR(
            method: method, path: path.span, query: query.span, contentType: contentType.span,
            rules, hasher)
        switch head {
        case .question(let question): return question
        case .needsBody(let kind):
            return try Lookup.questionOfFHIR(
                body: inquiry.body.span, kind: kind, method: method, path: path.span,
                query: query.span, contentType: contentType.span, rules, hasher)
        }
    }

    /// Whom an answer discloses.
    func inspect(
        _ answer: SampleAnswer, to question: Question, route: Int, _ key: SipKey
    ) -> Inspected {
        let dialect: Dialect =
            switch configuration.routes[route].lookups {
            case .hl7v3: .hl7v3
            case .insi: .insi
            case .fhir, .declared, .none: .fhir
            }
        let inspector = AnswerInspector()
        inspector.begin(
            AnswerExpectation(
                dialect: dialect, status: answer.status,
                contentType: Array(answer.contentType.utf8), interaction: question.interaction),
            hasher(route: route, key))
        if case .declared(let index) = configuration.routes[route].lookups,
            let extractor = try? Extractor(configuration.extractors[index].definition)
        {
            inspector.inspect(answer.body.span, as: extractor)
        } else {
            inspector.inspect(answer.body.span, isWhole: true)
        }
        let persons = inspector.findings.persons
        return Inspected(
            finding: inspector.finding,
            persons: (0..<persons.count).map { persons.key(of: $0) }, fields: persons.fields)
    }

    private func hasher(route: Int, _ key: SipKey) -> PersonHasher {
        let server = configuration.identityServers[configuration.routes[route].identityServer]
        return PersonHasher(
            key: key, server: server.name, canonicalSystem: server.canonicalSystem)
    }
}
