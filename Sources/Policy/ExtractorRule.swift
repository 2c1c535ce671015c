// ExtractorRule.swift: how persons are found in the answers of a server that speaks no protocol
// the gate knows, as an operator declares it.

package import Lookup

/// A declared extractor: where in an answer the persons are, and what of them is shown.
package struct ExtractorRule: Sendable {
    /// In which language its expressions are written.
    package enum Language: String, CaseIterable, Sendable {
        case jsonPointer = "json-pointer"
        case xpath
        case regex
    }

    /// One expression, and where it stands.
    package struct Expression: Equatable, Sendable {
        package let text: String
        package let place: SourceLocation

        /// Bytes of one expression.
        package static let lengthMax = 1024
    }

    package let name: String
    package let place: SourceLocation
    package let language: Language
    /// Finds each person by what tells one from another.
    package let person: Expression
    /// Finds what else is shown.
    package let fields: [(field: IdentityFields, expression: Expression)]
    /// Finds how many persons the answer says it holds.
    package let count: Expression?

    /// Extractors of one configuration.
    package static let countMax = 64

    /// The same as the inspection of answers takes it.
    package var definition: ExtractorDefinition {
        let language: ExtractorDefinition.Language =
            switch self.language {
            case .jsonPointer: .jsonPointer
            case .xpath: .xpath
            case .regex: .regex
            }
        return ExtractorDefinition(
            language: language, person: person.text,
            fields: fields.map { ExtractorDefinition.Field($0.field, $0.expression.text) },
            count: count?.text)
    }
}
