// JSONBody.swift: goes through the JSON of a request, object by object, with nothing read twice.
//
// A key that comes twice means one thing to one server and another to the next: where a key
// matters here, the second one is refused.

/// A request's whole JSON text, read from its beginning; whatever is wrong in it refuses it.
struct JSONBody {
    private var reader = JSONReader()

    /// Where the value read last ends.
    var end: Int { reader.end }
    /// Where the token read last begins.
    var start: Int { reader.start }

    mutating func next(_ body: Span<UInt8>) throws(QuestionError) -> JSONToken {
        do {
            return try reader.next(body, isWhole: true)
        } catch {
            throw .bodyNotUnderstood
        }
    }

    /// Steps into an object.
    mutating func beginObject(_ body: Span<UInt8>) throws(QuestionError) {
        guard try next(body) == .beginObject else { throw .bodyNotUnderstood }
    }

    /// Steps into an array.
    mutating func beginArray(_ body: Span<UInt8>) throws(QuestionError) {
        guard try next(body) == .beginArray else { throw .bodyNotUnderstood }
    }

    /// Goes to the next key of the object we are in, and tells what it means; nil at its end.
    mutating func key<Meaning>(
        _ body: Span<UInt8>, of words: WordTable<Meaning>
    ) throws(QuestionError) -> Key<Meaning>? {
        switch try next(body) {
        case .key(let range, let hasEscapes):
            guard hasEscapes else {
                return words.exactly(body.extracting(range)).map { .known($0) } ?? .unknown
            }
            let text = unescaped(body.extracting(range))
            return words.exactly(text.span).map { .known($0) } ?? .unknown
        case .endObject: return nil
        default: throw .bodyNotUnderstood
        }
    }

    /// Steps into the next object of the array we are in; false at the array's end.
    mutating func nextObject(_ body: Span<UInt8>) throws(QuestionError) -> Bool {
        switch try next(body) {
        case .beginObject: return true
        case .endArray: return false
        default: throw .bodyNotUnderstood
        }
    }

    /// The text of the string that comes next.
    mutating func text(_ body: Span<UInt8>) throws(QuestionError) -> [UInt8] {
        guard case .string(let range, let hasEscapes) = try next(body) else {
            throw .bodyNotUnderstood
        }
        return hasEscapes ? unescaped(body.extracting(range)) : range.map { body[$0] }
    }

    /// Passes over the value that comes next, and tells where it lies.
    mutating func skip(_ body: Span<UInt8>) throws(QuestionError) -> Range<Int> {
        let depth = reader.depth
        _ = try next(body)
        let start = reader.start
        while reader.depth > depth { _ = try next(body) }
        return start..<reader.end
    }

    /// Refuses whatever follows the value read.
    mutating func finish(_ body: Span<UInt8>) throws(QuestionError) {
        guard try next(body) == .end else { throw .bodyNotUnderstood }
    }

    private func unescaped(_ text: Span<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        appendUnescaped(text, to: &out)
        return out
    }

    enum Key<Meaning> {
        case known(Meaning)
        case unknown
    }
}

/// Keeps what must come at most once.
struct Once<Value> {
    private(set) var value: Value?

    mutating func set(_ value: Value) throws(QuestionError) {
        guard self.value == nil else { throw .bodyNotUnderstood }
        self.value = value
    }
}
