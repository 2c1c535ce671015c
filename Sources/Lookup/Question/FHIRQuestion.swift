// FHIRQuestion.swift: what a FHIR request asks, by its method, path and query, and by its form.
//
// Classification errs on one side: what a server might take for more than it seems is taken for
// that here.

/// What the route says that classification needs.
package struct QuestionRules: Sendable {
    /// `_count` above it is `largeCount`.
    package var countMax: Int

    package init(countMax: Int) { self.countMax = countMax }
}

/// Where a FHIR request stands before its body: either a question, or the body decides.
package enum FHIRHead: Equatable, Sendable {
    case question(Question)
    case needsBody(FHIRBodyKind)
}

/// What a body has to say.
package enum FHIRBodyKind: Equatable, Sendable {
    /// `_search`: more parameters, beside those of the URL.
    case form
    /// `$match`: the patient looked for.
    case match
    /// A batch or a transaction.
    case bundle
    /// `$ihe-pix` by POST: its parameters.
    case parameters
}

/// Classifies a FHIR request by all that comes before its body.
///
/// `path` is as received, query excluded; `query` is what follows `?`, `contentType` the value of
/// that field, both empty when there is none.
package func questionOfFHIR(
    method: LookupMethod, path: Span<UInt8>, query: Span<UInt8>, contentType: Span<UInt8>,
    _ rules: QuestionRules, _ hasher: PersonHasher
) throws(QuestionError) -> FHIRHead {
    let path = try FHIRPath(path)
    if method == .post, let kind = path.bodyKind {
        let language = try BodyLanguage(contentType: contentType)
        // Its parameters change little, and XML is not read here.
        if kind == .parameters, language == .xml { return .question(Question(.crossReference)) }
        try check(language, is: kind)
        return .needsBody(kind)
    }
    return .question(try questionWithoutBody(method, path, query: query, rules, hasher))
}

/// Classifies a FHIR request whose body was asked for, now that it is here.
///
/// `kind` is what the head was found to need, the rest as it was for the head.
package func questionOfFHIR(
    body: Span<UInt8>, kind: FHIRBodyKind, method: LookupMethod, path: Span<UInt8>,
    query: Span<UInt8>, contentType: Span<UInt8>, _ rules: QuestionRules, _ hasher: PersonHasher
) throws(QuestionError) -> Question {
    let language = try BodyLanguage(contentType: contentType)
    switch kind {
    case .form:
        guard language == .form || body.isEmpty else { throw .mediaTypeNotUnderstood }
        return try questionOfSearch(FHIRPath(path), query: query, form: body, rules, hasher)
    case .match, .parameters:
        try check(language, is: kind)
        return try questionOfOperation(FHIRPath(path), OperationBody(body), rules)
    case .bundle:
        try check(language, is: kind)
        return try BundleBody.question(body, rules, hasher)
    }
}

/// What a request asks whose body does not matter.
func questionWithoutBody(
    _ method: LookupMethod, _ path: FHIRPath, query: Span<UInt8>, _ rules: QuestionRules,
    _ hasher: PersonHasher
) throws(QuestionError) -> Question {
    switch method {
    case .get, .head:
        // Some servers answer it as a search, some as a resource of that id.
        guard !path.isForm else { return Question(.unknown) }
        var facts = SearchFacts()
        try facts.read(query)
        return questionOfGet(path, facts, rules, hasher)
    case .post: return questionOfPost(path)
    case .put, .patch, .delete: return questionOfChange(path, method)
    case .other: return Question(.unknown)
    }
}

/// What a `$match` or `$ihe-pix` by POST asks.
func questionOfOperation(
    _ path: FHIRPath, _ body: OperationBody, _ rules: QuestionRules
) -> Question {
    var question = Question(ownInteraction(of: path))
    if question.interaction == .match {
        question.vagueness = body.vagueness(rules)
    } else {
        question.lookups = max(question.lookups, body.sourceIdentifiers)
    }
    return question
}

private func check(_ language: BodyLanguage, is kind: FHIRBodyKind) throws(QuestionError) {
    let isRead =
        switch kind {
        // Without a Content-Type, an empty body may follow.
        case .form: language == .form || language == .unnamed
        case .match, .bundle, .parameters: language == .json
        }
    guard isRead else { throw .mediaTypeNotUnderstood }
}

/// A search by POST: the URL's parameters and the form's count alike.
func questionOfSearch(
    _ path: FHIRPath, query: Span<UInt8>, form: Span<UInt8>, _ rules: QuestionRules,
    _ hasher: PersonHasher
) throws(QuestionError) -> Question {
    var inURL = SearchFacts()
    try inURL.read(query)
    var inForm = SearchFacts()
    try inForm.read(form)
    if inURL.isEmpty { return questionOfGet(path, inForm, rules, hasher) }
    if inForm.isEmpty { return questionOfGet(path, inURL, rules, hasher) }
    // Should a server look at one of the two only, that one must be narrow by itself.
    var both = inURL
    try both.read(form)
    var question = questionOfGet(path, both, rules, hasher)
    for facts in [inURL, inForm] where facts.criteria > 0 || facts.hasLastUpdated {
        let alone = questionOfGet(path, facts, rules, hasher)
        question.vagueness = Vagueness.worse(question.vagueness, alone.vagueness)
    }
    return question
}

