// Fuzz.swift: what must hold of any answer in XML.

/// Inspects bytes as an answer, whole and in two pieces; traps when those differ.
///
/// The first byte chooses the protocol, the second where to cut.
package func fuzzXMLAnswer(_ bytes: Span<UInt8>, _ hasher: PersonHasher) {
    guard bytes.count >= 2 else { return }
    let body = bytes.extracting(2..<bytes.count)
    let cut = body.count * Int(bytes[1]) / 256
    let whole = persons(body, cut: 0, bytes[0], hasher)
    let pieces = persons(body, cut: cut, bytes[0], hasher)
    precondition(whole == pieces, "pieces tell of the same persons")

    var inspector = XMLAnswerInspector()
    var findings = Findings()
    let dialect: Dialect = bytes[0] % 3 == 0 ? .hl7v3 : bytes[0] % 3 == 1 ? .insi : .fhir
    inspector.begin(
        AnswerExpectation(dialect: dialect, status: 200, contentType: [], interaction: .query),
        hasher)
    do throws(Unparsed) {
        try inspector.inspect(body.extracting(0..<cut), isWhole: false, into: &findings)
        try inspector.inspect(body, isWhole: true, into: &findings)
    } catch {
        precondition(whole == nil || error == .encoding, "what can be read is not refused")
        return
    }
    findings.persons.merge()
    precondition(findings.persons.allKeys == whole, "an answer tells of its persons")
}

/// Keys of the persons found; nil when the document is refused.
private func persons(
    _ body: Span<UInt8>, cut: Int, _ choice: UInt8, _ hasher: PersonHasher
) -> [UInt64]? {
    let answer: XMLAnswer =
        switch choice % 3 {
        case 0: HL7v3Answer(hasher, .query)
        case 1: INSiAnswer(hasher, .insByTraits)
        default: FHIRXMLAnswer(hasher, .search)
        }
    let feed = XMLFeed(answer)
    do throws(Unparsed) {
        if cut > 0 { try feed.feed(body.extracting(0..<cut), isLast: false) }
        try feed.feed(body.extracting(cut..<body.count), isLast: true)
    } catch {
        return nil
    }
    answer.finish()
    answer.findings.persons.merge()
    return answer.findings.persons.allKeys
}
