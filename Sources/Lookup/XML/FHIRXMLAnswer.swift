// FHIRXMLAnswer.swift: the persons of a FHIR answer written in XML.
//
// The same rules as for JSON: Patient, RelatedPerson and Person resources wherever they stand,
// references that show whom they name, and what `$ihe-pix` says of its one person.

/// Reads an answer of FHIR.
final class FHIRXMLAnswer: XMLAnswer {
    private var frames: [FHIRXMLElement] = []
    /// What frames keep of their elements' values; each frame takes its own away when it ends.
    private var values: [UInt8] = []
    /// Of the persons that are open, the outermost first; the rest is used again.
    private var texts: [PersonText] = []
    private var openPersons = 0
    /// Persons contained in resources that are open: who contains them, their id, their number.
    private var contained: [(depth: Int, id: UInt64, person: Int)] = []
    private var root = FHIRXMLElement.Kind.document
    private var isOutcome = false
    /// Resources besides Bundles and OperationOutcomes.
    private var resources = 0
    /// The one person of `$ihe-pix`.
    private var target = -1

    /// What is kept of the innermost person.
    private var kept: PersonText {
        get { openPersons > 0 ? texts[openPersons - 1] : PersonText() }
        _modify {
            if texts.isEmpty { texts.append(PersonText()) }
            yield &texts[max(openPersons - 1, 0)]
        }
    }

    // MARK: Starts

    override func start(_ element: borrowing XMLElement) {
        let parent = frames.last ?? FHIRXMLElement(.document)
        var frame = FHIRXMLElement(.element)
        frame.valuesStart = values.count
        defer { frames.append(frame) }
        guard parent.kind != .ignored else {
            frame.kind = .ignored
            return
        }
        guard element.space == .fhir else {
            // XHTML in a narrative; any other root is no answer of FHIR.
            frame.kind = parent.kind == .document ? .ignored : .foreign
            frame.person = parent.person
            let isNarrative = parent.kind == .text || parent.area == .narrative
            frame.area = isNarrative ? .narrative : []
            return
        }
        if isResource(element) {
            open(element, in: parent, &frame)
            return
        }
        guard parent.kind != .document else {
            frame.kind = .ignored
            return
        }
        frame.person = parent.person
        frame.area = parent.area
        keep(element)
        // What its parent keeps of it is its parent's.
        frame.valuesStart = values.count
        if parent.kind == .person {
            startInPerson(element, &frame)
        } else {
            frame.kind = kind(of: element, in: parent)
        }
        if frame.area != [], element.hasValue("value"), !isAboutValue(element) {
            expose(frame.area, frame)
        }
        if frame.person >= 0 { element.withValue(of: "value") { kept.addContent($0) } }
        if parent.kind == .name { keepName(element) }
    }

    /// Resources have capitals, elements have none.
    private func isResource(_ element: borrowing XMLElement) -> Bool {
        guard !element.name.isEmpty else { return false }
        let first = element.bytes[element.name.lowerBound]
        return first >= 0x41 && first <= 0x5A
    }

    private func open(
        _ element: borrowing XMLElement, in parent: FHIRXMLElement, _ frame: inout FHIRXMLElement
    ) {
        frame.kind = .resource
        frame.isContained = parent.kind == .contained
        if element.isNamed("Bundle") {
            frame.kind = .bundle
        } else if element.isNamed("Parameters") {
            frame.kind = .parameters
        } else if isPersonType(element.bytes.span.extracting(element.name)) {
            frame.kind = .person
            frame.person = findings.persons.open()
            frame.values[.type] = append(element.bytes.span.extracting(element.name))
            if texts.count == openPersons { texts.append(PersonText()) }
            texts[openPersons].begin()
            openPersons += 1
        }
        let isOutcome = element.isNamed("OperationOutcome")
        if parent.kind == .document {
            root = frame.kind
            findings.isExpected = true
            self.isOutcome = isOutcome
        }
        if frame.kind != .bundle, frame.kind != .parameters, !isOutcome { resources += 1 }
    }

    private func startInPerson(_ element: borrowing XMLElement, _ frame: inout FHIRXMLElement) {
        frame.area = []
        if element.isNamed("id") {
            addLocalID(element, frame)
        } else if element.isNamed("identifier") {
            frame.kind = .identifier
        } else if element.isNamed("name") {
            frame.kind = .name
            frame.area = .name
        } else if element.isNamed("telecom") {
            frame.kind = .telecom
        } else if element.isNamed("birthDate") {
            frame.area = .birthDate
            if kept.birthDate.isEmpty {
                let bytes = element.bytes.span
                PersonText.append(
                    bytes.extracting(element.value(of: "value")), to: &kept.birthDate)
            }
        } else if element.isNamed("gender") {
            frame.area = .gender
        } else if element.isNamed("address") {
            frame.area = .address
        } else if element.isNamed("photo") {
            frame.area = .photo
        } else if element.isNamed("contact") {
            frame.area = .relatives
        } else if element.isNamed("text") {
            frame.kind = .text
        } else if element.isNamed("contained") {
            frame.kind = .contained
        } else if element.isNamed("link") {
            frame.kind = .samePerson
        } else if element.isNamed("extension") {
            if endsIn(element, "birthPlace") { frame.area = .birthPlace }
            if endsIn(element, "mothersMaidenName") { frame.area = .relatives }
        }
    }

