// SearchVagueness.swift: whether a search says whom it looks for.
//
// A caregiver who searches has somebody before him: an identifier, or a name with a birth date.
// FHIR's text search is by first letters, so a name of one letter is a wildcard.

extension SearchFacts {
    /// Why a search of `type` is too vague; nil when it is not.
    ///
    /// The first that applies is told, from what most says that the search draws at random.
    func vagueness(
        of type: ResourceType?, owner: ResourceType?, _ rules: QuestionRules
    ) -> Vagueness? {
        if owner?.isOfOnePatient == true { return largeCount(rules) }
        switch type {
        // Of any type: among them, patients.
        case .patient, nil:
            return vaguenessOfPersons(isKnown: isIdentified, isWithin: owner != nil, rules)
        case .relative:
            return vaguenessOfPersons(
                isKnown: isIdentified || isOfKnownPatient, isWithin: owner != nil, rules)
        case .encounter, .record, .binary, .subscription:
            guard criteria == 0, owner == nil else { return largeCount(rules) }
            return hasLastUpdated ? .lastUpdated : .noCriterion
        case .impersonal:
            guard reachesFurther else { return nil }
            guard criteria == 0, owner == nil else { return largeCount(rules) }
            return hasLastUpdated ? .lastUpdated : .noCriterion
        }
    }

    /// Whether more are asked for at once than is allowed.
    func largeCount(_ rules: QuestionRules) -> Vagueness? {
        count > rules.countMax ? .largeCount : nil
    }

    /// `isWithin` when a compartment selects already, if not a patient.
    private func vaguenessOfPersons(
        isKnown: Bool, isWithin: Bool, _ rules: QuestionRules
    ) -> Vagueness? {
        if hasNamedQuery { return .wideningModifier }
        if isKnown || birthDates.isNarrow { return largeCount(rules) }
        if hasLastUpdated { return .lastUpdated }
        if criteria == 0, !isWithin { return .noCriterion }
        if hasDomainOnly, !hasName, !birthDates.isGiven { return .domainOnly }
        if hasShortName { return .shortName }
        if hasWidening { return .wideningModifier }
        return birthDates.isGiven ? .birthDateRange : .noIdentifierNorBirthDate
    }
}

extension Vagueness {
    /// The graver of two.
    static func worse(_ left: Vagueness?, _ right: Vagueness?) -> Vagueness? {
        allCases.first { $0 == left || $0 == right }
    }
}
