// Extractor.swift: finds the persons in an answer as an operator declared.

/// Expressions of one language, compiled, and the answer at hand.
protocol ExtractorExpressions: AnyObject {
    /// Prepares for an answer.
    func begin(_ body: Span<UInt8>, contentType: Span<UInt8>) throws(Unparsed)
    /// Calls `found` with the text of each match of an expression.
    func forEachMatch(
        of expression: Int, in body: Span<UInt8>, _ found: (Span<UInt8>) -> Void
    ) throws(Unparsed)
    /// Forgets the answer.
    func end()
}

/// A compiled definition; used by one thread at a time.
package final class Extractor {
    private let definition: ExtractorDefinition
    /// That of persons, those of fields, and that of the count.
    private let expressions: any ExtractorExpressions

    /// Compiles a definition; the error tells of the first expression that is none.
    package init(_ definition: ExtractorDefinition) throws(ExtractorError) {
        self.definition = definition
        var texts: [(ExtractorError.Place, String)] = [(.person, definition.person)]
        for (index, field) in definition.fields.enumerated() {
            texts.append((.field(index), field.expression))
        }
        if let count = definition.count { texts.append((.count, count)) }
        for (place, text) in texts {
            guard !text.isEmpty else {
                throw ExtractorError(place, "empty expression", hint: "leave the key out instead")
            }
            guard text.utf8.count <= Self.expressionLengthMax, !text.utf8.contains(0) else {
                throw ExtractorError(
                    place, "expression of more than \(Self.expressionLengthMax) bytes, or with NUL",
                    hint: "find fewer things at once")
            }
        }
        switch definition.language {
        case .jsonPointer: expressions = try JSONPointers(texts)
        case .xpath: expressions = try XPaths(texts)
        case .regex: expressions = try Patterns(texts)
        }
    }

    /// Bytes an expression may have.
    static let expressionLengthMax = 4096

    /// Inspects a whole answer.
    ///
    /// It is expected when a person is found, or a count; without a count, an answer in which
    /// nobody is found could be one that is not understood.
    package func inspect(
        _ body: Span<UInt8>, contentType: Span<UInt8>, _ hasher: PersonHasher,
        into findings: inout Findings
    ) throws(Unparsed) {
        try expressions.begin(body, contentType: contentType)
        defer { expressions.end() }
        var persons: [Int] = []
        try expressions.forEachMatch(of: 0, in: body) { id in
            let person = findings.persons.open()
            findings.persons.add(hasher.local(type: Self.patient.span, id: id), to: person)
            persons.append(person)
        }
        if persons.isEmpty, definition.count != nil {
            let count = try count(in: body)
            findings.isExpected = count != nil
            findings.saysNobody = count == 0
            persons = open(count ?? 0, of: body, hasher, &findings)
        }
        if findings.persons.isOverfull { throw .tooMany }
        guard !persons.isEmpty else { return }
        findings.isExpected = true
        for (index, field) in definition.fields.enumerated() {
            var isThere = false
            try expressions.forEachMatch(of: 1 + index, in: body) { _ in isThere = true }
            guard isThere else { continue }
            for person in persons { findings.persons.add(field.fields, to: person) }
        }
    }

    private static let patient = Array("Patient".utf8)

    /// The number that the count's expression finds first; nil for none.
    private func count(in body: Span<UInt8>) throws(Unparsed) -> Int? {
        var count: Int?
        var isFirst = true
        try expressions.forEachMatch(of: 1 + definition.fields.count, in: body) { text in
            if isFirst { count = number(text) }
            isFirst = false
        }
        return count
    }

    /// Persons of whom only their number is known: others in every other answer, the same in the
    /// same one.
    private func open(
        _ count: Int, of body: Span<UInt8>, _ hasher: PersonHasher, _ findings: inout Findings
    ) -> [Int] {
        guard count > 0 else { return [] }
        let seed = hasher.token(0x5A, body)
        // One more than can be kept, so that too many are noticed.
        return (0..<min(count, Persons.findsMax + 1)).map { index in
            let person = findings.persons.open()
            let bytes = bytes(of: seed) + bytes(of: UInt64(index))
            let key = PersonKey(rank: .local, hash: hasher.token(0x5B, bytes.span))
            findings.persons.add(key, to: person)
            return person
        }
    }

    private func bytes(of number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
    }
}

/// A count as people and programs write it: digits, which blanks, points or commas may group.
private func number(_ text: Span<UInt8>) -> Int? {
    var value = 0
    var digits = 0
    let range = withoutBlanks(text)
    for index in range {
        let byte = text[index]
        if byte >= 0x30, byte <= 0x39 {
            digits += 1
            // More than any ceiling; what follows changes nothing.
            if value < 1 << 40 { value = value * 10 + Int(byte - 0x30) }
            continue
        }
        // 0xC2 0xA0 and 0xE2 0x80 0xAF are the blanks that do not break lines.
        let isGroup =
            byte == 0x20 || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ",")
            || byte == 0xC2 || byte == 0xA0 || byte == 0xE2 || byte == 0x80 || byte == 0xAF
        guard isGroup, digits > 0 else { return nil }
    }
    return digits > 0 ? value : nil
}
