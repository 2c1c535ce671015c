// Understanding.swift: an inquiry's request and answer, read as the gate reads them.

package import KeyedHash
package import Lookup

extension Rulebook {
    /// What an inquiry asks, by the protocol its route speaks.
    func question(
        _ inquiry: Inquiry, route: Int, _ key: SipKey
    ) throws(QuestionError) -> Question {
        if configuration.routes[route].lookups == .none { return Question(.capabilities) }
        let reader = configuration.questionReader(route: route, key)
        let methodName = Array(inquiry.method.utf8)
        let method = LookupMethod(methodName.span)
        let path = Array(inquiry.path.utf8)
        let query = Array(inquiry.query.utf8)
        let contentType = Array(inquiry.contentType.utf8)
        let head = try reader.head(
            method: method, path: path.span, query: query.span, contentType: contentType.span)
        switch head {
        case .question(let question): return question
        case .needsBody(let awaited):
            return try reader.question(
                of: inquiry.body.span, awaited: awaited, method: method, path: path.span,
                query: query.span, contentType: contentType.span)
        }
    }

    /// Whom an answer discloses.
    func inspect(
        _ answer: SampleAnswer, to question: Question, route: Int, _ key: SipKey
    ) -> Inspected {
        let reader = configuration.questionReader(route: route, key)
        let inspector = AnswerInspector()
        inspector.begin(
            AnswerExpectation(
                dialect: reader.dialect ?? .fhir, status: answer.status,
                contentType: Array(answer.contentType.utf8), interaction: question.interaction),
            reader.hasher)
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
}

extension Configuration {
    /// Reads the requests of a route; patients are known by hashes under `key`.
    package func questionReader(route: Int, _ key: SipKey) -> QuestionReader {
        let route = routes[route]
        let server = identityServers[route.identityServer]
        return QuestionReader(
            dialect: route.lookups.dialect,
            QuestionRules(countMax: route.lookupRules?.countMax ?? LookupRules.countMaxDefault),
            PersonHasher(key: key, server: server.name, canonicalSystem: server.canonicalSystem))
    }
}

extension Route.Lookups {
    /// The protocol by which requests and answers are read; nil where there is none.
    package var dialect: Dialect? {
        switch self {
        case .fhir: .fhir
        case .hl7v3: .hl7v3
        case .insi: .insi
        case .declared, .none: nil
        }
    }
}
