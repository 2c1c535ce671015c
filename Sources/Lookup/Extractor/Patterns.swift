// Patterns.swift: regular expressions on the text of an answer, by PCRE2 with limits.

internal import CRegex

/// The regular expressions of one extractor.
///
/// Safe because pointers are made here, freed once in deinit, and never handed out.
@safe final class Patterns: ExtractorExpressions {
    /// Nanoseconds that all matches of one expression may take together.
    static let timeMax: UInt64 = 250_000_000

    private var patterns: [OpaquePointer] = unsafe []

    init(_ texts: [(ExtractorError.Place, String)]) throws(ExtractorError) {
        for (place, text) in texts {
            var offset = 0
            var message = [CChar](repeating: 0, count: 256)
            let bytes = Array(text.utf8)
            let compiled = unsafe bytes.withUnsafeBufferPointer { pattern in
                // Safe because pattern and message live for the call.
                unsafe message.withUnsafeMutableBufferPointer { room in
                    unsafe room.baseAddress.flatMap {
                        unsafe herse_regex_compile(
                            pattern.baseAddress, pattern.count, &offset, $0, room.count)
                    }
                }
            }
            guard let pattern = unsafe compiled else {
                let end = message.firstIndex(of: 0) ?? 0
                let why = String(
                    decoding: message[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
                throw ExtractorError(
                    place, "`\(text)` is no regular expression: \(why)",
                    hint: "see character \(offset + 1)")
            }
            unsafe patterns.append(pattern)
        }
    }

    deinit {
        // Safe because nobody else frees them.
        unsafe patterns.forEach { unsafe herse_regex_free($0) }
    }

    func begin(_ body: Span<UInt8>, contentType: Span<UInt8>) throws(Unparsed) {
        if declaresUnreadCharset(contentType) { throw .encoding }
    }

    func end() {}

    func forEachMatch(
        of expression: Int, in body: Span<UInt8>, _ found: (Span<UInt8>) -> Void
    ) throws(Unparsed) {
        var from = 0
        var matches = 0
        let start = herse_regex_thread_time()
        while from <= body.count {
            var (whole, group) = (0..<0, 0..<0)
            switch find(expression, body, from, &whole, &group) {
            case HERSE_REGEX_NONE: return
            case HERSE_REGEX_MATCH: break
            case HERSE_REGEX_ENCODING: throw .encoding
            default: throw .tooDeep
            }
            // An expression that can match nothing finds nobody there.
            if !whole.isEmpty {
                matches += 1
                guard matches <= Persons.findsMax else { throw .tooMany }
                found(body.extracting(group))
            }
            // On to the next character.
            from = max(whole.upperBound, from)
            if whole.upperBound <= whole.lowerBound {
                from += 1
                while from < body.count, body[from] & 0xC0 == 0x80 { from += 1 }
            }
            guard herse_regex_thread_time() &- start <= Self.timeMax else { throw .tooDeep }
        }
    }

    private func find(
        _ expression: Int, _ body: Span<UInt8>, _ from: Int, _ whole: inout Range<Int>,
        _ group: inout Range<Int>
    ) -> herse_regex_verdict {
        var places = (0, 0, 0, 0)
        let verdict = unsafe body.withUnsafeBufferPointer { text in
            // Safe because text and places live for the call, and places are two and two.
            unsafe withUnsafeMutablePointer(to: &places) { places in
                unsafe places.withMemoryRebound(to: Int.self, capacity: 4) { four in
                    unsafe herse_regex_find(
                        patterns[expression], text.baseAddress, text.count, from, from > 0 ? 1 : 0,
                        four, four + 2)
                }
            }
        }
        if verdict == HERSE_REGEX_MATCH.rawValue {
            whole = places.0..<places.1
            group = places.2..<places.3
        }
        return herse_regex_verdict(verdict)
    }
}
