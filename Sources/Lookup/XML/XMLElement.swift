// XMLElement.swift: the start of an element, as readers of XML see it.

/// Namespaces that mean something here.
enum XMLNamespace {
    case none
    /// `urn:hl7-org:v3`
    case hl7v3
    /// `http://hl7.org/fhir`
    case fhir
    /// Envelopes of SOAP 1.1 and 1.2.
    case soap
    /// `http://www.cnamts.fr/INSiResultat`
    case insiResult
    /// `http://www.cnamts.fr/INSiRecSans`, a search by traits.
    case insiTraits
    /// `http://www.cnamts.fr/INSiRecVit`, a search by the patient's card.
    case insiCard
    case other

    init(_ uri: Span<UInt8>) {
        if spells(uri, "urn:hl7-org:v3") {
            self = .hl7v3
        } else if spells(uri, "http://hl7.org/fhir") {
            self = .fhir
        } else if spells(uri, "http://www.w3.org/2003/05/soap-envelope")
            || spells(uri, "http://schemas.xmlsoap.org/soap/envelope/")
        {
            self = .soap
        } else if spells(uri, "http://www.cnamts.fr/INSiResultat") {
            self = .insiResult
        } else if spells(uri, "http://www.cnamts.fr/INSiRecSans") {
            self = .insiTraits
        } else if spells(uri, "http://www.cnamts.fr/INSiRecVit") {
            self = .insiCard
        } else {
            self = .other
        }
    }
}

/// One element's start: its name, and its attributes that are in no namespace.
///
/// Its bytes are copies, in buffers that the next element uses again.
struct XMLElement {
    fileprivate(set) var bytes: [UInt8] = []
    fileprivate(set) var name = 0..<0
    fileprivate(set) var space = XMLNamespace.none
    private var attributes: [(name: Range<Int>, value: Range<Int>)] = []

    /// Bytes kept between elements; what one needed beyond is given back.
    private static let keptMax = 1 << 16

    mutating func begin(_ name: Span<UInt8>, in space: XMLNamespace) {
        if bytes.count > Self.keptMax { bytes = [] }
        bytes.removeAll(keepingCapacity: true)
        attributes.removeAll(keepingCapacity: true)
        self.name = append(name)
        self.space = space
    }

    mutating func addAttribute(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        attributes.append((append(name), append(value)))
    }

    private mutating func append(_ piece: Span<UInt8>) -> Range<Int> {
        let start = bytes.count
        for index in piece.indices { bytes.append(piece[index]) }
        return start..<bytes.count
    }

    /// Whether this is its name, whatever its namespace.
    func isNamed(_ text: StaticString) -> Bool { spells(bytes.span.extracting(name), text) }

    func isNamed(_ text: StaticString, in space: XMLNamespace) -> Bool {
        self.space == space && isNamed(text)
    }

    func nameHasPrefix(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard name.count >= length else { return false }
        return spells(bytes.span.extracting(name.lowerBound..<(name.lowerBound + length)), text)
    }

    /// Where an attribute's value stands in `bytes`; empty when there is none.
    func value(of text: StaticString) -> Range<Int> {
        for attribute in attributes where spells(bytes.span.extracting(attribute.name), text) {
            return attribute.value
        }
        return 0..<0
    }

    /// Whether an attribute has more in it than blanks.
    func hasValue(_ text: StaticString) -> Bool {
        !isBlank(bytes.span.extracting(value(of: text)))
    }

    /// Calls `use` with an attribute's value, which is empty when there is none.
    @inline(__always)
    func withValue<Result>(of text: StaticString, _ use: (Span<UInt8>) -> Result) -> Result {
        use(bytes.span.extracting(value(of: text)))
    }
}

/// Whether bytes are these, capitals or not.
func spellsFolded(_ bytes: Span<UInt8>, _ text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    for index in bytes.indices {
        // Safe because index is below the length of the text, which lives for ever.
        guard lowered(bytes[index]) == lowered(unsafe text.utf8Start[index]) else { return false }
    }
    return true
}

@inline(__always)
func lowered(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }

/// Whether there is nothing but blanks; no-break spaces are none, so that they are counted.
func isBlank(_ bytes: Span<UInt8>) -> Bool {
    for index in bytes.indices where bytes[index] > 0x20 { return false }
    return true
}

/// Where text stands without the blanks around it.
func withoutBlanks(_ bytes: Span<UInt8>) -> Range<Int> {
    var start = 0
    var end = bytes.count
    while start < end, bytes[start] <= 0x20 { start += 1 }
    while end > start, bytes[end - 1] <= 0x20 { end -= 1 }
    return start..<end
}
