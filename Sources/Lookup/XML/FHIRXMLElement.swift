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
        /// `Patient.link`, `Person.link`, and its reference to who is the same.
        case samePerson, sameTarget
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
    spells(name, "Patient") || spells(name, "RelatedPerson") || spells(name, "Person")
}

/// Where the id stands in a reference to a patient: the last `Patient/ID` in it, whatever stands
/// before, and any version after.
func patientID(inReference reference: Span<UInt8>) -> Range<Int>? {
    var found: Range<Int>?
    var isAfterType = false
    var start = 0
    while start <= reference.count {
        var end = start
        var isLast = false
        while end < reference.count, reference[end] != UInt8(ascii: "/"), !isLast {
            isLast = reference[end] == UInt8(ascii: "?") || reference[end] == UInt8(ascii: "#")
            if !isLast { end += 1 }
        }
        let segment = reference.extracting(start..<end)
        if isAfterType, !segment.isEmpty { found = start..<end }
        if isLast { break }
        isAfterType = spells(segment, "Patient")
        start = end + 1
    }
    return found
}
