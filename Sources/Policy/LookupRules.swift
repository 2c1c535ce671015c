// LookupRules.swift: what becomes of a route's lookups and of their answers.

package import Lookup

/// What a route lets be asked, how heavily it counts, and what it does with answers.
package struct LookupRules: Sendable {
    /// What becomes of a search that asks too vaguely.
    package enum Vague: Equatable, Sendable {
        case refuse
        /// Counts as so many lookups, 2 to 1,000.
        case weigh(Int)
        case allow
    }

    /// What becomes of an answer nobody understands.
    package enum Unparsed: Equatable, Sendable {
        case withhold
        /// Counts as so many patients, 1 to 10,000.
        case charge(Int)
    }

    /// What may be asked.
    package let interactions: Interactions
    package let interactionsPlace: SourceLocation
    /// FHIR operations that may be called beside those the gate knows, without `$`.
    package let operations: Set<String>
    package let operationsPlace: SourceLocation
    package let vague: Vague
    package let vaguePlace: SourceLocation
    /// Patients a page may ask for, beyond which a search is vague, 1 to 1,000.
    package let countMax: Int
    static let countMaxDefault = 50
    /// Interactions that count as more than one lookup.
    let weights: [(interaction: Interactions, lookups: Int)]
    package let unparsed: Unparsed
    package let unparsedPlace: SourceLocation
    /// Bytes of an answer held back for inspection.
    package let answerMax: Int
    package let breakGlass: BreakGlass?
}

/// A way past a route's limits for whoever gives a reason; counted by other limits, and recorded.
package struct BreakGlass: Sendable {
    /// Name of the header that carries the reason, in lower case.
    package let header: String
    /// Index in `Configuration.limitSets` of what counts instead.
    package let limits: Int
    package let place: SourceLocation
}

extension Route.Lookups {
    /// The words of the configuration that name a protocol.
    static let words = ["fhir", "hl7v3", "insi", "none"]

    /// What can be asked in this protocol.
    package var interactions: [Interaction] {
        switch self {
        case .fhir:
            [
                .capabilities, .read, .vread, .history, .historyType, .historySystem, .search,
                .searchSystem, .match, .crossReference, .everything, .everythingType, .batch,
                .transaction, .page, .export, .graphql, .operation, .document, .feed,
                .subscription, .unknown,
            ]
        case .hl7v3:
            [.capabilities, .query, .continuation, .cancel, .crossReferenceQuery, .feed, .unknown]
        case .insi: [.capabilities, .insByTraits, .insByCard, .unknown]
        case .declared: [.declared]
        case .none: []
        }
    }

    /// Its name in messages; an extractor's is known to the configuration only.
    var word: String {
        switch self {
        case .fhir: "fhir"
        case .hl7v3: "hl7v3"
        case .insi: "insi"
        case .declared: "an extractor"
        case .none: "none"
        }
    }
}
