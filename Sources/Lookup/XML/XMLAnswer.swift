// XMLAnswer.swift: what the readers of the three protocols' answers have in common.

/// Reads one answer; what it finds is taken from it, and given back for more.
class XMLAnswer: XMLReader {
    let hasher: PersonHasher
    let interaction: Interaction
    var findings = Findings()

    init(_ hasher: PersonHasher, _ interaction: Interaction) {
        self.hasher = hasher
        self.interaction = interaction
    }

    func start(_ element: borrowing XMLElement) {}
    func text(_ bytes: Span<UInt8>) {}
    func end() {}
    /// The document is whole.
    func finish() {}

    /// A query id that may be continued, or a page link.
    func addPage(_ page: UInt64) {
        guard findings.pages.count < Findings.pagesMax, !findings.pages.contains(page) else {
            return
        }
        findings.pages.append(page)
    }
}

/// The keyed hash of a query id of HL7 v3, the same in a query, its answer and a continuation.
func queryToken(
    root: Span<UInt8>, extension value: Span<UInt8>, _ hasher: PersonHasher
) -> UInt64? {
    let (root, value) = (
        root.extracting(withoutBlanks(root)), value.extracting(withoutBlanks(value))
    )
    guard !root.isEmpty || !value.isEmpty, root.count + value.count <= 1024 else { return nil }
    var bytes: [UInt8] = []
    for index in root.indices { bytes.append(root[index]) }
    bytes.append(0)
    for index in value.indices { bytes.append(value[index]) }
    return hasher.token(2, bytes.span)
}
