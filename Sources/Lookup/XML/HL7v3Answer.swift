// HL7v3Answer.swift: the patients of a PDQV3, PIXV3 or XCPD answer.
//
// Patients are counted by element: the quantities that an answer declares are not believed, and
// one patient may have many ids.

/// Reads an answer of HL7 v3, in an envelope of SOAP or bare.
final class HL7v3Answer: XMLAnswer {
    private enum Place {
        case ignored, document, envelope, body, fault
        /// Somewhere in the interaction, outside of any patient.
        case act
        case queryAcknowledgement
        case patient, person, otherIDs
        /// Within a patient, nothing that is looked for.
        case trait
        case name, family, given, address, birthPlace, relative
    }

    private var places: [Place] = []
    private var isQueryAnswer = false
    private var patient = -1
    private var patients = 0
    private var kept = PersonText()
    private var isFamilyKept = false
    private var isGivenKept = false

    override func start(_ element: borrowing XMLElement) {
        let parent = places.last ?? .document
        let place = place(of: element, in: parent)
        places.append(place)
        switch place {
        case .patient: open(element)
        case .relative: if hasContent(element) { add(.relatives) }
        case .birthPlace: if hasContent(element) { add(.birthPlace) }
        default: break
        }
    }

    private func place(of element: borrowing XMLElement, in parent: Place) -> Place {
        switch parent {
        case .document:
            if element.isNamed("Envelope", in: .soap) { return .envelope }
            return interaction(element)
        case .envelope: return element.isNamed("Body", in: .soap) ? .body : .ignored
        case .body:
            guard element.isNamed("Fault", in: .soap) else { return interaction(element) }
            findings.isExpected = true
            return .fault
        case .act: return act(element)
        case .queryAcknowledgement:
            if isQueryAnswer, element.isNamed("queryId") { addQuery(element) }
            return .queryAcknowledgement
        case .patient, .person, .otherIDs: return inPatient(element, parent)
        case .name, .family, .given:
            if element.isNamed("family") { return .family }
            return element.isNamed("given") ? .given : .name
        case .ignored, .fault, .trait, .address, .birthPlace, .relative: return parent
        }
    }

    private func interaction(_ element: borrowing XMLElement) -> Place {
        guard element.space == .hl7v3,
            element.nameHasPrefix("PRPA_IN") || element.nameHasPrefix("QUQI_IN")
                || element.nameHasPrefix("MCCI_IN")
        else { return .ignored }
        findings.isExpected = true
        isQueryAnswer = element.isNamed("PRPA_IN201306UV02")
        return .act
    }

    private func act(_ element: borrowing XMLElement) -> Place {
        // A patient without a namespace is still one to whoever reads carelessly.
        guard element.space == .hl7v3 || element.space == .none else { return .ignored }
        if element.isNamed("patient") { return .patient }
        return element.isNamed("queryAck") ? .queryAcknowledgement : .act
    }

    private func inPatient(_ element: borrowing XMLElement, _ parent: Place) -> Place {
        if element.isNamed("id") {
            addIdentifier(element)
            return .trait
        }
        switch parent {
        case .patient:
            if element.isNamed("patientPerson") { return .person }
        case .person:
            if element.isNamed("asOtherIDs") { return .otherIDs }
            if element.isNamed("birthTime") {
                addBirthTime(element)
            } else if element.isNamed("administrativeGenderCode") {
                if element.hasValue("code") { add(.gender) }
            } else if element.isNamed("personalRelationship") {
                return .relative
            } else if element.isNamed("birthPlace") {
                return .birthPlace
            }
        default: return .trait
        }
        if element.isNamed("name") { return .name }
        if element.isNamed("addr") { return .address }
        if element.isNamed("telecom") { addTelecom(element) }
        element.withValue(of: "value") { kept.addContent($0) }
        return .trait
    }

    // MARK: Patients

    private func open(_ element: borrowing XMLElement) {
        patients += 1
        patient = findings.persons.open()
        kept.begin()
        isFamilyKept = false
        isGivenKept = false
    }

    private func add(_ fields: IdentityFields) { findings.persons.add(fields, to: patient) }