    private func endsIn(_ element: borrowing XMLElement, _ text: StaticString) -> Bool {
        let url = element.bytes.span.extracting(element.value(of: "url"))
        let length = text.utf8CodeUnitCount
        guard url.count >= length else { return false }
        return spells(url.extracting((url.count - length)..<url.count), text)
    }

    private func kind(
        of element: borrowing XMLElement, in parent: FHIRXMLElement
    ) -> FHIRXMLElement.Kind {
        if element.isNamed("identifier") || element.isNamed("valueIdentifier") {
            return .identifier
        }
        if element.isNamed("contained") { return .contained }
        if parent.kind == .bundle, element.isNamed("link") { return .link }
        if parent.kind == .samePerson, element.isNamed("other") || element.isNamed("target") {
            return .sameTarget
        }
        if element.isNamed("parameter") || element.isNamed("part") { return .parameter }
        let isSubject =
            element.isNamed("subject") || element.isNamed("patient")
            || element.isNamed("beneficiary")
        return isSubject ? .subject : .element
    }

    /// Values that tell of what kind another one is.
    private func isAboutValue(_ element: borrowing XMLElement) -> Bool {
        element.isNamed("use") || element.isNamed("type") || element.isNamed("start")
            || element.isNamed("end") || element.isNamed("contentType")
    }

    /// Keeps a value that its parent's end asks for.
    private func keep(_ element: borrowing XMLElement) {
        guard let last = frames.indices.last,
            let part = FHIRXMLElement.Part(element), element.hasValue("value")
        else { return }
        frames[last].values[part] = append(
            element.bytes.span.extracting(element.value(of: "value")))
    }

    private func keepName(_ element: borrowing XMLElement) {
        let value = element.bytes.span.extracting(element.value(of: "value"))
        if element.isNamed("family"), kept.family.isEmpty {
            PersonText.append(value, to: &kept.family)
        } else if element.isNamed("given"), kept.given.isEmpty {
            PersonText.append(value, to: &kept.given)
        }
    }

    /// The depth of the resource in which `#id` has its meaning.
    private var container: Int {
        frames.lastIndex { frame in
            switch frame.kind {
            case .resource, .person, .bundle, .parameters: !frame.isContained
            default: false
            }
        } ?? 0
    }

    private func append(_ value: Span<UInt8>) -> Range<Int> {
        let start = values.count
        for index in value.indices { values.append(value[index]) }
        return start..<values.count
    }

    /// Notes that fields of the innermost person are there to be read.
    private func expose(_ fields: IdentityFields, _ frame: FHIRXMLElement) {
        guard frame.person >= 0 else { return }
        findings.persons.add(fields, to: frame.person)
        kept.hasFields = true
    }

    private func addLocalID(_ element: borrowing XMLElement, _ frame: FHIRXMLElement) {
        guard let person = frames.last else { return }
        // A contained resource's id means nothing outside the resource that contains it.
        guard !person.isContained else {
            let id = element.bytes.span.extracting(element.value(of: "value"))
            contained.append((container, hasher.token(0x59, id), frame.person))
            return
        }
        let key = hasher.local(
            type: values.span.extracting(person.values[.type]),
            id: element.bytes.span.extracting(element.value(of: "value")))
        findings.persons.add(key, to: frame.person)
        if key != nil { kept.hasKey = true }
    }

    override func text(_ bytes: Span<UInt8>) {
        guard let frame = frames.last, frame.kind == .foreign, frame.area == .narrative,
            !isBlank(bytes)
        else { return }
        expose(.narrative, frame)
    }

    // MARK: Ends

    override func end() {
        guard let frame = frames.popLast() else { return }
        switch frame.kind {
        case .person: endPerson(frame)
        case .resource: endContained()
        case .identifier: endIdentifier(frame)
        case .telecom: endTelecom(frame)
        case .link: endLink(frame)
        case .parameter: endParameter(frame)
        case .element, .subject, .sameTarget: endReference(frame)
        default: break
        }
        if frame.valuesStart < values.count {
            values.removeLast(values.count - frame.valuesStart)
        }
    }

    private func endPerson(_ frame: FHIRXMLElement) {
        let isPatient = spells(values.span.extracting(frame.values[.type]), "Patient")
        if isPatient || kept.hasFields {
            findings.persons.add(kept.key(hasher), to: frame.person)
        } else {
            findings.persons.drop(frame.person)
        }
        openPersons -= 1
        endContained()
    }

