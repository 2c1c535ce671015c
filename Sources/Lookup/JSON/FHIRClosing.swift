// FHIRClosing.swift: what an object turns out to have been, once it ends.

internal import KeyedHash

/// A contained patient, or a reference to one: known within its resource only.
struct FHIRLocal {
    /// The frame of the resource that contains it.
    let container: Int
    /// A keyed hash of its id.
    let id: UInt64
    let find: Int
}

extension FHIRAnswerInspector {
    /// The person that an object may be, begun when there is a first thing to say of them.
    mutating func find(of object: Int, _ findings: inout Findings) -> Int {
        if frames[object].find < 0 {
            frames[object].find = Int32(truncatingIfNeeded: findings.persons.open())
        }
        return Int(frames[object].find)
    }

    /// Notes that fields of a person are there to be read.
    mutating func expose(_ fields: IdentityFields, of object: Int, _ findings: inout Findings) {
        guard object > 0, frames[object].type.mayBePerson else { return }
        frames[object].marks.insert(.hasFields)
        let find = find(of: object, &findings)
        findings.persons.add(fields, to: find)
    }

    /// The resource that an object stands in, or is.
    mutating func resource(around object: Int) -> Int {
        var place = object
        while place > 0, !frames[place].marks.contains(.isResource) {
            place = Int(frames[place].owner)
        }
        return place
    }

    /// The resource in which an object's `#id` has its meaning.
    private mutating func container(of object: Int) -> Int {
        var place = Int(frames[object].owner)
        while place > 0,
            frames[place].marks.intersection([.isResource, .isContained]) != .isResource
        {
            place = Int(frames[place].owner)
        }
        return place
    }

    /// Adds the key of an identifier, and what it exposes, to the person whose it is.
    mutating func closeIdentifier(
        _ object: Int, _ body: Span<UInt8>, _ findings: inout Findings
    ) {
        // A cross-reference's identifier waits for its parameter's name.
        guard frames[object].role == .identifier, frames[object].texts.contains(.value) else {
            return
        }
        let owner = Int(frames[object].owner)
        guard owner > 0, frames[owner].type.mayBePerson else { return }
        let system = frames[object].texts.contains(.system) ? frames[object].first : FHIRText()
        add(system, frames[object].second, to: owner, body, &findings)
    }

    private mutating func add(
        _ system: FHIRText, _ value: FHIRText, to owner: Int, _ body: Span<UInt8>,
        _ findings: inout Findings
    ) {
        let key = withText(system, body, scratch) { system in
            withText(value, body, otherScratch) { hasher.identifier(system: system, value: $0) }
        }
        guard let key else { return }
        let find = find(of: owner, &findings)
        findings.persons.add(key, to: find)
        // The canonical identifier may be the INS itself.
        let isINS =
            key.rank == .ins
            || key.rank == .canonical && withText(system, body, scratch) { isSystemOfINS($0) }
        let field: IdentityFields = isINS ? .ins : .identifier
        findings.persons.add(field, to: find)
        frames[owner].marks.formUnion(.identified)
    }

    /// The first name that says something is the one that traits are made of.
    mutating func closeName(_ object: Int, _ findings: inout Findings) {
        let texts = frames[object].texts.intersection(.anyName)
        let owner = Int(frames[object].owner)
        guard !texts.isEmpty, owner > 0 else { return }
        expose(.name, of: owner, &findings)
        guard frames[owner].texts.isDisjoint(with: .familyOrGiven) else { return }
        if texts.contains(.family) {
            frames[owner].set(.family, frames[object].family)
        } else if texts == .name {
            frames[owner].set(.family, frames[object].third)
        }
        if texts.contains(.given) { frames[owner].set(.given, frames[object].given) }
    }

    /// Keeps the opaque part of a page link.
    mutating func closeLink(_ object: Int, _ body: Span<UInt8>, _ findings: inout Findings) {
        guard frames[object].texts.contains(.nameAndValue),
            findings.pages.count < Findings.pagesMax
        else { return }
        guard word(frames[object].third, body) != .own else { return }
        let page = withText(frames[object].second, body, scratch) { url -> UInt64? in
            for index in url.indices where url[index] == UInt8(ascii: "?") {
                return pageToken(ofQuery: url.extracting((index + 1)..<url.count), hasher)
            }
            return nil
        }
        if let page { findings.pages.append(page) }
    }

    /// Ends a resource, a reference, or something else.
    mutating func closeOpen(
        _ object: Int, at end: Int, _ body: Span<UInt8>, _ findings: inout Findings
    ) {
        if frames[object].marks.contains(.hasLocals) { joinLocals(of: object, &findings) }
        let isPerson =
            switch frames[object].type {
            case .patient: true
            case .person, .relatedPerson: frames[object].marks.contains(.hasFields)
            default: false
            }
        if isPerson {
            closePerson(object, at: end, body, &findings)
        } else if frames[object].marks.contains(.isCrossReference) {
            return
        } else if frames[object].type != .none
            || !closeReference(object, body, &findings)
        {
            findings.persons.drop(Int(frames[object].find))
        }
    }

    private mutating func closePerson(
        _ object: Int, at end: Int, _ body: Span<UInt8>, _ findings: inout Findings
    ) {
        let find = find(of: object, &findings)
        if frames[object].texts.contains(.id) {
            if frames[object].marks.contains(.isContained) {
                let container = container(of: object)
                let id = localID(frames[object].first, body, skipping: 0)
                localPatients.append(FHIRLocal(container: container, id: id, find: find))
                frames[container].marks.insert(.hasLocals)
            } else {
                addLocalKey(of: object, body, &findings)
            }
        }
        guard !frames[object].marks.contains(.hasKey) else { return }
        let frame = frames[object]
        let key = traits(
            frame.texts.contains(.family) ? frame.family : FHIRText(),
            frame.texts.contains(.given) ? frame.given : FHIRText(),
            frame.texts.contains(.birthDate) ? frame.birthDate : FHIRText(), body)
        findings.persons.add(key ?? contentKey(Int(frame.begin)..<end, body), to: find)
    }

