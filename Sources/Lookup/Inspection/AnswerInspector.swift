// AnswerInspector.swift: inspects answers one after the other, whatever they are written in.

internal import KeyedHash

/// Finds out whom an answer discloses, while it arrives; made once, used again and again.
///
/// The body is given from its first byte, each time longer; what was given does not change.
package final class AnswerInspector {
    private var expectation = AnswerExpectation(
        dialect: .fhir, status: 0, contentType: [], interaction: .unknown)
    private var hasher: PersonHasher
    /// Nil until the answer has shown what it is written in.
    private var format: AnswerFormat?
    private var failure: Unparsed?
    /// The Content-Type understood last, and what it says.
    private var mediaType: [UInt8] = []
    private var media = AnswerMedia()
    private var json: FHIRAnswerInspector
    private var xml = XMLAnswerInspector()
    private var multipart = MultipartAnswerInspector()

    /// What the answer is; valid once it is whole.
    package private(set) var finding = Finding.nothing
    /// What was gathered of it; persons are merged once it is whole.
    package private(set) var findings = Findings()

    // What a request asks of them; to hand out the whole would copy every array's reference.
    package var personCount: Int { findings.persons.count }
    package var personKeys: [UInt64] { findings.persons.allKeys }
    package var personStarts: [Int] { findings.persons.starts }
    package var fields: IdentityFields { findings.persons.fields }
    package func fields(of person: Int) -> IdentityFields { findings.persons.fields(of: person) }
    package var pages: [UInt64] { findings.pages }

    package init() {
        let none = PersonHasher(key: SipKey(low: 0, high: 0), server: "")
        hasher = none
        json = FHIRAnswerInspector(hasher: none)
    }

    /// Forgets the last answer and prepares for one of which this much is known.
    package func begin(_ expectation: AnswerExpectation, _ hasher: PersonHasher) {
        self.expectation = expectation
        self.hasher = hasher
        format = nil
        failure = nil
        finding = .nothing
        findings.removeAll()
    }

    /// Goes on with the body as far as it has come, or all of it.
    package func inspect(_ body: Span<UInt8>, isWhole: Bool) {
        do throws(Unparsed) {
            if failure == nil { try look(at: body, isWhole: isWhole) }
        } catch {
            failure = error
        }
        if isWhole { conclude() }
    }

    /// Reads a whole answer as an operator declared, instead of by its protocol.
    package func inspect(_ body: Span<UInt8>, as extractor: Extractor) {
        format = body.isEmpty ? nil : .other
        do throws(Unparsed) {
            guard !body.isEmpty else { return conclude() }
            try extractor.inspect(
                body, contentType: expectation.contentType.span, hasher, into: &findings)
        } catch {
            failure = error
        }
        conclude()
    }

    private func conclude() {
        findings.persons.merge()
        finding = conclusion(isEmpty: format == nil)
    }

    private func look(at body: Span<UInt8>, isWhole: Bool) throws(Unparsed) {
        if format == nil { try begin(body, isWhole: isWhole) }
        switch format {
        case .json, .ndjson:
            try json.inspect(body, isWhole: isWhole, into: &findings)
            // The other two only speak XML.
            if expectation.dialect != .fhir { findings.isExpected = false }
        case .xml: try xml.inspect(body, isWhole: isWhole, into: &findings)
        case .multipart: try multipart.inspect(body, isWhole: isWhole, into: &findings)
        case .html, .text, .other: throw .mediaType
        case nil: break
        }
        if findings.persons.isOverfull { throw .tooMany }
    }

    /// Chooses how to read the body, once it is more than blanks.
    private func begin(_ body: Span<UInt8>, isWhole: Bool) throws(Unparsed) {
        guard let seen = AnswerMedia.format(lookingAt: body, isWhole: isWhole) else { return }
        // Answers come in few types, and mostly in the one before's.
        if expectation.contentType != mediaType {
            mediaType = expectation.contentType
            media = AnswerMedia(mediaType.span)
        }
        let format: AnswerFormat =
            switch media.format {
            case .json, .ndjson, .xml, .multipart: media.format
            case .html, .text, .other: seen
            }
        self.format = format
        switch format {
        case .json, .ndjson:
            if media.isForeign { throw .encoding }
            json.begin(hasher, isLines: format == .ndjson)
        case .xml: xml.begin(expectation, hasher)
        case .multipart: multipart.begin(expectation, hasher)
        case .html, .text, .other: break
        }
    }

    private func conclusion(isEmpty: Bool) -> Finding {
        let isLookup = expectation.interaction.isLookup
        let isSomebody = findings.persons.count > 0
        if isSomebody || failure == .tooMany { return failure.map { .unparsed($0) } ?? .understood }
        switch expectation.status {
        case 200...299:
            if isEmpty { return isLookup && expectation.status != 204 ? .miss : .nothing }
            // An acknowledgement may hold what was written; what discloses nobody by its nature
            // may be written in anything.
            if let failure, isLookup || expectation.interaction == .feed {
                return .unparsed(failure)
            }
            guard isLookup else { return .nothing }
            guard findings.isExpected else { return .unparsed(.unexpected) }
            return findings.saysNobody ? .miss : .nothing
        case 401, 405, 406, 408, 413, 415, 429: return .nothing
        // Refused, or not there: either way it tells something of who is.
        case 400...499: return isLookup ? .miss : .nothing
        default: return .nothing
        }
    }
}
