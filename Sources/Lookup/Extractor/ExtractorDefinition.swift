// ExtractorDefinition.swift: how a route's own answers tell whom they disclose, as declared.

/// What an operator declares of a server whose answers no protocol describes.
package struct ExtractorDefinition: Equatable, Sendable {
    /// What its expressions are written in.
    package enum Language: String, CaseIterable, Sendable {
        /// RFC 6901, with `*` for any element or member; for JSON.
        case jsonPointer = "json-pointer"
        /// XPath 1.0; for XML, and HTML.
        case xpath
        /// Regular expressions of PCRE2; for any text.
        case regex
    }

    /// An expression that matches where fields of an identity are exposed.
    package struct Field: Equatable, Sendable {
        package var fields: IdentityFields
        package var expression: String

        package init(_ fields: IdentityFields, _ expression: String) {
            self.fields = fields
            self.expression = expression
        }
    }

    package var language: Language
    /// Each match is a person, and its text, or that of its first group, their id.
    package var person: String
    /// Fields that are exposed of whoever is found, when the expression matches anything.
    package var fields: [Field]
    /// Its number is how many persons there are, when `person` finds none.
    package var count: String?

    package init(
        language: Language, person: String, fields: [Field] = [], count: String? = nil
    ) {
        self.language = language
        self.person = person
        self.fields = fields
        self.count = count
    }
}

/// What is wrong with an expression of an extractor.
package struct ExtractorError: Error, Equatable, Sendable {
    /// Which expression it is.
    package enum Place: Equatable, Sendable {
        case person
        /// By its place in the definition.
        case field(Int)
        case count
    }

    package let place: Place
    package let message: String
    package let hint: String

    init(_ place: Place, _ message: String, hint: String) {
        self.place = place
        self.message = message
        self.hint = hint
    }
}
