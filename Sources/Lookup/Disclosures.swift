// Disclosures.swift: what inspection found an answer to be.

/// The outcome of inspecting one answer.
package enum Finding: Equatable, Sendable {
    /// Understood; its persons are counted.
    case understood
    /// Understood, and it says that nobody was found, or refuses: a miss. Tells whether somebody
    /// exists, so it is counted.
    case miss
    /// Nothing to do with patients: a capability statement, an acknowledgement.
    case nothing
    /// Not understood: charged as the route says, or withheld.
    case unparsed(Unparsed)
}

/// Why an answer is not understood; raw values stand in the record.
package enum Unparsed: String, CaseIterable, Error, Sendable {
    /// Neither JSON, XML, ndjson nor multipart.
    case mediaType = "media-type"
    /// Breaks its format's grammar.
    case malformed
    /// Ends before its end.
    case truncated
    /// Deeper or wider than is followed.
    case tooDeep = "too-deep"
    /// More persons than are counted.
    case tooMany = "too-many"
    /// Not UTF-8, or declared as something that is not read.
    case encoding
    /// A content coding that is not decoded, or does not decode.
    case coding
    /// An XML document type declaration.
    case documentType = "document-type"
    /// Well-formed, and nothing that this route's protocol answers.
    case unexpected
}

/// Which language an answer's body is written in.
package enum AnswerFormat: Sendable {
    case json
    /// One JSON document a line: bulk data.
    case ndjson
    case xml
    /// Parts, each with a media type of its own: MTOM/XOP.
    case multipart
    case html
    case text
    case other
}
