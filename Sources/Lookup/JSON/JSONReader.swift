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
package struct JSONReader: ~Copyable {
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

    private var places = JSONPlaces()
    private var state = State.start
    /// Whether each container we are in is an object; the innermost is the lowest bit.
    private var objects: UInt64 = 0
    /// Containers we are in.
    private(set) package var depth = 0
    /// Where the value lies; a string's quotes are left out.
    private(set) var start = 0
    private(set) var end = 0
    /// How far the number or word at hand goes at least.
    private var scanned = 0
    /// Whether the string at hand has escapes.
    private(set) var hasEscapes = false
    /// Where its key lies, in an object.
    private(set) var keyStart = 0
    private(set) var keyEnd = 0
    private(set) var keyHasEscapes = false
    private var isSequence: Bool
    /// What `next` has read with a key, and not told yet.
    private var pending: Kind?

    /// With `isSequence` every line is a text of its own, and blank lines are none.
    package init(isSequence: Bool = false) { self.isSequence = isSequence }

    /// Begins with another text.
    mutating func restart(isSequence: Bool) {
        places.restart()
        (state, objects, depth, end, pending) = (.start, 0, 0, 0, nil)
        self.isSequence = isSequence
    }

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
        if let kind = try advanceInObject(body, isWhole: isWhole) { return kind }
        while true {
            switch state {
            case .afterValue:
                let place = try places.take(body, isWhole: isWhole)
                guard place >= 0 else { return try stop(isWhole: isWhole) }
                let byte = body[place]
                guard byte == UInt8(ascii: ",") else { return try close(byte, at: place) }
                guard objects & 1 != 0 else {
                    state = .value
                    continue
                }
                state = .key
                fallthrough

            case .key, .keyOrEnd:
                let place = try places.take(body, isWhole: isWhole)
                guard place >= 0 else { return try stop(isWhole: isWhole) }
                let byte = body[place]
                guard byte == UInt8(ascii: "\"") else {
                    guard state == .keyOrEnd else { throw .malformed }
                    return try close(byte, at: place)
                }
                keyStart = place &+ 1
                state = .keyText
                fallthrough

            case .keyText:
                let place = try places.take(body, isWhole: isWhole)
                guard place >= 0 else { return try stop(isWhole: isWhole) }
                keyEnd = place
                keyHasEscapes = try hasEscapes(from: keyStart, to: place, body)
                state = .colon
                fallthrough

            case .colon:
                let place = try places.take(body, isWhole: isWhole)
                guard place >= 0 else { return try stop(isWhole: isWhole) }
                guard body[place] == UInt8(ascii: ":") else { throw .malformed }
                state = .value
                fallthrough

            case .value, .valueOrEnd, .start, .afterText:
                if state == .start, !begin(body, isWhole: isWhole) { return .more }
                let place = try places.take(body, isWhole: isWhole)
                guard place >= 0 else { return try stop(isWhole: isWhole) }
                let byte = body[place]
                guard byte == UInt8(ascii: "\"") else {
                    if let kind = try beginOther(byte, at: place, body) { return kind }
                    continue
                }
                if state == .afterText { try beginNextText(at: place, body) }
                start = place &+ 1
                state = .valueText
                fallthrough

            case .valueText:
                let place = try places.take(body, isWhole: isWhole)
                guard place >= 0 else { return try stop(isWhole: isWhole) }
                end = place
                hasEscapes = try hasEscapes(from: start, to: place, body)
                state = depth == 0 ? .afterText : .afterValue
                return .string

            case .scalar:
                return try readScalar(body, isWhole: isWhole)
            }
        }
    }

    /// The same for what most of a document is made of, if all of it is at hand: a member of an
    /// object that is no number or word, `, "key" : "value"`.
    @inline(__always)
    private mutating func advanceInObject(
        _ body: Span<UInt8>, isWhole: Bool
    ) throws(Unparsed) -> Kind? {
        let isFirst = state == .keyOrEnd
        guard isFirst || (state == .afterValue && objects & 1 != 0),
            places.hasSix(body, isWhole: isWhole)
        else { return nil }
        // Without a comma everything stands one place earlier.
        let shift = isFirst ? 0 : 1
        guard isFirst || body[places.ahead(0)] == UInt8(ascii: ","),
            body[places.ahead(shift)] == UInt8(ascii: "\""),
            body[places.ahead(shift &+ 2)] == UInt8(ascii: ":")
        else { return nil }
        let place = places.ahead(shift &+ 3)
        let byte = body[place]
        guard byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[")
        else { return nil }
        keyStart = places.ahead(shift) &+ 1
        keyEnd = places.ahead(shift &+ 1)
        keyHasEscapes = try hasEscapes(from: keyStart, to: keyEnd, body)
        guard byte == UInt8(ascii: "\"") else {
            places.pass(shift &+ 4)
            return try open(byte == UInt8(ascii: "{") ? .beginObject : .beginArray, at: place, body)
        }
        start = place &+ 1
        end = places.ahead(shift &+ 4)
        places.pass(shift &+ 5)
        hasEscapes = try hasEscapes(from: start, to: end, body)
        state = .afterValue
        return .string
    }

    /// Begins a value that is no string; nil for a number or word, which has yet to be read.
    @inline(__always)
    private mutating func beginOther(
        _ byte: UInt8, at place: Int, _ body: Span<UInt8>
    ) throws(Unparsed) -> Kind? {
        switch byte {
        case UInt8(ascii: "{"): return try open(.beginObject, at: place, body)
        case UInt8(ascii: "["): return try open(.beginArray, at: place, body)
        case UInt8(ascii: "]"):
            guard state == .valueOrEnd else { throw .malformed }
            return try close(byte, at: place)
        case UInt8(ascii: "}"), UInt8(ascii: ","), UInt8(ascii: ":"): throw .malformed
        default:
            if state == .afterText { try beginNextText(at: place, body) }
            start = place
            scanned = place
            state = .scalar
            return nil
        }
    }

    /// Whether a string has escapes, which are valid then.
    // Within a string the only place worth looking at is the quote that ends it.
    @inline(__always)
    private mutating func hasEscapes(
        from start: Int, to end: Int, _ body: Span<UInt8>
    ) throws(Unparsed) -> Bool {
        guard places.hasBackslash(body, from: start, to: end) else { return false }
        guard hasOnlyValidEscapes(body.extracting(start..<end)) else { throw .malformed }
        return true
    }

    private mutating func readScalar(
        _ body: Span<UInt8>, isWhole: Bool
    ) throws(Unparsed) -> Kind {
        while scanned < body.count, !endsScalar(body[scanned]) { scanned &+= 1 }
        guard scanned < body.count || isWhole else { return .more }
        end = scanned
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
    private mutating func begin(_ body: Span<UInt8>, isWhole: Bool) -> Bool {
        guard body.count >= 3 || isWhole else { return false }
        if body.count >= 3, body[0] == 0xEF, body[1] == 0xBB, body[2] == 0xBF {
            places.skip(to: 3)
            end = 3
        }
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
        // The first text has no line before it.
        guard end == 0 || (end == 3 && body[0] == 0xEF) else { throw .malformed }
    }

    @inline(__always)
    private mutating func open(
        _ kind: Kind, at place: Int, _ body: Span<UInt8>
    ) throws(Unparsed) -> Kind {
        if state == .afterText { try beginNextText(at: place, body) }
        guard depth < Self.depthMax else { throw .tooDeep }
        start = place
        depth &+= 1
        objects = objects << 1 | (kind == .beginObject ? 1 : 0)
        state = kind == .beginObject ? .keyOrEnd : .valueOrEnd
        return kind
    }

    @inline(__always)
    private mutating func close(_ byte: UInt8, at place: Int) throws(Unparsed) -> Kind {
        let isObject = objects & 1 != 0
        guard depth > 0, byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
            throw .malformed
        }
        end = place &+ 1
        depth &-= 1
        objects >>= 1
        state = depth == 0 ? .afterText : .afterValue
        return isObject ? .endObject : .endArray
    }

    /// What it means that no place is left.
    private mutating func stop(isWhole: Bool) throws(Unparsed) -> Kind {
        guard isWhole else { return .more }
        guard state == .afterText else { throw .truncated }
        return .end
    }
}
