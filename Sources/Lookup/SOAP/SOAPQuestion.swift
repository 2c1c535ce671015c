// SOAPQuestion.swift: what a SOAP request asks, by the root of its body and nothing else.
//
// Actions in headers may be absent or lie; whoever serves the request reads its body.

/// Classifies a request of HL7 v3 or of INSi, in an envelope of SOAP or bare, in one part or MTOM.
///
/// `countMax` is the route's largest number of patients an answer.
package func questionOfSOAP(
    _ body: Span<UInt8>, dialect: Dialect, contentType: Span<UInt8>, _ hasher: PersonHasher,
    countMax: Int
) throws(QuestionError) -> Question {
    let document = try envelope(body, contentType: contentType)
    let content = body.extracting(document)
    guard !isWide(content) else { throw .bodyNotUnderstood }
    let request = SOAPRequest(dialect, hasher)
    do throws(Unparsed) {
        try XMLFeed(request).feed(content, isLast: true)
    } catch {
        throw .bodyNotUnderstood
    }
    guard !request.isAmbiguous else { throw .bodyNotUnderstood }
    return request.question(countMax: countMax)
}

/// Where the document of XML stands in a request's body.
private func envelope(
    _ body: Span<UInt8>, contentType: Span<UInt8>
) throws(QuestionError) -> Range<Int> {
    switch AnswerMedia(contentType).format {
    case .xml:
        guard !declaresUnreadCharset(contentType) else { throw .mediaTypeNotUnderstood }
        return 0..<body.count
    case .multipart: break
    case .other where isBlank(contentType): return 0..<body.count
    case .json, .ndjson, .html, .text, .other: throw .mediaTypeNotUnderstood
    }
    do throws(Unparsed) {
        var found: Range<Int>?
        for part in try MultipartBody.parts(body, contentType: contentType) {
            guard try isXML(part, body) else { continue }
            // Which of two would be served is not ours to guess.
            guard found == nil, !declaresUnreadCharset(body.extracting(part.type)) else {
                throw .malformed
            }
            found = part.content
        }
        guard let found else { throw .malformed }
        return found
    } catch {
        throw .bodyNotUnderstood
    }
}