/// What is asked by GET, or by a form that could have been a query string.
private func questionOfGet(
    _ path: FHIRPath, _ facts: SearchFacts, _ rules: QuestionRules, _ hasher: PersonHasher
) -> Question {
    var question = Question(interactionOfGet(path))
    question.addOperation(of: path)
    switch question.interaction {
    case .search, .searchSystem:
        question.lookups = facts.alternatives
        question.vagueness = facts.vagueness(of: path.type, owner: path.owner, rules)
    case .match:
        // Without a body nobody is described.
        question.vagueness = .noCriterion
    case .crossReference:
        question.lookups = facts.alternatives
    case .historyType, .historySystem, .everythingType:
        question.vagueness = facts.largeCount(rules)
    default: break
    }
    if path.type == .impersonal, !facts.reachesFurther, path.isPlain { question.lookups = 0 }
    if let page = facts.page.token(hasher), isPaged(path, facts) {
        question.becomePage(page, path, facts, rules)
    }
    return question
}

/// The interaction of a GET, were it no page link.
private func interactionOfGet(_ path: FHIRPath) -> Interaction {
    switch path.place {
    case .base: .searchSystem
    case .metadata, .wellKnown: .capabilities
    case .history: .historySystem
    case .search: .searchSystem
    case .type, .typeSearch, .compartment, .compartmentSearch:
        path.type == .binary ? .document : .search
    case .typeHistory: .historyType
    case .instance: path.type == .binary ? .document : .read
    case .version: path.type == .binary ? .document : .vread
    case .instanceHistory: path.type == .binary ? .document : .history
    case .operation, .typeOperation, .instanceOperation: ownInteraction(of: path)
    case .exportStatus: .export
    case .nothing: .unknown
    }
}

/// Whether a page parameter is heeded there.
private func isPaged(_ path: FHIRPath, _ facts: SearchFacts) -> Bool {
    if facts.page.countsAnywhere { return true }
    switch path.place {
    case .base, .search, .history, .type, .typeSearch, .typeHistory, .instanceHistory,
        .compartment, .compartmentSearch, .operation, .typeOperation, .instanceOperation:
        return true
    case .metadata, .wellKnown, .instance, .version, .exportStatus, .nothing:
        return false
    }
}

/// What a POST asks whose body does not matter.
private func questionOfPost(_ path: FHIRPath) -> Question {
    switch path.place {
    case .type:
        return Question(path.type == .subscription ? .subscription : .feed)
    case .operation, .typeOperation, .instanceOperation:
        var question = Question(ownInteraction(of: path))
        question.addOperation(of: path)
        return question
    case .exportStatus: return Question(.export)
    default: return Question(.unknown)
    }
}

/// What a PUT, PATCH or DELETE asks.
private func questionOfChange(_ path: FHIRPath, _ method: LookupMethod) -> Question {
    switch path.place {
    case .type, .instance:
        let isSubscribed = path.type == .subscription && method != .delete
        return Question(isSubscribed ? .subscription : .feed)
    case .version, .instanceHistory:
        return Question(method == .delete ? .feed : .unknown)
    case .exportStatus: return Question(.export)
    default: return Question(.unknown)
    }
}

/// The interaction that an operation is; `operation` for those that have none of their own.
private func ownInteraction(of path: FHIRPath) -> Interaction {
    switch (path.operation, path.place) {
    case ("match", .typeOperation): .match
    case ("ihe-pix", .typeOperation): .crossReference
    case ("everything", .instanceOperation):
        path.type?.isOfOnePatient == true ? .everything : .everythingType
    case ("everything", _): .everythingType
    case ("export", _), ("export-poll-status", _), ("bulkdata-status", _), ("exportstatus", _):
        .export
    case ("graphql", _): .graphql
    default: .operation
    }
}

extension SearchFacts {
    /// Whether nothing was said that matters.
    fileprivate var isEmpty: Bool {
        criteria == 0 && count == 0 && page.isEmpty && !hasLastUpdated && !hasOffset
            && !reachesFurther
    }
}

extension FHIRPath {
    /// What the body of a POST decides, if it does.
    var bodyKind: FHIRBodyKind? {
        switch place {
        case .base: .bundle
        case .search, .typeSearch, .compartmentSearch: .form
        case .typeOperation:
            switch ownInteraction(of: self) {
            case .match: .match
            case .crossReference: .parameters
            default: nil
            }
        default: nil
        }
    }

    /// Whether it is one of those that forms are sent to.
    fileprivate var isForm: Bool {
        switch place {
        case .search, .typeSearch, .compartmentSearch: true
        default: false
        }
    }

    /// Whether it names resources, and not what could be made of them.
    fileprivate var isPlain: Bool {
        switch place {
        case .type, .typeSearch, .typeHistory, .instance, .version, .instanceHistory: true
        default: false
        }
    }
}

extension Question {
    fileprivate mutating func addOperation(of path: FHIRPath) {
        if interaction == .operation { operations = [path.operation] }
    }

    /// Makes it the page that its opaque parameters name.
    ///
    /// A server that does not know them answers what else is asked, so that is judged as well.
    fileprivate mutating func becomePage(
        _ token: UInt64, _ path: FHIRPath, _ facts: SearchFacts, _ rules: QuestionRules
    ) {
        let isBare = facts.criteria == 0 && !facts.hasLastUpdated && !facts.hasOffset
        let isOnlyPage = path.place == .base && isBare
        if interaction.isUnbounded, !isOnlyPage {
            interactions.insert(Interactions(.page))
        } else {
            interactions = Interactions(.page)
        }
        interaction = .page
        page = token
        lookups = max(lookups, 1)
        vagueness = isBare ? facts.largeCount(rules) : vagueness
    }
}
