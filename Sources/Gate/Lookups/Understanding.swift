// Understanding.swift: what a held request asks, by the protocol its route speaks.

internal import Lookup
internal import Policy
internal import Wire

extension Inquiry {
    /// Reads what the head tells; what it leaves open is in `awaited`.
    func understandHead() throws(QuestionError) {
        guard let route else { return }
        switch route.lookups {
        case .fhir:
            let (path, query, contentType) = (path, query, contentType)
            let head = try questionOfFHIR(
                method: LookupMethod(method), path: path.span, query: query.span,
                contentType: contentType.span, route.questionRules, route.hasher)
            switch head {
            case .question(let question):
                self.question = question
                // The answer is the patient who is there already, if one is.
                if isConditionalCreate, question.interaction == .feed {
                    self.question.lookups = max(1, question.lookups)
                }
            case .needsBody(let kind): awaited = .fhir(kind)
            }
        case .hl7v3, .insi:
            guard method == .post else {
                // A service's description, by GET: nobody's identity, and inspected all the same.
                question = Question(method == .get || method == .head ? .capabilities : .unknown)
                return
            }
            awaited = .soap(route.lookups == .insi ? .insi : .hl7v3)
        case .declared: question = Question(.declared)
        case .none: break
        }
    }

    /// Reads what the body tells, now that it is whole.
    func understandBody() throws(QuestionError) {
        guard let route, let awaited else { return }
        let (path, query, contentType) = (path, query, contentType)
        switch awaited {
        case .fhir(let kind):
            question = try withRequestBody { body throws(QuestionError) in
                try questionOfFHIR(
                    body: body, kind: kind, method: LookupMethod(method), path: path.span,
                    query: query.span, contentType: contentType.span, route.questionRules,
                    route.hasher)
            }
        case .soap(let dialect):
            question = try withRequestBody { body throws(QuestionError) in
                try questionOfSOAP(
                    body, dialect: dialect, contentType: contentType.span, route.hasher,
                    countMax: route.questionRules.countMax)
            }
        }
    }
}

extension LookupMethod {
    fileprivate init(_ method: Wire.Method) {
        switch method {
        case .get: self = .get
        case .head: self = .head
        case .post: self = .post
        case .put: self = .put
        case .patch: self = .patch
        case .delete: self = .delete
        case .options, .trace, .connect, .other: self = .other
        }
    }
}
