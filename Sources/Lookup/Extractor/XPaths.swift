// XPaths.swift: XPath 1.0 on an answer in XML or HTML, by libxml2.

internal import CXML

/// The XPath expressions of one extractor, and the tree of the answer at hand.
///
/// Safe because pointers are made here, freed once, in `end` and deinit, and never handed out.
@safe final class XPaths: ExtractorExpressions {
    private var paths: [OpaquePointer] = unsafe []
    private var document: OpaquePointer?

    init(_ texts: [(ExtractorError.Place, String)]) throws(ExtractorError) {
        for (place, text) in texts {
            var error: Int32 = 0
            // Safe because the text lives for the call, and the reason for ever.
            guard let path = unsafe herse_xpath_compile(text, &error) else {
                let why = unsafe String(cString: herse_xpath_reason(error))
                throw ExtractorError(
                    place, "`\(text)` is no XPath: \(why)",
                    hint: "as in `//tr[@class='patient']/@data-id`; for names in a namespace "
                        + "`*[local-name()='patient']`")
            }
            unsafe paths.append(path)
        }
    }

    deinit {
        end()
        // Safe because nobody else frees them.
        unsafe paths.forEach { unsafe herse_xpath_free($0) }
    }

    func begin(_ body: Span<UInt8>, contentType: Span<UInt8>) throws(Unparsed) {
        if declaresUnreadCharset(contentType) || isWide(body) { throw .encoding }
        let isHTML: Bool
        switch AnswerMedia(contentType).format {
        case .xml: isHTML = false
        case .html: isHTML = true
        case .other where AnswerMedia.format(lookingAt: body) == .xml: isHTML = false
        case .json, .ndjson, .multipart, .text, .other: throw .mediaType
        }
        end()
        var verdict: Int32 = 0
        unsafe document = body.withUnsafeBufferPointer { bytes in
            // Safe because the tree copies what it keeps.
            unsafe herse_document_new(bytes.baseAddress, bytes.count, isHTML ? 1 : 0, &verdict)
        }
        try check(verdict)
    }

    func end() {
        // Safe because it is forgotten as it is freed.
        if let document = unsafe document { unsafe herse_document_free(document) }
        unsafe document = nil
    }

    /// Texts that an expression found, one behind the other.
    private final class Found {
        /// Bytes of all of them; nested elements repeat what is in them.
        static let lengthMax = 1 << 26

        var bytes: [UInt8] = []
        var ends: [Int] = []
    }

    func forEachMatch(
        of expression: Int, in body: Span<UInt8>, _ found: (Span<UInt8>) -> Void
    ) throws(Unparsed) {
        // Safe because the tree lives until `end`.
        guard let document = unsafe document else { return }
        let all = Found()
        // Safe because `all` outlives the call, and texts live for that of each match.
        let verdict = unsafe herse_xpath_evaluate(
            paths[expression], document, Unmanaged.passUnretained(all).toOpaque()
        ) { user, start, count in
            let all = unsafe Unmanaged<Found>.fromOpaque(user).takeUnretainedValue()
            guard all.ends.count < Persons.findsMax, count <= Found.lengthMax - all.bytes.count
            else { return 0 }
            unsafe all.bytes.append(contentsOf: UnsafeBufferPointer(start: start, count: count))
            all.ends.append(all.bytes.count)
            return 1
        }
        try check(verdict)
        var start = 0
        let bytes = all.bytes
        for end in all.ends {
            found(bytes.span.extracting(start..<end))
            start = end
        }
    }

    private func check(_ verdict: Int32) throws(Unparsed) {
        switch herse_xml_verdict(UInt32(bitPattern: verdict)) {
        case HERSE_XML_FINE: return
        case HERSE_XML_DOCUMENT_TYPE: throw .documentType
        case HERSE_XML_ENCODING: throw .encoding
        case HERSE_XML_TOO_LARGE, HERSE_XML_NO_MEMORY: throw .tooDeep
        default: throw .malformed
        }
    }
}
