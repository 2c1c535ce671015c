// FHIRXMLElement.swift: one open element of a FHIR answer in XML.

/// What is known of an element while what it holds is read.
struct FHIRXMLElement {
    enum Kind {
        case document, ignored, foreign
        case resource, bundle, parameters
        /// A Patient, RelatedPerson or Person.
        case person
        case element
        case identifier, name, telecom, text, contained, link, parameter
        /// A reference whose name says that it is to a patient.
        case subject
    }

    /// Values of its children that its end asks for.
    enum Part: Int, CaseIterable {
        case system, value, reference, display, relation, url, name, type

        init?(_ element: borrowing XMLElement) {
            if element.isNamed("system") {
                self = .system
            } else if element.isNamed("value") {
                self = .value
            } else if element.isNamed("reference") {
                self = .reference
            } else if element.isNamed("display") {
                self = .display
            } else if element.isNamed("relation") {
                self = .relation
            } else if element.isNamed("url") {
                self = .url
            } else if element.isNamed("name") {
                self = .name
            } else if element.isNamed("type") {
                self = .type
            } else {
                return nil
            }
        }
    }

    /// Where those values stand; empty ranges for what is not there.
    struct Values {
        private var system = 0..<0
        private var value = 0..<0
        private var reference = 0..<0
        private var display = 0..<0
        private var relation = 0..<0
        private var url = 0..<0
        private var name = 0..<0
        private var type = 0..<0

        subscript(part: Part) -> Range<Int> {
            get {
                switch part {
                case .system: system
                case .value: value
                case .reference: reference
                case .display: display
                case .relation: relation
                case .url: url
                case .name: name
                case .type: type
                }
            }
            set {
                switch part {
                case .system: system = newValue
                case .value: value = newValue
                case .reference: reference = newValue
                case .display: display = newValue
                case .relation: relation = newValue
                case .url: url = newValue
                case .name: name = newValue
                case .type: type = newValue
                }
            }
        }
    }

    var kind: Kind
    /// The field that a value in it exposes.
    var area: IdentityFields = []
    /// Whose part it is; -1 for nobody's.
    var person = -1
    var isContained = false
    var values = Values()
    var valuesStart = 0
    /// The identifier in it, and the resource it refers to.
    var identifier: PersonKey?
    var local: PersonKey?
    var fields: IdentityFields = []

    init(_ kind: Kind) { self.kind = kind }
}

/// Whether a type of resource is a person whom lookups are about.
func isPersonType(_ name: Span<UInt8>) -> Bool {
    matches(name, "Patient") || matches(name, "RelatedPerson") || matches(name, "Person")
}

/// Type and id of a reference to a person: `Patient/1`, whatever stands before, and any version.
func personReference(_ reference: Span<UInt8>) -> (type: Range<Int>, id: Range<Int>)? {
    var end = reference.count
    for index in reference.indices {
        let byte = reference[index]
        if byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") || byte == UInt8(ascii: "|") {
            end = index
            break
        }
    }
    var segments = [end..<end, end..<end, end..<end, end..<end]
    var upper = end
    // The last four, the last first.
    for number in 0..<4 {
        var lower = upper
        while lower > 0, reference[lower - 1] != UInt8(ascii: "/") { lower -= 1 }
        segments[number] = lower..<upper
        guard lower > 0 else { break }
        upper = lower - 1
    }
    let first = matches(reference.extracting(segments[1]), "_history") ? 2 : 0
    let (id, type) = (segments[first], segments[first + 1])
    guard !id.isEmpty, isPersonType(reference.extracting(type)) else { return nil }
    return (type, id)
}
