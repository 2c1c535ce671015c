// FormReader.swift: the parameters of a query string or of a form, one at a time.
//
// What one server reads as a parameter and another does not is refused here rather than guessed
// at: `%` that begins no escape, text that is not UTF-8, a name that is no name of FHIR.

/// Reads `name=value&…`, percent-decoded, into two arrays that are used over and over.
package struct FormReader {
    /// Parameters of one query string or form; a search of PDQm has a dozen.
    package static let parametersMax = 1000
    /// Bytes of a decoded name; the longest chained parameters of FHIR have sixty.
    package static let nameLengthMax = 128

    /// The parameter at hand, decoded; empty parameters and those without a name are passed over.
    package private(set) var name: [UInt8] = []
    package private(set) var value: [UInt8] = []

    private var offset = 0
    private var count = 0

    package init() {}

    /// Goes to the next parameter of `form`, which is the same at each call; false at the end.
    package mutating func next(_ form: Span<UInt8>) throws(QuestionError) -> Bool {
        while offset < form.count {
            count += 1
            guard count <= Self.parametersMax else { throw .formNotUnderstood }
            try readName(form)
            try readValue(form)
            guard !name.isEmpty else { continue }
            return true
        }
        return false
    }

    /// Where the name ends in the form's bytes stands `offset` afterwards: at `=`, `&` or the end.
    private mutating func readName(_ form: Span<UInt8>) throws(QuestionError) {
        name.removeAll(keepingCapacity: true)
        while offset < form.count {
            let byte = form[offset]
            guard byte != UInt8(ascii: "="), byte != UInt8(ascii: "&") else { return }
            let decoded = try decode(form)
            guard isNameByte(decoded), name.count < Self.nameLengthMax else {
                throw .formNotUnderstood
            }
            name.append(decoded)
        }
    }

    /// Reads from `=` up to and over the `&`; without `=` the value is empty.
    private mutating func readValue(_ form: Span<UInt8>) throws(QuestionError) {
        value.removeAll(keepingCapacity: true)
        if offset < form.count, form[offset] == UInt8(ascii: "=") { offset += 1 }
        while offset < form.count, form[offset] != UInt8(ascii: "&") {
            let decoded = try decode(form)
            // A NUL ends the text for some servers, and is a letter like another for the rest.
            guard decoded != 0 else { throw .formNotUnderstood }
            value.append(decoded)
        }
        if offset < form.count { offset += 1 }
        guard isUTF8(value.span) else { throw .formNotUnderstood }
    }

    /// The byte at `offset`, which is moved over it.
    private mutating func decode(_ form: Span<UInt8>) throws(QuestionError) -> UInt8 {
        switch form[offset] {
        case UInt8(ascii: "+"):
            offset += 1
            return UInt8(ascii: " ")
        case UInt8(ascii: "%"):
            guard let byte = decodedByte(form, at: offset) else { throw .formNotUnderstood }
            offset += 3
            return byte
        case let byte:
            offset += 1
            return byte
        }
    }

    /// What a name may hold: graphic ASCII, but nothing that a second decoding, or a server that
    /// takes `;` for `&`, would read in another way.
    private func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "%"), UInt8(ascii: ";"), UInt8(ascii: "&"), UInt8(ascii: "="),
            UInt8(ascii: "+"), UInt8(ascii: "#"), UInt8(ascii: "\""), UInt8(ascii: "\\"):
            false
        case 0x21...0x7E: true
        default: false
        }
    }
}
