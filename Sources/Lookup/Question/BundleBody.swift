// BundleBody.swift: what the entries of a batch or transaction ask, each classified by itself.

/// Gathers the question of a Bundle of requests.
struct BundleBody {
    /// Entries of one Bundle; each can be a lookup of its own.
    static let entriesMax = 1000

    private let rules: QuestionRules
    private let hasher: PersonHasher
    private var question = Question(.unknown)
    private var entries = 0

    private init(_ rules: QuestionRules, _ hasher: PersonHasher) {
        self.rules = rules
        self.hasher = hasher
        question.interactions = []
        question.lookups = 0
    }

    /// What the Bundle asks.
    static func question(
        _ body: Span<UInt8>, _ rules: QuestionRules, _ hasher: PersonHasher
    ) throws(QuestionError) -> Question {
        var bundle = BundleBody(rules, hasher)
        try bundle.read(body)
        return bundle.question
    }

    private enum Key: Sendable { case resourceType, type, entry }

    private static let keys = WordTable<Key>([
        (.resourceType, "resourceType"), (.type, "type"), (.entry, "entry"),
    ])
    private static let types = WordTable<Interaction>([
        (.batch, "batch"), (.transaction, "transaction"),
    ])

    private mutating func read(_ body: Span<UInt8>) throws(QuestionError) {
        guard try resourceKind(body) == .bundle else { throw .bodyNotUnderstood }
        var json = JSONBody()
        var type = Once<[UInt8]>()
        var list = Once<Void>()
        try json.beginObject(body)
        while let key = try json.key(body, of: Self.keys) {
            switch key {
            case .known(.type): try type.set(json.text(body))
            case .known(.entry):
                try list.set(())
                try json.beginArray(body)
                while try json.nextObject(body) { try readEntry(body, &json) }
            case .known(.resourceType), .unknown: _ = try json.skip(body)
            }
        }
        try json.finish(body)
        guard let type = type.value else { throw .bodyNotUnderstood }
        // Messages and documents are no requests; what a server makes of them nobody knows.
        question.interaction = Self.types.exactly(type.span) ?? .unknown
        question.interactions.insert(Interactions(question.interaction))
        if question.interaction == .unknown { question.lookups = max(question.lookups, 1) }
    }

    private enum EntryKey: Sendable { case request, resource, method, url, ifNoneExist }

    private static let entryKeys = WordTable<EntryKey>([
        (.request, "request"), (.resource, "resource"),
    ])
    private static let requestKeys = WordTable<EntryKey>([
        (.method, "method"), (.url, "url"), (.ifNoneExist, "ifNoneExist"),
    ])

    private mutating func readEntry(
        _ body: Span<UInt8>, _ json: inout JSONBody
    ) throws(QuestionError) {
        entries += 1
        guard entries <= Self.entriesMax else { throw .tooManyEntries }
        var request = Once<EntryRequest>()
        var resource = Once<Range<Int>>()
        while let key = try json.key(body, of: Self.entryKeys) {
            switch key {
            case .known(.request): try request.set(readRequest(body, &json))
            case .known(.resource): try resource.set(json.skip(body))
            default: _ = try json.skip(body)
            }
        }
        guard let request = request.value else { throw .bodyNotUnderstood }
        // Outside of a type there is no resource to look at: the body is the Bundle's own.
        let place = resource.value ?? 0..<0
        try add(question(of: request, resource: body.extracting(place)))
    }

    private func readRequest(
        _ body: Span<UInt8>, _ json: inout JSONBody
    ) throws(QuestionError) -> EntryRequest {
        var method = Once<[UInt8]>()
        var url = Once<[UInt8]>()
        var condition = Once<[UInt8]>()
        try json.beginObject(body)
        while let key = try json.key(body, of: Self.requestKeys) {
            switch key {
            case .known(.method): try method.set(json.text(body))
            case .known(.url): try url.set(json.text(body))
            case .known(.ifNoneExist): try condition.set(json.text(body))
            default: _ = try json.skip(body)
            }
        }
        guard let method = method.value, let url = url.value else { throw .bodyNotUnderstood }
        return EntryRequest(
            method: LookupMethod(method.span), url: url,
            isConditional: condition.value?.isEmpty == false)
    }

    private func question(
        of request: EntryRequest, resource: Span<UInt8>
    ) throws(QuestionError) -> Question {
        let url = request.url.span
        let (path, query) = try placesOfURL(url)
        let place = try FHIRPath(url.extracting(path))
        if request.method == .post, let kind = place.bodyKind {
            return try question(
                ofPost: kind, place, query: url.extracting(query), resource: resource)
        }
        var question = try questionWithoutBody(
            request.method, place, query: url.extracting(query), rules, hasher)
        // Who creates what exists already is answered with what exists.
        if request.isConditional, request.method == .post, question.interaction == .feed {
            question.lookups = 1
        }
        return question
    }

    private func question(
        ofPost kind: FHIRBodyKind, _ path: FHIRPath, query: Span<UInt8>, resource: Span<UInt8>
    ) throws(QuestionError) -> Question {
        switch kind {
        // An entry has no form; what its URL says is all there is.
        case .form: return try questionOfSearch(path, query: query, form: Span(), rules, hasher)
        case .match, .parameters:
            guard !resource.isEmpty else {
                return try questionWithoutBody(.get, path, query: query, rules, hasher)
            }
            return try questionOfOperation(path, OperationBody(resource), rules)
        case .bundle: throw .bodyNotUnderstood
        }
    }

    private mutating func add(_ entry: Question) throws(QuestionError) {
        question.interactions.formUnion(entry.interactions)
        question.lookups += entry.lookups
        question.vagueness = Vagueness.worse(question.vagueness, entry.vagueness)
        for name in entry.operations where !question.operations.contains(name) {
            guard question.operations.count < Self.operationsMax else { throw .tooManyEntries }
            question.operations.append(name)
        }
        if let page = entry.page {
            // One answer is bound to one page link.
            guard question.page == nil || question.page == page else { throw .tooManyEntries }
            question.page = page
        }
    }

    /// Operations with different names in one Bundle.
    private static let operationsMax = 16
}

/// What one entry asks for.
private struct EntryRequest {
    let method: LookupMethod
    let url: [UInt8]
    let isConditional: Bool
}

/// Where path and query lie in an entry's URL, which may be relative or absolute.
private func placesOfURL(
    _ url: Span<UInt8>
) throws(QuestionError) -> (path: Range<Int>, query: Range<Int>) {
    var start = 0
    for scheme in ["http://", "https://"] as [StaticString] where hasPrefix(url, scheme) {
        start = scheme.utf8CodeUnitCount
        while start < url.count, url[start] != UInt8(ascii: "/"), url[start] != UInt8(ascii: "?") {
            start += 1
        }
    }
    var end = start
    var isPath = true
    for index in start..<url.count {
        // A fragment is cut away by some servers, with whatever narrows the search in it.
        guard url[index] != UInt8(ascii: "#"), url[index] > 0x20 else { throw .pathNotUnderstood }
        if url[index] == UInt8(ascii: "?") { isPath = false }
        if isPath { end = index + 1 }
    }
    return (start..<end, min(end + 1, url.count)..<url.count)
}
