// Understanding.swift: what a held request asks, by the protocol its route speaks.

internal import Lookup
internal import Wire

extension Inquiry {
    /// Reads what the head tells; what it leaves open is in `awaited`.
    func understandHead() throws(QuestionError) {
        guard let route else { return }
        let (path, query, contentType) = (path, query, contentType)
        let head = try route.reader.head(
            method: LookupMethod(method), path: path.span, query: query.span,
            contentType: contentType.span)
        switch head {
        case .question(let question):
            self.question = question
            // The answer is the patient who is there already, if one is.
            if isConditionalCreate, question.interaction == .feed {
                self.question.lookups = max(1, question.lookups)
            }
        case .needsBody(let awaited): self.awaited = awaited
        }
    }

    /// Reads what the body tells, now that it is whole.
    func understandBody() throws(QuestionError) {
        guard let route, let awaited else { return }
        let (path, query, contentType) = (path, query, contentType)
        question = try withRequestBody { body throws(QuestionError) in
            try route.reader.question(
                of: body, awaited: awaited, method: LookupMethod(method), path: path.span,
                query: query.span, contentType: contentType.span)
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
