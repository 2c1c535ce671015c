// JSONReader.swift: a strict reader of JSON, RFC 8259, over a text that is still arriving.
//
// It is called with the text so far, from its first byte, each time longer, and goes on where it
// stopped. It allocates nothing: strings are places in the text.

/// What a reader came to.
package enum JSONToken: Equatable, Sendable {
    /// Nothing yet: it needs more of the text.
    case more
    case beginObject
    case endObject
    case beginArray
    case endArray
    /// A key, its quotes left out, and whether there are escapes in it.
    case key(Range<Int>, hasEscapes: Bool)
    case string(Range<Int>, hasEscapes: Bool)
    case number(Range<Int>)
    case boolean(Bool)
    case null
    /// The text ended where it may.
    case end
}

/// Reads the tokens of one JSON text, or of a sequence of them, one a line.
///
/// After an error there is nothing more to be had of it.
///
/// What is called for every token is `mutating` even where it changes nothing: the compiler would
/// copy the whole value for it otherwise.
package struct JSONReader: Sendable {
    /// Arrays and objects within one another.
    package static let depthMax = 64

    /// A value, or the end of a container; in an object, a value with its key.
    enum Kind: UInt8 {
        case more, beginObject, endObject, beginArray, endArray
        case string, number, yes, no, null, end
    }

    private enum State: UInt8 {
        case start, value, valueOrEnd, key, keyOrEnd, keyText, colon, valueText, scalar
        case afterValue, afterText
    }

    /// How far it has read, or as far as is known of the string, number or word at hand.
    private var offset = 0
    private var marks = JSONTextMarks()
    private var state = State.start
    /// Whether each container we are in is an object; the innermost is the lowest bit.
    private var objects: UInt64 = 0
    /// Containers we are in.
    private(set) package var depth = 0
    /// Where the value lies; a string's quotes are left out.
    private(set) var start = 0
    private(set) var end = 0
    /// Whether the string at hand has escapes.
    private(set) var hasEscapes = false
    /// Where its key lies, in an object.
    private(set) var keyStart = 0
    private(set) var keyEnd = 0
    private(set) var keyHasEscapes = false
    private let isSequence: Bool
    /// What `next` has read with a key, and not told yet.
    private var pending: Kind?

    /// With `isSequence` every line is a text of its own, and blank lines are none.
    package init(isSequence: Bool = false) { self.isSequence = isSequence }

    /// The next token; `body` is the text so far, and all of it when `isWhole`.
    package mutating func next(_ body: Span<UInt8>, isWhole: Bool) throws(Unparsed) -> JSONToken {
        if let kind = pending {
            pending = nil
            return token(kind)
        }
        // Of a container that begins, what was around it tells whether it has a key.
        let isInObject = objects & 1 != 0
        let kind = try advance(body, isWhole: isWhole)
        switch kind {
        case .more, .end, .endObject, .endArray: return token(kind)
        default:
            guard isInObject else { return token(kind) }
            pending = kind
            return .key(keyStart..<keyEnd, hasEscapes: keyHasEscapes)
        }
    }

    private func token(_ kind: Kind) -> JSONToken {
        switch kind {
        case .more: .more
        case .beginObject: .beginObject
        case .endObject: .endObject
        case .beginArray: .beginArray
        case .endArray: .endArray
        case .string: .string(start..<end, hasEscapes: hasEscapes)
        case .number: .number(start..<end)
        case .yes: .boolean(true)
        case .no: .boolean(false)
        case .null: .null
        case .end: .end
        }
    }

    /// Like `next`, but in an object key and value come together, and who reads where they lie
    /// does so only when it matters.
    @inline(__always)
    mutating func advance(_ body: Span<UInt8>, isWhole: Bool) throws(Unparsed) -> Kind {
        var at = offset
        while true {
            switch state {
            case .afterValue:
                guard passBlanks(body, &at) else { return try stop(at, isWhole: isWhole) }
                let byte = body[at]
                at &+= 1
                guard byte == UInt8(ascii: ",") else { return try close(byte, before: at) }
                guard objects & 1 != 0 else {
                    state = .value
                    continue
                }
                state = .key
                fallthrough

            case .key, .keyOrEnd:
                guard passBlanks(body, &at) else { return try stop(at, isWhole: isWhole) }
                let byte = body[at]
                at &+= 1
                guard byte == UInt8(ascii: "\"") else {
                    guard state == .keyOrEnd else { throw .malformed }
                    return try close(byte, before: at)
                }
                keyStart = at
                marks = JSONTextMarks()
                state = .keyText
                fallthrough

            case .keyText:
                guard try pass(body, from: keyStart, &at, isShort: true) else {
                    return try stop(at, isWhole: isWhole)
                }
                keyEnd = at &- 1
                keyHasEscapes = marks.hasEscapes
                state = .colon
                fallthrough

            case .colon:
                guard passBlanks(body, &at) else { return try stop(at, isWhole: isWhole) }
                guard body[at] == UInt8(ascii: ":") else { throw .malformed }
                at &+= 1
                state = .value
                fallthrough

            case .value, .valueOrEnd, .start, .afterText:
                if state == .start, !begin(body, &at, isWhole: isWhole) { return .more }
                guard passBlanks(body, &at) else { return try stop(at, isWhole: isWhole) }
                if state == .afterText, end > 0 { try beginNextText(at: at, body) }
                let byte = body[at]
                guard byte == UInt8(ascii: "\"") else {
                    if let kind = try beginOther(byte, at: at) { return kind }
                    continue
                }
                at &+= 1
                start = at
                marks = JSONTextMarks()
                state = .valueText
                fallthrough

            case .valueText:
                guard try pass(body, from: start, &at, isShort: false) else {
                    return try stop(at, isWhole: isWhole)
                }
                end = at &- 1
                hasEscapes = marks.hasEscapes
                state = depth == 0 ? .afterText : .afterValue
                offset = at
                return .string

            case .scalar:
                return try readScalar(body, from: at, isWhole: isWhole)
            }
        }
    }

    /// Passes over a string and its quote; false when the body ends before.
    @inline(__always)
    private mutating func pass(
        _ body: Span<UInt8>, from start: Int, _ at: inout Int, isShort: Bool
    ) throws(Unparsed) -> Bool {
        // Most are short and plain; what began in an earlier piece may not be.
        let end = at == start ? endOfPlainText(body, from: at, isShort: isShort) : -1
        guard end < 0 else {
            at = end &+ 1
            return true
        }
        // A variable of its own, so that the other can stay in a register.
        var place = at
        let isWhole = try passText(body, &place, &marks)
        at = place
        guard isWhole else { return false }
        if marks.hasHigh, !isUTF8(body, start..<place) { throw .encoding }
        at &+= 1
        return true
    }

    /// Begins a value that is no string; nil for a number or word, which has yet to be read.
    @inline(__always)
    private mutating func beginOther(_ byte: UInt8, at place: Int) throws(Unparsed) -> Kind? {
        switch byte {
        case UInt8(ascii: "{"): return try open(.beginObject, at: place)
        case UInt8(ascii: "["): return try open(.beginArray, at: place)
        case UInt8(ascii: "]"):
            guard state == .valueOrEnd else { throw .malformed }
            return try close(byte, before: place &+ 1)
        default:
            start = place
            state = .scalar
            return nil
        }
    }

    private mutating func readScalar(
        _ body: Span<UInt8>, from at: Int, isWhole: Bool
    ) throws(Unparsed) -> Kind {
        offset = at
        while offset < body.count, !endsScalar(body[offset]) { offset &+= 1 }
        guard offset < body.count || isWhole else { return .more }
        end = offset
        let text = body.extracting(start..<end)
        let kind: Kind
        if spells(text, "true") {
            kind = .yes
        } else if spells(text, "false") {
            kind = .no
        } else if spells(text, "null") {
            kind = .null
        } else if isNumber(text) {
            kind = .number
        } else {
            throw end == body.count && depth > 0 ? .truncated : .malformed
        }
        state = depth == 0 ? .afterText : .afterValue
        return kind
    }

    /// Passes over a byte order mark; false when too little has come to tell.
    private mutating func begin(_ body: Span<UInt8>, _ at: inout Int, isWhole: Bool) -> Bool {
        guard body.count >= 3 || isWhole else { return false }
        if body.count >= 3, body[0] == 0xEF, body[1] == 0xBB, body[2] == 0xBF { at = 3 }
        state = isSequence ? .afterText : .value
        return true
    }

    /// Refuses a second text where there can be none, or that begins on the line of the first.
    private mutating func beginNextText(at place: Int, _ body: Span<UInt8>) throws(Unparsed) {
        guard isSequence else { throw .malformed }
        var offset = place &- 1
        while offset >= end {
            if body[offset] == UInt8(ascii: "\n") { return }
            offset &-= 1
        }
        throw .malformed
    }

    @inline(__always)
    private mutating func open(_ kind: Kind, at place: Int) throws(Unparsed) -> Kind {
        guard depth < Self.depthMax else { throw .tooDeep }
        start = place
        offset = place &+ 1
        depth &+= 1
        objects = objects << 1 | (kind == .beginObject ? 1 : 0)
        state = kind == .beginObject ? .keyOrEnd : .valueOrEnd
        return kind
    }

    @inline(__always)
    private mutating func close(_ byte: UInt8, before at: Int) throws(Unparsed) -> Kind {
        let isObject = objects & 1 != 0
        guard depth > 0, byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
            throw .malformed
        }
        end = at
        offset = at
        depth &-= 1
        objects >>= 1
        state = depth == 0 ? .afterText : .afterValue
        return isObject ? .endObject : .endArray
    }

    /// What it means that nothing is left.
    private mutating func stop(_ at: Int, isWhole: Bool) throws(Unparsed) -> Kind {
        offset = at
        guard isWhole else { return .more }
        guard state == .afterText else { throw .truncated }
        return .end
    }
}
