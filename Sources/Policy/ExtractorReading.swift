// ExtractorReading.swift: the keys of a declared extractor.

import Lookup

extension Reading {
    func extractorRule(_ value: Value) -> ExtractorRule? {
        let keys = ["name", "language", "person", "fields", "count"]
        guard let fields = Fields(value, of: "an extractor", keys: keys, problems: problems) else {
            return nil
        }
        let name = fields.required("name") { (scalar) throws(Complaint) -> String in
            let name = try scalar.name()
            guard !Route.Lookups.words.contains(name) else {
                throw Complaint(
                    "\(quoted(name)) is a word of `lookups` already", hint: "choose another name")
            }
            return name
        }
        let language = fields.required("language") { (scalar) throws(Complaint) in
            try scalar.word(ExtractorRule.Language.self)
        }
        let person = fields.required("person") { (scalar) throws(Complaint) in
            try scalar.expression()
        }
        let count = fields.optional("count") { (scalar) throws(Complaint) in
            try scalar.expression()
        }
        let shown = exposedFields(fields["fields"])
        guard let name, let language, let person else { return nil }
        let rule = ExtractorRule(
            name: name, place: value.place, language: language, person: person, fields: shown,
            count: count)
        expectCompiling(rule)
        return rule
    }

    /// An expression that cannot be used is an error where it stands.
    private func expectCompiling(_ rule: ExtractorRule) {
        do {
            _ = try Extractor(rule.definition)
        } catch {
            let place =
                switch error.place {
                case .person: rule.person.place
                case .field(let index): rule.fields[index].expression.place
                case .count: rule.count?.place ?? rule.place
                }
            problems.error(place, error.message, hint: error.hint)
        }
    }

    private func exposedFields(
        _ entry: Entry?
    ) -> [(field: IdentityFields, expression: ExtractorRule.Expression)] {
        let names = IdentityFields.names.map(\.description)
        guard let entry,
            let fields = Fields(entry.value, of: "`fields`", keys: names, problems: problems)
        else { return [] }
        return names.enumerated().compactMap { bit, name in
            let expression = fields.optional(name) { (scalar) throws(Complaint) in
                try scalar.expression()
            }
            return expression.map { (IdentityFields(rawValue: 1 << UInt16(bit)), $0) }
        }
    }
}

extension Scalar {
    fileprivate func expression() throws(Complaint) -> ExtractorRule.Expression {
        guard !text.isEmpty else { throw Complaint("the expression is empty") }
        guard text.utf8.count <= ExtractorRule.Expression.lengthMax else {
            throw Complaint("longer than \(ExtractorRule.Expression.lengthMax) bytes")
        }
        guard text.unicodeScalars.allSatisfy(isPlain) else {
            throw Complaint("\(quoted(text)) is not one line of text")
        }
        return ExtractorRule.Expression(text: text, place: place)
    }
}
