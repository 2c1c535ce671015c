// MatchBody.swift: the patient that `$match` looks for, and the parameters of `$ihe-pix`.

/// What a body of operation parameters says.
struct OperationBody {
    /// Whether a patient is described.
    private(set) var hasPatient = false
    private(set) var hasIdentifier = false
    private(set) var birthDates = BirthDates()
    /// The `count` parameter.
    private(set) var count = 0
    /// The `sourceIdentifier` parameters.
    private(set) var sourceIdentifiers = 0

    /// Reads a Parameters resource, or a bare Patient.
    init(_ body: Span<UInt8>) throws(QuestionError) {
        switch try resourceKind(body) {
        case .patient: try readPatient(body)
        case .parameters: try readParameters(body)
        case .bundle, .other: throw .bodyNotUnderstood
        }
    }

    /// Why a match by it could find patients nobody thought of.
    func vagueness(_ rules: QuestionRules) -> Vagueness? {
        guard hasPatient else { return .noCriterion }
        if !hasIdentifier, !birthDates.isNarrow {
            return birthDates.isGiven ? .birthDateRange : .noIdentifierNorBirthDate
        }
        return count > rules.countMax ? .largeCount : nil
    }

    private enum ParametersKey: Sendable { case parameter, name, resource, value }

    private static let keys = WordTable<ParametersKey>([
        (.parameter, "parameter"), (.name, "name"), (.resource, "resource"),
        (.value, "valueInteger valuePositiveInt valueUnsignedInt valueDecimal valueString"),
    ])

    private mutating func readParameters(_ body: Span<UInt8>) throws(QuestionError) {
        var json = JSONBody()
        var list = Once<Void>()
        var named = 0
        try json.beginObject(body)
        while let key = try json.key(body, of: Self.keys) {
            guard case .known(.parameter) = key else {
                _ = try json.skip(body)
                continue
            }
            try list.set(())
            try json.beginArray(body)
            while try json.nextObject(body) {
                named += 1
                guard named <= FormReader.parametersMax else { throw .bodyNotUnderstood }
                try readParameter(body, &json)
            }
        }
        try json.finish(body)
    }

    private mutating func readParameter(
        _ body: Span<UInt8>, _ json: inout JSONBody
    ) throws(QuestionError) {
        var name = Once<[UInt8]>()
        var resource = Once<Range<Int>>()
        var value = Once<Range<Int>>()
        while let key = try json.key(body, of: Self.keys) {
            switch key {
            case .known(.name): try name.set(json.text(body))
            case .known(.resource): try resource.set(json.skip(body))
            case .known(.value): try value.set(json.skip(body))
            case .known(.parameter), .unknown: _ = try json.skip(body)
            }
        }
        let meaning = name.value.flatMap { ParameterName.all.exactly($0.span) }
        switch meaning {
        case .resource:
            guard !hasPatient, let range = resource.value else { throw .bodyNotUnderstood }
            let patient = body.extracting(range)
            guard try resourceKind(patient) == .patient else { throw .bodyNotUnderstood }
            try readPatient(patient)
        case .count:
            guard let range = value.value else { throw .bodyNotUnderstood }
            count = max(count, try digits(body.extracting(range)))
        case .sourceIdentifier: sourceIdentifiers += 1
        case nil: break
        }
    }

    private enum ParameterName: Sendable {
        case resource, count, sourceIdentifier

        static let all = WordTable<ParameterName>([
            (.resource, "resource"), (.count, "count"), (.sourceIdentifier, "sourceIdentifier"),
        ])
    }

    private enum PatientKey: Sendable { case identifier, birthDate, value }

    private static let patientKeys = WordTable<PatientKey>([
        (.identifier, "identifier"), (.birthDate, "birthDate"), (.value, "value"),
    ])

    private mutating func readPatient(_ body: Span<UInt8>) throws(QuestionError) {
        hasPatient = true
        var json = JSONBody()
        var identifiers = Once<Void>()
        var birthDate = Once<[UInt8]>()
        try json.beginObject(body)
        while let key = try json.key(body, of: Self.patientKeys) {
            switch key {
            case .known(.identifier):
                try identifiers.set(())
                try json.beginArray(body)
                while try json.nextObject(body) { try readIdentifier(body, &json) }
            case .known(.birthDate): try birthDate.set(json.text(body))
            case .known(.value), .unknown: _ = try json.skip(body)
            }
        }
        try json.finish(body)
        // A resource holds a date, and not a search for one: no prefix, no comma.
        if let date = birthDate.value, let first = date.first, first &- UInt8(ascii: "0") < 10,
            !date.contains(UInt8(ascii: ","))
        {
            birthDates.add(date.span)
        }
    }

    private mutating func readIdentifier(
        _ body: Span<UInt8>, _ json: inout JSONBody
    ) throws(QuestionError) {
        var value = Once<[UInt8]>()
        while let key = try json.key(body, of: Self.patientKeys) {
            if case .known(.value) = key {
                try value.set(json.text(body))
            } else {
                _ = try json.skip(body)
            }
        }
        if let value = value.value, saysSomething(value.span) { hasIdentifier = true }
    }

    /// A whole number, perhaps in quotes.
    private func digits(_ text: Span<UInt8>) throws(QuestionError) -> Int {
        do {
            return try wholeNumber(text)
        } catch {
            throw .bodyNotUnderstood
        }
    }
}

/// Resources that a request's body may be.
enum ResourceKind: Sendable {
    case patient
    case parameters
    case bundle
    case other

    fileprivate static let names = WordTable<ResourceKind>([
        (.patient, "Patient"), (.parameters, "Parameters"), (.bundle, "Bundle"),
    ])
    fileprivate static let keys = WordTable<Void>([((), "resourceType")])
}

/// What a JSON resource says it is; its `resourceType` may stand anywhere in it.
func resourceKind(_ body: Span<UInt8>) throws(QuestionError) -> ResourceKind {
    var json = JSONBody()
    var name = Once<[UInt8]>()
    try json.beginObject(body)
    while let key = try json.key(body, of: ResourceKind.keys) {
        if case .known = key {
            try name.set(json.text(body))
        } else {
            _ = try json.skip(body)
        }
    }
    guard let name = name.value else { throw .bodyNotUnderstood }
    return ResourceKind.names.exactly(name.span) ?? .other
}
