// XMLAnswerInspector.swift: finds the persons in an answer written in XML.

/// Inspects one answer after the other, each from its beginning on as it comes.
package struct XMLAnswerInspector {
    /// Bytes given to the parser at once: pieces are the same however the answer is cut, and so is
    /// what is found in them.
    private static let pieceLength = 1 << 16

    private var answer: XMLAnswer?
    private var feed: XMLFeed?
    private var fed = 0
    private var isFinished = false
    private var isForeign = false

    package init() {}

    /// Begins another answer.
    package mutating func begin(_ expectation: AnswerExpectation, _ hasher: PersonHasher) {
        let answer: XMLAnswer =
            switch expectation.dialect {
            case .hl7v3: HL7v3Answer(hasher, expectation.interaction)
            case .insi: INSiAnswer(hasher, expectation.interaction)
            case .fhir: FHIRXMLAnswer(hasher, expectation.interaction)
            }
        self.answer = answer
        feed = XMLFeed(answer)
        fed = 0
        isFinished = false
        isForeign = declaresUnreadCharset(expectation.contentType.span)
    }

    /// Inspects what has come since; `body` is the answer's body from its first byte.
    package mutating func inspect(
        _ body: Span<UInt8>, isWhole: Bool, into findings: inout Findings
    ) throws(Unparsed) {
        guard let answer, let feed, !isFinished else { return }
        if isForeign || (fed == 0 && isWide(body)) { throw .encoding }
        // The reader adds to what was found before, and gives it back.
        swap(&answer.findings, &findings)
        defer { swap(&answer.findings, &findings) }
        while body.count - fed >= Self.pieceLength {
            try feed.feed(body.extracting(fed..<(fed + Self.pieceLength)), isLast: false)
            fed += Self.pieceLength
            if answer.findings.persons.isOverfull { throw .tooMany }
        }
        guard isWhole, fed <= body.count else { return }
        try feed.feed(body.extracting(fed..<body.count), isLast: true)
        fed = body.count
        isFinished = true
        answer.finish()
        if answer.findings.persons.isOverfull { throw .tooMany }
    }
}

/// Whether the first bytes are of UTF-16 or UTF-32, which are not read: markup that is not ASCII
/// can hide from one reader what another sees.
func isWide(_ bytes: Span<UInt8>) -> Bool {
    guard bytes.count >= 2 else { return false }
    if bytes[0] == 0 || bytes[1] == 0 { return true }
    return (bytes[0] == 0xFE && bytes[1] == 0xFF) || (bytes[0] == 0xFF && bytes[1] == 0xFE)
}