    /// Adds the key of a resource's id.
    mutating func addLocalKey(of object: Int, _ body: Span<UInt8>, _ findings: inout Findings) {
        guard !frames[object].marks.contains(.isContained) else { return }
        let type: FHIRWord
        switch frames[object].type {
        // Of what has not said its type yet, the worst is assumed.
        case .patient, .none: type = .patientType
        case .person: type = .personType
        case .relatedPerson: type = .relatedPersonType
        default: return
        }
        let key = withText(frames[object].first, body, scratch) {
            hasher.local(type: type, id: $0)
        }
        let find = find(of: object, &findings)
        findings.persons.add(key, to: find)
        if key != nil { frames[object].marks.insert(.hasKey) }
    }

    /// Whether an object is a reference that discloses somebody.
    private mutating func closeReference(
        _ object: Int, _ body: Span<UInt8>, _ findings: inout Findings
    ) -> Bool {
        let (marks, texts) = (frames[object].marks, frames[object].texts)
        let isTelling = texts.contains(.display) || marks.contains(.hasIdentifier)
        guard texts.contains(.reference) else {
            guard isTelling, !marks.isDisjoint(with: .isPatientOrSubject) else { return false }
            keep(object, nil, body, &findings)
            return true
        }
        let reference = frames[object].second
        if !reference.isEmpty, body[reference.range.lowerBound] == UInt8(ascii: "#") {
            guard isTelling else { return false }
            keep(object, nil, body, &findings)
            let container = container(of: object)
            let id = localID(reference, body, skipping: 1)
            localReferences.append(
                FHIRLocal(container: container, id: id, find: find(of: object, &findings)))
            frames[container].marks.insert(.hasLocals)
            return true
        }
        guard let key = patientKey(of: reference, body) else { return false }
        let owner = Int(frames[object].owner)
        if marks.contains(.isLinkTarget), frames[owner].type.mayBePerson, owner > 0 {
            let find = find(of: owner, &findings)
            findings.persons.add(key, to: find)
            frames[owner].marks.insert(.hasKey)
        }
        if marks.contains(.isPixReference) { passToParameter(object) }
        guard isTelling else { return false }
        keep(object, key, body, &findings)
        return true
    }

    /// Takes a reference for the person it names, by a key if there is one, else by what it says.
    private mutating func keep(
        _ object: Int, _ key: PersonKey?, _ body: Span<UInt8>, _ findings: inout Findings
    ) {
        let find = find(of: object, &findings)
        findings.persons.add(key, to: find)
        guard frames[object].texts.contains(.display) else { return }
        findings.persons.add(.name, to: find)
        guard key == nil, !frames[object].marks.contains(.hasKey) else { return }
        findings.persons.add(
            traits(frames[object].third, FHIRText(), FHIRText(), body), to: find)
    }

    /// References to contained patients are those patients.
    private mutating func joinLocals(of container: Int, _ findings: inout Findings) {
        let firstPatient = 1 + (localPatients.lastIndex { $0.container != container } ?? -1)
        let first = 1 + (localReferences.lastIndex { $0.container != container } ?? -1)
        localPatients[firstPatient...].sort { $0.id < $1.id }
        for reference in localReferences[first...] {
            var (low, high) = (firstPatient, localPatients.count)
            while low < high {
                let middle = (low + high) / 2
                if localPatients[middle].id < reference.id {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            guard low < localPatients.count, localPatients[low].id == reference.id else { continue }
            findings.persons.add(.name, to: localPatients[low].find)
            findings.persons.drop(reference.find)
        }
        localPatients.removeSubrange(firstPatient...)
        localReferences.removeSubrange(first...)
    }

    // MARK: cross-references, ITI-83

    /// Leaves an identifier to the parameter around it, which may not have said its name yet.
    mutating func closePixIdentifier(_ object: Int) {
        let parameter = parameter(around: object)
        guard frames[object].texts.contains(.value), frames[parameter].role == .parameter else {
            return
        }
        let hasSystem = frames[object].texts.contains(.system)
        frames[parameter].set(.system, hasSystem ? frames[object].first : FHIRText())
        frames[parameter].set(.value, frames[object].second)
    }

    private mutating func passToParameter(_ object: Int) {
        let parameter = parameter(around: object)
        guard frames[parameter].role == .parameter else { return }
        frames[parameter].set(.family, frames[object].second)
    }

    private mutating func parameter(around object: Int) -> Int {
        var place = object &- 1
        while place > 0, frames[place].marks.contains(.isArray) { place &-= 1 }
        return place
    }

    /// All that a cross-reference gives is one person's.
    mutating func closeParameter(_ object: Int, _ body: Span<UInt8>, _ findings: inout Findings) {
        let owner = Int(frames[object].owner)
        guard frames[object].texts.contains(.name), owner > 0 else { return }
        switch word(frames[object].third, body) {
        case .targetIdentifier:
            guard frames[object].texts.contains(.value) else { return }
            add(frames[object].first, frames[object].second, to: owner, body, &findings)
            frames[owner].marks.insert(.isCrossReference)
        case .targetID:
            guard frames[object].texts.contains(.family) else { return }
            guard let key = patientKey(of: frames[object].family, body) else { return }
            let find = find(of: owner, &findings)
            findings.persons.add(key, to: find)
            findings.persons.add(.identifier, to: find)
            frames[owner].marks.insert(.isCrossReference)
        default: break
        }
    }
}
