// Question.swift: what one request asks: how many lookups it makes, of what kind, and how vaguely.

/// A request, classified.
package struct Question: Equatable, Sendable {
    /// What is asked; of a batch, `batch` or `transaction`.
    package var interaction: Interaction
    /// Everything asked: of a batch, what its entries ask as well.
    package var interactions: Interactions
    /// Lookups it makes: of a batch, those of its entries; 0 for what discloses nobody.
    package var lookups: Int
    /// Why it asks too vaguely, if it does.
    package var vagueness: Vagueness?
    /// A page link or a query to be continued, as a keyed hash: only who was given it may use it.
    package var page: UInt64?
    /// A query that can be continued later (the query id of ITI-47), as a keyed hash.
    package var opens: UInt64?
    /// Names of the `$operations` asked, without `$`, those that have an interaction of their own
    /// left out: a route allows them by name.
    package var operations: [String] = []

    package init(_ interaction: Interaction) {
        self.interaction = interaction
        interactions = Interactions(interaction)
        lookups = interaction.isLookup ? 1 : 0
    }
}

/// Why a search could draw patients whom nobody thought of; raw values are said to the asker and
/// kept in the record.
///
/// Of several, a batch keeps the one that stands first here; a search tells the one that most says
/// what to change in it.
package enum Vagueness: String, CaseIterable, Sendable {
    /// No criterion at all.
    case noCriterion = "no-criterion"
    /// Neither an identifier nor a birth date.
    case noIdentifierNorBirthDate = "no-identifier-nor-birth-date"
    /// A name of one or two letters, and nothing that narrows it.
    case shortName = "short-name"
    /// An identifier's domain without its value.
    case domainOnly = "domain-only"
    /// `_lastUpdated`: whoever changed since.
    case lastUpdated = "last-updated"
    /// More patients a page than the route's `count_max`.
    case largeCount = "large-count"
    /// A birth date that is a range of more than a month, or no full date.
    case birthDateRange = "birth-date-range"
    /// `:contains`, `:missing`, `:not`, `_filter`, `_has`, `_query` and the like: whatever
    /// widens rather than narrows.
    case wideningModifier = "widening-modifier"
}

/// Why a request cannot be classified; answered 400, or 403 where it is understood and forbidden.
package enum QuestionError: Error, Equatable, Sendable {
    /// The path is not that of a FHIR interface, or leaves its resource's grammar.
    case pathNotUnderstood
    /// The query string or form cannot be decoded, or is beyond its bounds.
    case formNotUnderstood
    /// The body is not what the interaction takes: malformed JSON or XML, a DTD, too deep.
    case bodyNotUnderstood
    /// The media type of the body is none that can be read.
    case mediaTypeNotUnderstood
    /// A batch with more entries than are classified.
    case tooManyEntries
}
