// FHIRAnswerInspector.swift: whom a FHIR answer in JSON discloses, at whatever depth.
//
// One walk over the tokens. Any object may say at its very end that it is a Patient, so what could
// be a person's is gathered as it comes, and kept or taken back when the object ends. Objects that
// have said to be something else cost nothing more.

/// Finds the persons of FHIR answers in JSON, or in ndjson; made once, used again and again.
struct FHIRAnswerInspector: ~Copyable {
    /// Longest body, in bytes: places in it are kept in 31 bits.
    static let lengthMax = 1 << 31 - 1

    private var reader = JSONReader()
    var hasher: PersonHasher
    let words = FHIRWords()
    private let slots = FHIRSlots()
    /// By depth; the first stands for what is around the body.
    var frames = FixedTable(repeating: FHIRFrame(), count: JSONReader.depthMax + 1)
    /// Contained patients, and references to such, whose resource has not ended.
    var localPatients: [FHIRLocal] = []
    var localReferences: [FHIRLocal] = []
    let scratch = FHIRScratch()
    /// For who needs two texts at a time.
    let otherScratch = FHIRScratch()

    /// Whether the body is a resource, and whether it holds any that is about something.
    private var isResource = false
    private var hasSubstance = false

    init(hasher: PersonHasher) {
        self.hasher = hasher
        begin(hasher, isLines: false)
    }

    /// Prepares for an answer; with `isLines` every line is a resource.
    mutating func begin(_ hasher: PersonHasher, isLines: Bool) {
        self.hasher = hasher
        reader = JSONReader(isSequence: isLines)
        frames[0].restart(.resource, marks: .isArray, owner: 0, begin: 0)
        localPatients.removeAll(keepingCapacity: true)
        localReferences.removeAll(keepingCapacity: true)
        isResource = false
        hasSubstance = false
    }

    /// Goes on with the body so far; after an error, or once whole, there is nothing more to do.
    mutating func inspect(
        _ body: Span<UInt8>, isWhole: Bool, into findings: inout Findings
    ) throws(Unparsed) {
        guard body.count <= Self.lengthMax else { throw .tooDeep }
        var top = reader.depth
        var isArray = frames[top].marks.contains(.isArray)
        while true {
            switch try reader.advance(body, isWhole: isWhole) {
            case .string:
                let slot = isArray ? frames[top].slot : self.slot(at: top, body)
                guard slot.isString else { continue }
                let text = FHIRText(reader.start, reader.end, hasEscapes: reader.hasEscapes)
                read(text, as: slot, isArray ? max(top &- 1, 0) : top, body, &findings)
            case .beginObject:
                let slot = isArray ? frames[top].slot : self.slot(at: top, body)
                open(slot, isArray: false, in: top, at: reader.start, &findings)
                top &+= 1
                isArray = false
            case .beginArray:
                let slot = isArray ? frames[top].slot : self.slot(at: top, body)
                open(slot, isArray: true, in: top, at: reader.start, &findings)
                top &+= 1
                isArray = true
            case .endObject:
                close(top, at: reader.end, body, &findings)
                top &-= 1
                isArray = frames[top].marks.contains(.isArray)
            case .endArray:
                top &-= 1
                isArray = frames[top].marks.contains(.isArray)
            case .key, .number, .yes, .no, .null: break
            case .more: return
            case .end:
                findings.isExpected = isResource
                findings.saysNobody = isResource && !hasSubstance && findings.persons.isEmpty
                return
            }
        }
    }

    /// What the value is for whose key the reader is at.
    @inline(__always)
    private mutating func slot(
        at object: Int, _ body: Span<UInt8>
    ) -> FHIRSlot {
        let role = frames[object].role
        guard reader.keyHasEscapes else {
            return slots[role, words.word(in: body, from: reader.keyStart, to: reader.keyEnd)]
        }
        let key = FHIRText(reader.keyStart, reader.keyEnd, hasEscapes: true)
        let word = word(key, body)
        return slots[role, word]
    }

