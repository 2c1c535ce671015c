// Interaction.swift: what a request asks of an identity server, in the words of its protocol.

/// What is asked; raw values are the words of the configuration and of the record.
package enum Interaction: String, CaseIterable, Sendable {
    // FHIR R4, RESTful API.
    /// `GET metadata`, `GET .well-known/…`: nobody's identity.
    case capabilities
    /// `GET TYPE/ID`.
    case read
    /// `GET TYPE/ID/_history/VERSION`.
    case vread
    /// `GET TYPE/ID/_history`.
    case history
    /// `GET TYPE/_history`: the whole type, page by page.
    case historyType = "history-type"
    /// `GET _history`: the whole server.
    case historySystem = "history-system"
    /// `GET TYPE?…`, `POST TYPE/_search`; PDQm, ITI-78.
    case search
    /// `GET ?…`, `POST _search`: across types.
    case searchSystem = "search-system"
    /// `Patient/$match`; ITI-119.
    case match
    /// `Patient/$ihe-pix`; ITI-83.
    case crossReference = "cross-reference"
    /// `Patient/ID/$everything`.
    case everything
    /// `Patient/$everything`.
    case everythingType = "everything-type"
    /// A Bundle of requests, each classified by itself.
    case batch
    /// Like a batch, all or nothing.
    case transaction
    /// A page link: opaque, so known only by whom it was given to.
    case page
    /// `$export`, at any level, and its status.
    case export
    /// `$graphql`.
    case graphql
    /// Any other `$operation`.
    case operation
    /// `Binary/ID`, and documents whose content is not understood.
    case document
    /// Creation, update, patch or deletion; ITI-93, ITI-104, ITI-44. Not a lookup.
    case feed
    /// Creation of a Subscription, which would push patients past every limit.
    case subscription

    // HL7 v3 over SOAP.
    /// PRPA_IN201305UV02; ITI-47 PDQV3, ITI-55.
    case query
    /// QUQI_IN000003UV01, for the next of a query's patients.
    case continuation
    /// QUQI_IN000003UV01_Cancel: ends a query, discloses nobody.
    case cancel
    /// PRPA_IN201309UV02; ITI-45 PIXV3. Its FHIR twin is `cross-reference`.
    case crossReferenceQuery = "cross-reference-query"

    // INSi teleservice.
    /// `rechercherInsAvecTraitsIdentite`, and verification, which is the same with a number.
    case insByTraits = "ins-by-traits"
    /// `rechercherInsAvecCarteVitale`.
    case insByCard = "ins-by-card"

    /// A request of a declared extractor's route.
    case declared
    /// What none of the above describes; refused unless the route lists it.
    case unknown

    /// Whether it can disclose patients.
    package var isLookup: Bool {
        switch self {
        case .capabilities, .feed, .cancel, .subscription: false
        default: true
        }
    }

    /// Whether one answer can hold every patient there is; refused unless the route lists it.
    package var isUnbounded: Bool {
        switch self {
        case .historyType, .historySystem, .searchSystem, .everythingType, .export, .graphql,
            .operation, .document, .subscription, .unknown:
            true
        default: false
        }
    }

    /// The IHE transaction it is, where it is one.
    package var transaction: StaticString? {
        switch self {
        case .search, .read: "ITI-78"
        case .crossReference: "ITI-83"
        case .match: "ITI-119"
        case .query, .continuation, .cancel: "ITI-47"
        case .crossReferenceQuery: "ITI-45"
        default: nil
        }
    }
}

/// Some interactions.
package struct Interactions: OptionSet, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package init(_ interaction: Interaction) {
        rawValue = 1 << UInt64(Interactions.place(of: interaction))
    }

    /// What a route lets pass unless it says otherwise: all but the unbounded.
    package static let standard: Interactions = Interaction.allCases.reduce(into: []) {
        if !$1.isUnbounded { $0.insert(Interactions($1)) }
    }

    @inline(__always)
    package func contains(_ interaction: Interaction) -> Bool {
        contains(Interactions(interaction))
    }

    private static func place(of interaction: Interaction) -> Int {
        Interaction.allCases.firstIndex(of: interaction) ?? 0
    }
}