    /// An id without an extension names a domain and nobody in it, unless it is a UUID.
    private func addIdentifier(_ element: borrowing XMLElement) {
        let bytes = element.bytes.span
        let root = bytes.extracting(element.value(of: "root"))
        let value = bytes.extracting(element.value(of: "extension"))
        let key: PersonKey?
        if !isBlank(value) {
            key = hasher.identifier(system: root, value: value)
        } else if !element.hasValue("nullFlavor"), isUUID(root) {
            key = uuidKey(root)
        } else {
            return
        }
        guard key != nil else { return }
        findings.persons.add(key, to: patient)
        kept.hasKey = true
        add(isINS(system: root) ? .ins : .identifier)
    }

    /// As FHIR writes it: `urn:ietf:rfc:3986|urn:uuid:…`.
    private func uuidKey(_ root: Span<UInt8>) -> PersonKey? {
        var value = Array("urn:uuid:".utf8)
        let root = root.extracting(withoutBlanks(root))
        for index in root.indices { value.append(lowered(root[index])) }
        return hasher.identifier(system: Self.uriSystem.span, value: value.span)
    }

    private static let uriSystem = Array("urn:ietf:rfc:3986".utf8)

    private func addBirthTime(_ element: borrowing XMLElement) {
        guard element.hasValue("value") else { return }
        add(.birthDate)
        guard kept.birthDate.isEmpty else { return }
        let time = element.bytes.span.extracting(element.value(of: "value"))
        // The day; a time of birth is not a trait in FHIR.
        PersonText.append(time.extracting(0..<min(time.count, 8)), to: &kept.birthDate)
    }

    private func addTelecom(_ element: borrowing XMLElement) {
        guard element.hasValue("value") else { return }
        let value = element.bytes.span.extracting(element.value(of: "value"))
        var isMail = value.count >= 7 && spellsFolded(value.extracting(0..<7), "mailto:")
        if !isMail, !(value.count >= 4 && spellsFolded(value.extracting(0..<4), "tel:")) {
            for index in value.indices where value[index] == UInt8(ascii: "@") { isMail = true }
        }
        add(isMail ? .mail : .phone)
    }

    private func hasContent(_ element: borrowing XMLElement) -> Bool {
        element.hasValue("extension") || element.hasValue("value")
    }

    // MARK: Text and ends

    override func text(_ bytes: Span<UInt8>) {
        guard let place = places.last else { return }
        if patient >= 0 { kept.addContent(bytes) }
        switch place {
        case .name, .family, .given:
            guard !isBlank(bytes) else { break }
            add(.name)
        case .address:
            if !isBlank(bytes) { add(.address) }
            return
        case .birthPlace:
            if !isBlank(bytes) { add(.birthPlace) }
            return
        case .relative:
            if !isBlank(bytes) { add(.relatives) }
            return
        default: return
        }
        if place == .family, !isFamilyKept { PersonText.append(bytes, to: &kept.family) }
        if place == .given, !isGivenKept { PersonText.append(bytes, to: &kept.given) }
    }

    override func end() {
        guard let place = places.popLast() else { return }
        switch place {
        // The first of each; a name of birth beside a name of use does not make another person.
        case .family: isFamilyKept = !kept.family.isEmpty
        case .given: isGivenKept = !kept.given.isEmpty
        case .patient:
            findings.persons.add(kept.key(hasher), to: patient)
            patient = -1
        default: break
        }
    }

    private func addQuery(_ element: borrowing XMLElement) {
        let bytes = element.bytes.span
        let token = queryToken(
            root: bytes.extracting(element.value(of: "root")),
            extension: bytes.extracting(element.value(of: "extension")), hasher)
        if let token { addPage(token) }
    }

    override func finish() {
        findings.saysNobody = findings.isExpected && patients == 0
    }
}

/// Whether bytes are a UUID: 36 characters, dashes at their places.
private func isUUID(_ bytes: Span<UInt8>) -> Bool {
    let range = withoutBlanks(bytes)
    guard range.count == 36 else { return false }
    for offset in 0..<36 {
        let byte = bytes[range.lowerBound + offset]
        switch offset {
        case 8, 13, 18, 23: guard byte == UInt8(ascii: "-") else { return false }
        default:
            let isDigit = byte >= 0x30 && byte <= 0x39
            guard isDigit || (lowered(byte) >= 0x61 && lowered(byte) <= 0x66) else { return false }
        }
    }
    return true
}