    /// Forgets who was contained in what has ended.
    private func endContained() {
        while let last = contained.last, last.depth >= frames.count { contained.removeLast() }
    }

    private func endIdentifier(_ frame: FHIRXMLElement) {
        let values = self.values
        let system = values.span.extracting(frame.values[.system])
        guard let last = frames.indices.last,
            let key = hasher.identifier(
                system: system, value: values.span.extracting(frame.values[.value]))
        else { return }
        let field = isINS(system: system) ? IdentityFields.ins : .identifier
        if frames[last].kind == .person {
            findings.persons.add(key, to: frame.person)
            expose(field, frame)
            kept.hasKey = true
        } else {
            frames[last].identifier = key
            frames[last].fields.formUnion(field)
        }
    }

    private func endTelecom(_ frame: FHIRXMLElement) {
        let values = self.values
        let value = values.span.extracting(frame.values[.value])
        guard !isBlank(value) else { return }
        let system = values.span.extracting(frame.values[.system])
        var isMail = spells(system, "email")
        if system.isEmpty {
            for index in value.indices where value[index] == UInt8(ascii: "@") { isMail = true }
        }
        expose(isMail ? .mail : .phone, frame)
    }

    private func endLink(_ frame: FHIRXMLElement) {
        let values = self.values
        guard !spells(values.span.extracting(frame.values[.relation]), "self") else { return }
        let url = values.span.extracting(frame.values[.url])
        guard let mark = (0..<url.count).first(where: { url[$0] == UInt8(ascii: "?") }) else {
            return
        }
        if let page = pageToken(ofQuery: url.extracting((mark + 1)..<url.count), hasher) {
            addPage(page)
        }
    }

    /// `targetId` and `targetIdentifier` are all of one person.
    private func endParameter(_ frame: FHIRXMLElement) {
        let values = self.values
        let name = values.span.extracting(frame.values[.name])
        guard spells(name, "targetId") || spells(name, "targetIdentifier"),
            frame.identifier != nil || frame.local != nil
        else { return }
        if target < 0 { target = findings.persons.open() }
        findings.persons.add(frame.identifier, to: target)
        findings.persons.add(frame.local, to: target)
        findings.persons.add(frame.fields, to: target)
        if frame.local != nil { findings.persons.add(.identifier, to: target) }
    }

    /// A reference to a patient discloses whom it names, if it says more than where to look.
    private func endReference(_ frame: FHIRXMLElement) {
        let values = self.values
        let reference = values.span.extracting(frame.values[.reference])
        let hasDisplay = !isBlank(values.span.extracting(frame.values[.display]))
        let local = patientID(inReference: reference).flatMap {
            hasher.local(type: Self.patientType.span, id: reference.extracting($0))
        }
        if frame.kind == .sameTarget, let local {
            findings.persons.add(local, to: frame.person)
            kept.hasKey = true
        }
        if let last = frames.indices.last, frames[last].kind == .parameter {
            frames[last].local = local
        }
        guard hasDisplay || frame.identifier != nil else { return }
        // Without a reference, the element's name or the type say whether it is a person.
        let isPerson =
            local != nil
            || (!reference.isEmpty && reference[0] == UInt8(ascii: "#"))
            || (reference.isEmpty
                && (spells(values.span.extracting(frame.values[.type]), "Patient")
                    || frame.kind == .subject))
        guard isPerson, !isContained(reference, hasDisplay) else { return }
        let find = findings.persons.open()
        findings.persons.add(local, to: find)
        findings.persons.add(frame.identifier, to: find)
        findings.persons.add(frame.fields, to: find)
        guard hasDisplay else { return }
        findings.persons.add(.name, to: find)
        guard local == nil, frame.identifier == nil else { return }
        let empty: [UInt8] = []
        findings.persons.add(
            hasher.traits(
                family: values.span.extracting(frame.values[.display]), given: empty.span,
                birthDate: empty.span), to: find)
    }

    /// Whether a reference is to a contained person, who is counted already.
    private func isContained(_ reference: Span<UInt8>, _ hasDisplay: Bool) -> Bool {
        guard !reference.isEmpty, reference[0] == UInt8(ascii: "#") else { return false }
        let id = hasher.token(0x59, reference.extracting(1..<reference.count))
        let depth = container
        guard let one = contained.last(where: { $0.depth == depth && $0.id == id }) else {
            return false
        }
        if hasDisplay { findings.persons.add(.name, to: one.person) }
        return true
    }

    private static let patientType = Array("Patient".utf8)

    override func finish() {
        switch root {
        case .bundle: findings.saysNobody = resources == 0
        case .parameters:
            findings.saysNobody = interaction == .crossReference && target < 0 && resources == 0
        default: findings.saysNobody = isOutcome
        }
    }
}
