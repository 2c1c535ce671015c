// JSONPointers.swift: JSON Pointer, RFC 6901, with `*` for any element or member.

/// The way to values in a document of JSON.
struct JSONPointer {
    enum Step {
        case any
        case name([UInt8])
    }

    let steps: [Step]

    /// Nil when it is none: it does not begin with `/`, or has a `~` that is neither `~0` nor `~1`.
    init?(_ text: String) {
        var steps: [Step] = []
        var name: [UInt8] = []
        var isEscaped = false
        guard text.utf8.first == UInt8(ascii: "/") else { return nil }
        func end() { steps.append(name == [UInt8(ascii: "*")] ? .any : .name(name)) }
        for byte in text.utf8.dropFirst() {
            if isEscaped {
                guard byte == UInt8(ascii: "0") || byte == UInt8(ascii: "1") else { return nil }
                name.append(byte == UInt8(ascii: "0") ? UInt8(ascii: "~") : UInt8(ascii: "/"))
                isEscaped = false
            } else if byte == UInt8(ascii: "~") {
                isEscaped = true
            } else if byte == UInt8(ascii: "/") {
                end()
                name = []
            } else {
                name.append(byte)
            }
        }
        guard !isEscaped else { return nil }
        end()
        self.steps = steps
    }

    /// Whether a member or element of this name is on the way after `count` steps.
    func goes(after count: Int, by name: Span<UInt8>) -> Bool {
        guard count >= 0, count < steps.count else { return false }
        guard case .name(let wanted) = steps[count] else { return true }
        guard wanted.count == name.count else { return false }
        for index in name.indices where wanted[index] != name[index] { return false }
        return true
    }
}

/// The pointers of one extractor.
final class JSONPointers: ExtractorExpressions {
    private let pointers: [JSONPointer]
    private var scratch: [UInt8] = []

    init(_ texts: [(ExtractorError.Place, String)]) throws(ExtractorError) {
        var pointers: [JSONPointer] = []
        for (place, text) in texts {
            guard let pointer = JSONPointer(text) else {
                throw ExtractorError(
                    place, "`\(text)` is no JSON Pointer",
                    hint: "begin with `/`, as in `/patients/*/id`; write `~0` for `~`, `~1` for `/`"
                )
            }
            pointers.append(pointer)
        }
        self.pointers = pointers
    }

    func begin(_ body: Span<UInt8>, contentType: Span<UInt8>) throws(Unparsed) {
        let media = AnswerMedia(contentType)
        if media.isForeign { throw .encoding }
        switch media.format {
        case .json: return
        case .text, .other:
            guard AnswerMedia.format(lookingAt: body) == .json else { throw .mediaType }
        case .ndjson, .xml, .multipart, .html: throw .mediaType
        }
    }

    func end() {}

    /// A container that has begun.
    private struct Level {
        let isArray: Bool
        /// Steps on the way to it; -1 when it is not on the way.
        let steps: Int
        let start: Int
        var index = 0
    }

    func forEachMatch(
        of expression: Int, in body: Span<UInt8>, _ found: (Span<UInt8>) -> Void
    ) throws(Unparsed) {
        let pointer = pointers[expression]
        var reader = JSONReader()
        var levels: [Level] = []
        // Steps on the way to the value that comes next.
        var next = 0
        while true {
            let token = try reader.next(body, isWhole: true)
            switch token {
            case .more: throw .truncated
            case .end: return
            case .key(let range, let hasEscapes):
                let name = text(body, range, hasEscapes)
                let steps = levels.last?.steps ?? -1
                next = pointer.goes(after: steps, by: name.span) ? steps + 1 : -1
                continue
            case .endObject, .endArray:
                guard let level = levels.popLast(), level.steps == pointer.steps.count else {
                    continue
                }
                // An object or array is known by all that is in it.
                found(body.extracting(level.start..<reader.end))
                continue
            default: break
            }
            if let last = levels.indices.last, levels[last].isArray {
                let index = Array(String(levels[last].index).utf8)
                let steps = levels[last].steps
                next = pointer.goes(after: steps, by: index.span) ? steps + 1 : -1
                levels[last].index += 1
            }
            let isMatch = next == pointer.steps.count
            switch token {
            case .beginObject, .beginArray:
                levels.append(
                    Level(isArray: token == .beginArray, steps: next, start: reader.start))
            case .string(let range, let hasEscapes):
                if isMatch { found(text(body, range, hasEscapes).span) }
            case .number(let range): if isMatch { found(body.extracting(range)) }
            case .boolean(true): if isMatch { found(Self.yes.span) }
            // Says that there is nothing.
            default: break
            }
        }
    }

    private static let yes = Array("true".utf8)

    private func text(_ body: Span<UInt8>, _ range: Range<Int>, _ hasEscapes: Bool) -> [UInt8] {
        scratch.removeAll(keepingCapacity: true)
        let bytes = body.extracting(range)
        guard !hasEscapes else {
            appendUnescaped(bytes, to: &scratch)
            return scratch
        }
        for index in bytes.indices { scratch.append(bytes[index]) }
        return scratch
    }
}
