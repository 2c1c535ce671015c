// JSONValue.swift: a whole JSON text as a value, for what is not on the way of a request.

/// A JSON text, RFC 8259, as a value.
///
/// For texts that are short, and read once: tokens, keys, what a provider answers. What passes the
/// gate by the megabyte has a reader of its own.
package indirect enum JSONValue: Equatable, Sendable {
    case object(JSONObject)
    case array([JSONValue])
    case string(String)
    /// As it was written: what it is worth depends on who asks.
    case number(String)
    case boolean(Bool)
    case null

    /// Reads a text whose every byte must belong to it.
    ///
    /// - Parameters:
    ///   - text: UTF-8 without a byte order mark.
    ///   - depthMax: Objects and arrays within one another.
    ///   - valuesMax: Values, containers and scalars together; keys are none.
    ///   - bytesMax: Length of the text.
    /// - Throws: Why and where it is no JSON, or what there is too much of.
    package init(
        _ text: Span<UInt8>, depthMax: Int = 16, valuesMax: Int = 4096, bytesMax: Int = 1 << 20
    ) throws(JSONError) {
        guard text.count <= bytesMax else { throw .tooLarge }
        var parser = JSONParser(depthMax: depthMax, valuesMax: valuesMax)
        self = try parser.parse(text)
    }

    package init(integer: Int64) { self = .number(String(integer)) }

    /// The member of an object; nil where there is none, and for all that is no object.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let object) = self else { return nil }
        return object[key]
    }

    package var members: JSONObject? {
        guard case .object(let object) = self else { return nil }
        return object
    }

    package var items: [JSONValue]? {
        guard case .array(let values) = self else { return nil }
        return values
    }

    package var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// A string, or an array of nothing but strings.
    package var texts: [String]? {
        switch self {
        case .string(let text): return [text]
        case .array(let values):
            var texts: [String] = []
            for value in values {
                guard let text = value.text else { return nil }
                texts.append(text)
            }
            return texts
        default: return nil
        }
    }

    package var flag: Bool? {
        guard case .boolean(let value) = self else { return nil }
        return value
    }

    /// A number without a fraction, however it is written: `1e3` is 1000, `1.5` is none.
    package var integer: Int64? {
        guard case .number(let text) = self, let number = JSONNumber(text), number.isWhole else {
            return nil
        }
        return number.whole
    }

    /// A number's part before the point: what is left of `1300819380.5` seconds.
    package var wholePart: Int64? {
        guard case .number(let text) = self else { return nil }
        return JSONNumber(text)?.whole
    }
}

/// The members of an object, in the order they were written in; no key stands twice.
package struct JSONObject: Equatable, Sendable, ExpressibleByDictionaryLiteral {
    /// A key and what it stands for.
    package struct Member: Equatable, Sendable {
        package let key: String
        package let value: JSONValue
    }

    package private(set) var members: [Member]

    init(members: [Member]) { self.members = members }

    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        members = []
        for (key, value) in elements { self[key] = value }
    }

    /// Keys are compared byte by byte: Swift would take U+212A for the letter K.
    package subscript(key: String) -> JSONValue? {
        get { members.first { isSame($0.key, key) }?.value }
        set {
            let place = members.firstIndex { isSame($0.key, key) }
            switch (place, newValue) {
            case (let place?, let value?): members[place] = Member(key: key, value: value)
            case (let place?, nil): members.remove(at: place)
            case (nil, let value?): members.append(Member(key: key, value: value))
            case (nil, nil): break
            }
        }
    }
}

private func isSame(_ one: String, _ other: String) -> Bool {
    one.utf8.count == other.utf8.count && one.utf8.elementsEqual(other.utf8)
}
