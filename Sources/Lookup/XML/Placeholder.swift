// Placeholder.swift: the inspectors of XML and of multipart answers, until they are there.

/// Inspects answers in several parts.
struct MultipartAnswerInspector {
    mutating func begin(_ expectation: AnswerExpectation, _ hasher: PersonHasher) {}

    mutating func inspect(
        _ body: Span<UInt8>, isWhole: Bool, into findings: inout Findings
    ) throws(Unparsed) {
        throw .mediaType
    }
}
