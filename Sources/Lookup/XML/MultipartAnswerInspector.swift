// MultipartAnswerInspector.swift: finds the persons in an answer of several parts, MTOM/XOP.

/// Inspects the XML in the parts of an answer, once the answer is whole.
package struct MultipartAnswerInspector {
    private var expectation: AnswerExpectation?
    private var hasher: PersonHasher?
    private var inspector = XMLAnswerInspector()

    package init() {}

    /// Begins another answer.
    package mutating func begin(_ expectation: AnswerExpectation, _ hasher: PersonHasher) {
        self.expectation = expectation
        self.hasher = hasher
    }

    /// Inspects the answer when it is whole, and nothing before.
    package mutating func inspect(
        _ body: Span<UInt8>, isWhole: Bool, into findings: inout Findings
    ) throws(Unparsed) {
        guard isWhole, let hasher, var expectation else { return }
        let parts = try MultipartBody.parts(body, contentType: expectation.contentType.span)
        var hasXML = false
        for part in parts {
            guard try isXML(part, body) else { continue }
            hasXML = true
            let type = body.extracting(part.type)
            expectation.contentType = type.indices.map { type[$0] }
            inspector.begin(expectation, hasher)
            try inspector.inspect(
                body.extracting(part.content), isWhole: true, into: &findings)
        }
        guard hasXML else { throw .mediaType }
        // What one part does not hold, another may.
        if !findings.persons.isEmpty { findings.saysNobody = false }
    }
}

/// Whether a part is XML that can be read; pictures and documents are not looked into.
func isXML(_ part: BodyPart, _ body: Span<UInt8>) throws(Unparsed) -> Bool {
    let type = body.extracting(part.type)
    let content = body.extracting(part.content)
    let format =
        isBlank(type)
        ? AnswerMedia.format(lookingAt: content) ?? .other : AnswerMedia(type).format
    switch format {
    case .xml: break
    case .json, .ndjson, .multipart: throw .mediaType
    case .html, .text, .other: return false
    }
    let encoding = body.extracting(part.encoding)
    let name = encoding.extracting(withoutBlanks(encoding))
    guard
        name.isEmpty || spellsFolded(name, "binary") || spellsFolded(name, "8bit")
            || spellsFolded(name, "7bit")
    else { throw .coding }
    return true
}
