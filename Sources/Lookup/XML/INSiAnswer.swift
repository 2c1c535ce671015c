// INSiAnswer.swift: the individual of an answer of the INSi teleservice.
//
// CodeCR 00 comes with one INDIVIDU, 01 (none found) and 02 (several found) with none.

/// Reads an answer of INSi.
final class INSiAnswer: XMLAnswer {
    private enum Place {
        case ignored, document, envelope, body, result
        case individual
        /// The matricule in force, and those before.
        case matricule
        case number, domain
        case traits, familyName, givenNames, givenName, birthDate, gender, birthPlace
    }

    private var places: [Place] = []
    private var person = -1
    private var persons = 0
    private var number: [UInt8] = []
    /// The OID that tells which kind of matricule it is.
    private var domain: [UInt8] = []
    private var kept = PersonText()

    override func start(_ element: borrowing XMLElement) {
        let parent = places.last ?? .document
        let place = place(of: element, in: parent)
        places.append(place)
        switch place {
        case .individual where parent != .individual:
            persons += 1
            person = findings.persons.open()
            kept.begin()
        case .number: number.removeAll(keepingCapacity: true)
        case .matricule where parent != .matricule:
            number.removeAll(keepingCapacity: true)
            domain.removeAll(keepingCapacity: true)
        case .domain: domain.removeAll(keepingCapacity: true)
        default: break
        }
    }

    private func place(of element: borrowing XMLElement, in parent: Place) -> Place {
        switch parent {
        case .document: return element.isNamed("Envelope", in: .soap) ? .envelope : result(element)
        case .envelope: return element.isNamed("Body", in: .soap) ? .body : .ignored
        case .body:
            guard element.isNamed("Fault", in: .soap) else { return result(element) }
            findings.isExpected = true
            return .ignored
        case .result: return element.isNamed("INDIVIDU") ? .individual : .result
        case .individual:
            if element.isNamed("INSACTIF") || element.isNamed("INSHISTO") { return .matricule }
            return element.isNamed("TIQ") ? .traits : .individual
        case .matricule:
            if element.isNamed("NumIdentifiant") { return .number }
            return element.isNamed("OID") ? .domain : .matricule
        case .traits: return trait(element)
        case .givenNames: return .givenName
        default: return parent
        }
    }

    /// The answer itself, at the top of the body or in the element of its operation.
    private func result(_ element: borrowing XMLElement) -> Place {
        guard element.isNamed("RESULTAT", in: .insiResult) else { return .body }
        findings.isExpected = true
        return .result
    }

    private func trait(_ element: borrowing XMLElement) -> Place {
        if element.isNamed("NomNaissance") { return .familyName }
        if element.isNamed("ListePrenom") || element.isNamed("ListePrenoms") { return .givenNames }
        if element.isNamed("Prenom") { return .givenName }
        if element.isNamed("DateNaissance") { return .birthDate }
        if element.isNamed("Sexe") { return .gender }
        return element.isNamed("LieuNaissance") ? .birthPlace : .traits
    }

    override func text(_ bytes: Span<UInt8>) {
        guard let place = places.last, !isBlank(bytes) else { return }
        switch place {
        case .number: PersonText.append(bytes, to: &number)
        case .domain: PersonText.append(bytes, to: &domain)
        case .familyName:
            add(.name)
            PersonText.append(bytes, to: &kept.family)
        case .givenNames, .givenName:
            add(.name)
            PersonText.append(bytes, to: &kept.given)
        case .birthDate:
            add(.birthDate)
            PersonText.append(bytes, to: &kept.birthDate)
        case .gender: add(.gender)
        case .birthPlace: add(.birthPlace)
        default: break
        }
    }

    override func end() {
        guard let place = places.popLast() else { return }
        let parent = places.last
        if place == .number, parent != .number {
            guard let key = hasher.ins(number.span) else { return }
            findings.persons.add(key, to: person)
            add(.ins)
            kept.hasKey = true
        } else if place == .matricule, parent != .matricule {
            let (number, domain) = (number, domain)
            hasher.noteINS(number.span, domain: domain.span)
        } else if place == .individual, parent != .individual {
            findings.persons.add(kept.key(hasher), to: person)
            person = -1
        }
    }

    private func add(_ fields: IdentityFields) { findings.persons.add(fields, to: person) }

    override func finish() {
        findings.saysNobody = findings.isExpected && persons == 0
    }
}
