// SOAPRequest.swift: reads a request of HL7 v3 or INSi.

/// Reads one request, and gathers what classifies it.
final class SOAPRequest: XMLReader {
    private enum Place {
        case ignored, document, envelope, body
        /// The root of the body, and what is within it.
        case root, query, parameters
        case identifier, birthTime, name, family, criterion
    }

    private let dialect: Dialect
    private let hasher: PersonHasher
    private var places: [Place] = []
    private var roots = 0
    private var interaction = Interaction.unknown
    private var isContinuation = false
    private var statuses = 0
    private var abortions = 0
    private var queryID: UInt64?
    private var queryIDs = 0
    private var quantity = 0
    private var criteria = SOAPCriteria()

    init(_ dialect: Dialect, _ hasher: PersonHasher) {
        self.dialect = dialect
        self.hasher = hasher
    }

    /// Whether two readers could take it for two things.
    var isAmbiguous: Bool { roots != 1 || queryIDs > 1 }

    func start(_ element: borrowing XMLElement) {
        let place = place(of: element, in: places.last ?? .document)
        places.append(place)
    }

    private func place(of element: borrowing XMLElement, in parent: Place) -> Place {
        switch parent {
        case .document:
            return element.isNamed("Envelope", in: .soap) ? .envelope : root(element)
        case .envelope: return element.isNamed("Body", in: .soap) ? .body : .ignored
        case .body: return root(element)
        case .root:
            // A query's parameters, or what continues a query.
            if element.isNamed("queryByParameter") || element.isNamed("queryContinuation") {
                return .query
            }
            return .root
        case .query:
            inQuery(element)
            return element.isNamed("parameterList") ? .parameters : .root
        case .parameters: return criterion(element)
        case .identifier:
            if element.isNamed("value") { criteria.addIdentifier(element) }
            return .identifier
        case .birthTime:
            criteria.addTime(element)
            return .birthTime
        case .name: return element.isNamed("family") ? .family : .name
        case .criterion:
            if ["value", "code", "extension", "root"].contains(where: { element.hasValue($0) }) {
                criteria.isAny = true
            }
            return .criterion
        case .family, .ignored: return parent
        }
    }

    private func root(_ element: borrowing XMLElement) -> Place {
        roots += 1
        switch dialect {
        case .hl7v3: interaction = hl7v3Interaction(element)
        case .insi: interaction = insiInteraction(element)
        case .fhir: break
        }
        return interaction == .unknown ? .ignored : .root
    }

    private func hl7v3Interaction(_ element: borrowing XMLElement) -> Interaction {
        guard element.space == .hl7v3 else { return .unknown }
        if element.isNamed("PRPA_IN201305UV02") { return .query }
        if element.isNamed("PRPA_IN201309UV02") { return .crossReferenceQuery }
        if element.isNamed("QUQI_IN000003UV01_Cancel") { return .cancel }
        if element.isNamed("QUQI_IN000003UV01") || element.isNamed("QUQI_IN000003UV01_Continue") {
            isContinuation = true
            return .continuation
        }
        let isFeed =
            element.isNamed("PRPA_IN201301UV02") || element.isNamed("PRPA_IN201302UV02")
            || element.isNamed("PRPA_IN201303UV02") || element.isNamed("PRPA_IN201304UV02")
            || element.nameHasPrefix("MCCI_IN")
        return isFeed ? .feed : .unknown
    }

    private func insiInteraction(_ element: borrowing XMLElement) -> Interaction {
        if element.isNamed("RECSANSVITALE", in: .insiTraits)
            || element.nameHasPrefix("rechercherInsAvecTraitsIdentite")
            || element.nameHasPrefix("verifierInsAvecTraitsIdentite")
        {
            return .insByTraits
        }
        let isByCard =
            element.space == .insiCard && element.nameHasPrefix("REC")
            || element.nameHasPrefix("rechercherInsAvecCarteVitale")
        return isByCard ? .insByCard : .unknown
    }

    private func inQuery(_ element: borrowing XMLElement) {
        if element.isNamed("queryId") {
            queryIDs += 1
            let bytes = element.bytes.span
            queryID = queryToken(
                root: bytes.extracting(element.value(of: "root")),
                extension: bytes.extracting(element.value(of: "extension")), hasher)
        } else if element.isNamed("statusCode") {
            statuses += 1
            if element.withValue(of: "code", { spells($0, "aborted") }) { abortions += 1 }
        } else if element.isNamed("initialQuantity") || element.isNamed("continuationQuantity") {
            quantity = max(quantity, element.withValue(of: "value") { number($0) })
        }
    }

    private func criterion(_ element: borrowing XMLElement) -> Place {
        criteria.endCriterion()
        if element.isNamed("livingSubjectId") || element.isNamed("patientIdentifier") {
            return .identifier
        }
        if element.isNamed("livingSubjectBirthTime") { return .birthTime }
        if element.isNamed("livingSubjectName") { return .name }
        // Says in whose domains the answer is to be, not who is looked for.
        let isAboutAnswer =
            element.isNamed("otherIDsScopingOrganization") || element.isNamed("dataSource")
        return isAboutAnswer ? .ignored : .criterion
    }

    func text(_ bytes: Span<UInt8>) {
        switch places.last {
        case .name: if !isBlank(bytes) { criteria.isAny = true }
        case .family: criteria.addFamily(bytes)
        case .criterion: break
        default: break
        }
    }

    func end() {
        guard let place = places.popLast() else { return }
        switch (place, places.last) {
        case (.family, .name): criteria.endFamily()
        case (.identifier, .parameters), (.birthTime, .parameters), (.name, .parameters):
            criteria.endCriterion()
        default: break
        }
    }

    func question(countMax: Int) -> Question {
        // A query is cancelled only if nothing in it says otherwise.
        let isCancelled = isContinuation && statuses > 0 && abortions == statuses
        var question = Question(isCancelled ? .cancel : interaction)
        let isTooMany = quantity > countMax
        switch interaction {
        case .query:
            question.opens = queryID
            question.vagueness = criteria.vagueness ?? (isTooMany ? .largeCount : nil)
        case .continuation:
            question.page = queryID
            if isTooMany, !isCancelled { question.vagueness = .largeCount }
        case .crossReferenceQuery:
            if !criteria.hasIdentifier {
                question.vagueness = criteria.isAny ? .domainOnly : .noCriterion
            }
        default: break
        }
        return question
    }
}

/// A quantity; what is no number, or too large for one, is more than any ceiling.
private func number(_ bytes: Span<UInt8>) -> Int {
    let range = withoutBlanks(bytes)
    guard !range.isEmpty else { return 0 }
    var value = 0
    for index in range {
        guard bytes[index] >= 0x30, bytes[index] <= 0x39, value < 1 << 40 else { return Int.max }
        value = value * 10 + Int(bytes[index] - 0x30)
    }
    return value
}
