// QuestionReader.swift: what a request asks, by the protocol its route speaks.
//
// The gate, `explain` and the policy tests read by this alone, so that what they tell is what would
// happen.

/// Reads the requests of one route.
package struct QuestionReader: Sendable {
    /// What must be read of a body before a request is understood.
    package enum Awaited: Equatable, Sendable {
        case fhir(FHIRBodyKind)
        case soap(Dialect)
    }

    /// Where a request stands before its body: either a question, or the body decides.
    package enum Head: Equatable, Sendable {
        case question(Question)
        case needsBody(Awaited)
    }

    /// The protocol spoken; nil where an extractor is declared.
    package let dialect: Dialect?
    package let rules: QuestionRules
    package let hasher: PersonHasher

    package init(dialect: Dialect?, _ rules: QuestionRules, _ hasher: PersonHasher) {
        self.dialect = dialect
        self.rules = rules
        self.hasher = hasher
    }

    /// Reads all that comes before the body; the arguments are as for `questionOfFHIR`.
    package func head(
        method: LookupMethod, path: Span<UInt8>, query: Span<UInt8>, contentType: Span<UInt8>
    ) throws(QuestionError) -> Head {
        switch dialect {
        case .fhir:
            let head = try questionOfFHIR(
                method: method, path: path, query: query, contentType: contentType, rules, hasher)
            switch head {
            case .question(let question): return .question(question)
            case .needsBody(let kind): return .needsBody(.fhir(kind))
            }
        case .hl7v3: return soapHead(method, .hl7v3)
        case .insi: return soapHead(method, .insi)
        case nil: return .question(Question(.declared))
        }
    }

    private func soapHead(_ method: LookupMethod, _ dialect: Dialect) -> Head {
        switch method {
        case .post: .needsBody(.soap(dialect))
        // A service's description: nobody's identity, and inspected all the same.
        case .get, .head: .question(Question(.capabilities))
        case .put, .patch, .delete, .other: .question(Question(.unknown))
        }
    }

    /// Reads the body that the head left to decide, now that it is whole.
    package func question(
        of body: Span<UInt8>, awaited: Awaited, method: LookupMethod, path: Span<UInt8>,
        query: Span<UInt8>, contentType: Span<UInt8>
    ) throws(QuestionError) -> Question {
        switch awaited {
        case .fhir(let kind):
            try questionOfFHIR(
                body: body, kind: kind, method: method, path: path, query: query,
                contentType: contentType, rules, hasher)
        case .soap(let dialect):
            try questionOfSOAP(
                body, dialect: dialect, contentType: contentType, hasher,
                countMax: rules.countMax)
        }
    }
}
