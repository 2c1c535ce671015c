// SearchFacts.swift: what the parameters of a search say about how many patients it could draw.

/// Gathered from a query string or a form.
struct SearchFacts: Sendable {
    /// Alternatives a request may ask for at once; a dictionary in one request has more.
    static let alternativesMax = 1000

    /// Parameters that select something.
    private(set) var criteria = 0
    /// The most alternatives that a parameter which names persons has: each is a lookup.
    private(set) var alternatives = 1
    /// The largest `_count`.
    private(set) var count = 0
    /// Whether an identifier, an id or an address is given in full.
    private(set) var isIdentified = false
    /// Whether the patient is, to whom a relative belongs.
    private(set) var isOfKnownPatient = false
    private(set) var birthDates = BirthDates()
    private(set) var hasName = false
    private(set) var hasShortName = false
    private(set) var hasDomainOnly = false
    private(set) var hasLastUpdated = false
    private(set) var hasWidening = false
    private(set) var hasNamedQuery = false
    private(set) var hasOffset = false
    /// Whether it reaches from the type it searches to others.
    private(set) var reachesFurther = false
    var page = PageParameters()

    /// Takes all parameters of a query string or a form.
    mutating func read(_ form: Span<UInt8>) throws(QuestionError) {
        var reader = FormReader()
        while try reader.next(form) { try take(reader.name.span, reader.value.span) }
    }

    private mutating func take(
        _ name: Span<UInt8>, _ value: Span<UInt8>
    ) throws(QuestionError) {
        var length = 0
        while length < name.count, name[length] != UInt8(ascii: ":") { length += 1 }
        let modifier = name.extracting(min(length + 1, name.count)..<name.count)
        let base = name.extracting(0..<length)
        guard let found = SearchParameter.all.find(base) else {
            for index in name.indices where name[index] == UInt8(ascii: ".") {
                reachesFurther = true
            }
            takeUnknown(base, value)
            return
        }
        // What widens is seen in any spelling, what narrows only in the one that servers know.
        switch found.meaning {
        case .result: return
        case .offset: hasOffset = true
        case .include: reachesFurther = true
        case .lastUpdated: hasLastUpdated = true
        case .count: count = max(count, try wholeNumber(value))
        case .page(let parameter): try page.add(parameter, value)
        case .namedQuery:
            hasNamedQuery = true
            reachesFurther = true
            criteria += 1
        case .expression:
            hasWidening = true
            reachesFurther = true
            criteria += 1
        case .identifier, .id, .telecom, .birthDate, .name, .patientReference:
            guard found.isExact else { return takeUnknown(base, value) }
            try narrow(found.meaning, modifier, value)
        }
    }

    private mutating func takeUnknown(_ base: Span<UInt8>, _ value: Span<UInt8>) {
        // Servers pass over what they don't know, above all what begins like a result parameter.
        guard base.count > 0, base[0] != UInt8(ascii: "_"), saysSomething(value) else { return }
        criteria += 1
    }

    /// Takes a parameter that could narrow the search to a person.
    private mutating func narrow(
        _ parameter: SearchParameter, _ modifier: Span<UInt8>, _ value: Span<UInt8>
    ) throws(QuestionError) {
        guard saysSomething(value) else { return }
        criteria += 1
        try countAlternatives(value)
        let kind = modifier.isEmpty ? Modifier.none : Modifier.all.exactly(modifier) ?? .other
        switch (parameter, kind) {
        case (.identifier, .none), (.identifier, .exact), (.identifier, .ofType), (.id, .none),
            (.id, .exact), (.telecom, .none), (.telecom, .exact):
            takeTokens(value)
        case (.patientReference, .none), (.patientReference, .exact),
            (.patientReference, .patient):
            if allAlternatives(value, { TokenContent($0) == .value }) { isOfKnownPatient = true }
        case (.birthDate, .none), (.birthDate, .exact):
            birthDates.add(value)
        case (.name, .exact):
            hasName = true
            if !allAlternatives(value, saysSomething) { hasShortName = true }
        case (.name, .none):
            hasName = true
            if !allAlternatives(value, { longestWord($0) > 2 }) { hasShortName = true }
        default:
            hasWidening = true
        }
    }

    private mutating func takeTokens(_ value: Span<UInt8>) {
        var alternatives = Alternatives()
        var hasOnlyValues = true
        while let range = alternatives.next(value) {
            switch TokenContent(value.extracting(range)) {
            case .value: continue
            case .domainOnly: hasDomainOnly = true
            case .nothing: break
            }
            hasOnlyValues = false
        }
        if hasOnlyValues { isIdentified = true }
    }

    private mutating func countAlternatives(_ value: Span<UInt8>) throws(QuestionError) {
        var commas = 0
        for index in value.indices where value[index] == UInt8(ascii: ",") { commas += 1 }
        guard commas < Self.alternativesMax else { throw .formNotUnderstood }
        alternatives = max(alternatives, commas + 1)
    }
}

/// Modifiers that leave a criterion as narrow as it is.
private enum Modifier: Sendable {
    case none
    case exact
    case ofType
    case patient
    case other

    static let all = WordTable<Modifier>([
        (.exact, "exact"), (.ofType, "of-type"),
        (.patient, "Patient identifier Patient.identifier Patient._id"),
    ])
}

private func allAlternatives(_ value: Span<UInt8>, _ holds: (Span<UInt8>) -> Bool) -> Bool {
    var alternatives = Alternatives()
    while let range = alternatives.next(value) {
        guard holds(value.extracting(range)) else { return false }
    }
    return true
}

/// A number of digits alone, the largest there is when it is larger.
func wholeNumber(_ text: Span<UInt8>) throws(QuestionError) -> Int {
    guard !text.isEmpty else { throw .formNotUnderstood }
    var number = 0
    for index in text.indices {
        let digit = text[index] &- UInt8(ascii: "0")
        guard digit < 10 else { throw .formNotUnderstood }
        let (product, isLarge) = number.multipliedReportingOverflow(by: 10)
        let (sum, isLarger) = product.addingReportingOverflow(Int(digit))
        number = isLarge || isLarger ? Int.max : sum
    }
    return number
}