    /// Begins a frame for what stands in the frame `parent`.
    @inline(__always)
    private mutating func open(
        _ slot: FHIRSlot, isArray: Bool, in parent: Int, at offset: Int, _ findings: inout Findings
    ) {
        let isOpen = frames[parent].role == .open && !frames[parent].marks.contains(.isArray)
        let owner = isOpen ? UInt8(truncatingIfNeeded: parent) : frames[parent].owner
        guard !isArray else {
            frames[parent &+ 1].restart(slot, marks: .isArray, owner: owner, begin: offset)
            return
        }
        var marks: FHIRFrame.Marks = []
        if slot.isMarked {
            switch slot {
            case .resource: marks = .isResource
            case .contained: marks = [.isResource, .isContained]
            case .subject: marks = .isSubject
            case .target: marks = .isLinkTarget
            case .pixReference: marks = .isPixReference
            case .address: expose(.address, of: Int(owner), &findings)
            case .photo: expose(.photo, of: Int(owner), &findings)
            case .contact: expose(.relatives, of: Int(owner), &findings)
            default: break
            }
        }
        frames[parent &+ 1].restart(slot, marks: marks, owner: owner, begin: offset)
    }

    /// Takes a string that means something in the object at hand.
    private mutating func read(
        _ text: FHIRText, as slot: FHIRSlot, _ object: Int, _ body: Span<UInt8>,
        _ findings: inout Findings
    ) {
        switch slot {
        case .resourceType:
            let type = FHIRType(word(text, body))
            frames[object].say(type)
            if object == 1 { isResource = true }
            switch type {
            case .bundle, .parameters, .outcome: break
            default: hasSubstance = true
            }
        case .id:
            // A second id is one more key.
            if frames[object].texts.contains(.id) { addLocalKey(of: object, body, &findings) }
            frames[object].set(.id, text)
        case .birthDate:
            expose(.birthDate, of: object, &findings)
            frames[object].set(.birthDate, text)
        case .gender: expose(.gender, of: object, &findings)
        case .reference: frames[object].set(.reference, text)
        case .display: if !text.isEmpty { frames[object].set(.display, text) }
        case .referenceType:
            if word(text, body) == .patientType { frames[object].marks.insert(.isPatient) }
        case .system:
            if frames[object].texts.contains(.systemAndValue) {
                closeIdentifier(object, body, &findings)
            }
            frames[object].set(.system, text)
        case .value:
            if frames[object].texts.contains(.value) { closeIdentifier(object, body, &findings) }
            frames[object].set(.value, text)
        case .family, .given, .nameText:
            let place: FHIRFrame.Texts =
                slot == .family ? .family : slot == .given ? .given : .name
            if !frames[object].texts.contains(place) { frames[object].set(place, text) }
        case .telecomSystem:
            if word(text, body) == .mail { frames[object].marks.insert(.isMail) }
        case .telecomValue: frames[object].set(.value, text)
        case .div: expose(.narrative, of: Int(frames[object].owner), &findings)
        case .extensionURL:
            let fields = exposed(byExtension: text, body)
            if !fields.isEmpty { expose(fields, of: resource(around: object), &findings) }
        case .linkRelation, .parameterName: frames[object].set(.name, text)
        case .linkURL: frames[object].set(.value, text)
        default: break
        }
    }

    /// Ends an object.
    @inline(__always)
    private mutating func close(
        _ object: Int, at end: Int, _ body: Span<UInt8>, _ findings: inout Findings
    ) {
        let role = frames[object].role
        // Most objects are nobody's.
        if role == .open, frames[object].isPlain() { return }
        switch role {
        case .open: closeOpen(object, at: end, body, &findings)
        case .identifier: closeIdentifier(object, body, &findings)
        case .name: closeName(object, &findings)
        case .telecom:
            guard frames[object].texts.contains(.value) else { return }
            let isMail = frames[object].marks.contains(.isMail)
            expose(isMail ? .mail : .phone, of: Int(frames[object].owner), &findings)
        case .link: closeLink(object, body, &findings)
        case .parameter: closeParameter(object, body, &findings)
        case .pixIdentifier: closePixIdentifier(object)
        case .narrative, .extension: break
        }
    }
}
