// FHIRPlaces.swift: what an object or a value of a FHIR document is, by where it stands.

/// What a value is for; of an array, what its elements are for.
enum FHIRSlot: UInt8, CaseIterable {
    /// Nothing to us; but if it is an object, it may be a resource or a reference.
    case any

    // Objects of a kind of their own, in the order of `FHIRRole`.
    case identifier, name, telecom, narrative, `extension`, link, parameter, pixIdentifier

    // Objects that are as any other, but for where they stand.
    case resource, contained, address, photo, contact, target, pixReference, subject

    // Strings; only these have a meaning as such.
    case resourceType, id, birthDate, gender, reference, display, referenceType
    case system, value, family, given, nameText, telecomSystem, telecomValue, div
    case extensionURL, linkRelation, linkURL, parameterName

    @inline(__always)
    var isMarked: Bool { rawValue >= FHIRSlot.resource.rawValue }

    @inline(__always)
    var isString: Bool { rawValue >= FHIRSlot.resourceType.rawValue }
}

/// What an object is.
enum FHIRRole: UInt8, CaseIterable {
    /// A resource, a reference, or whatever else.
    case open
    case identifier, name, telecom, narrative, `extension`, link, parameter, pixIdentifier

    @inline(__always)
    init(_ slot: FHIRSlot) {
        let place = slot.rawValue
        // Safe because a role is a byte, and every byte up to the last role's is one.
        self =
            place <= FHIRRole.pixIdentifier.rawValue
            ? unsafe unsafeBitCast(place, to: FHIRRole.self) : .open
    }

    /// What the value of a key is for.
    func slot(of key: FHIRWord) -> FHIRSlot {
        switch key {
        case .resourceType: return .resourceType
        case .resource: return .resource
        case .contained: return .contained
        case .extension: return .extension
        default: break
        }
        switch self {
        case .open: return openSlot(of: key)
        case .identifier, .pixIdentifier:
            if key == .system { return .system }
            if key == .value { return .value }
        case .name:
            if key == .family { return .family }
            if key == .given { return .given }
            if key == .text { return .nameText }
        case .telecom:
            if key == .system { return .telecomSystem }
            if key == .value { return .telecomValue }
        case .narrative:
            if key == .div { return .div }
        case .extension:
            if key == .url { return .extensionURL }
        case .link:
            if key == .relation { return .linkRelation }
            if key == .url { return .linkURL }
            if key == .target { return .target }
        case .parameter:
            if key == .name { return .parameterName }
            if key == .valueIdentifier { return .pixIdentifier }
            if key == .valueReference { return .pixReference }
        }
        return .any
    }

    private func openSlot(of key: FHIRWord) -> FHIRSlot {
        switch key {
        case .id: .id
        case .identifier: .identifier
        case .name: .name
        case .birthDate: .birthDate
        case .gender: .gender
        case .telecom: .telecom
        case .address: .address
        case .photo: .photo
        case .text: .narrative
        case .contact: .contact
        case .link: .link
        case .parameter: .parameter
        case .reference: .reference
        case .display: .display
        case .type: .referenceType
        case .subject, .patient, .beneficiary: .subject
        default: .any
        }
    }
}

/// The slot of every key in every role, to be looked up.
struct FHIRSlots: ~Copyable {
    private var slots = FixedTable(repeating: FHIRSlot.any, count: 1024)

    init() {
        for role in FHIRRole.allCases {
            for word in FHIRWord.allCases {
                slots[Int(role.rawValue) << 6 | Int(word.rawValue)] = role.slot(of: word)
            }
        }
    }

    @inline(__always)
    subscript(role: FHIRRole, word: FHIRWord) -> FHIRSlot {
        slots[Int(role.rawValue) << 6 | Int(word.rawValue)]
    }
}

/// Where a string stands in the body.
struct FHIRText {
    private var place: UInt32 = 0
    /// The highest bit tells of escapes.
    private var length: UInt32 = 0

    init() {}

    init(_ start: Int, _ end: Int, hasEscapes: Bool) {
        place = UInt32(truncatingIfNeeded: start)
        length = UInt32(truncatingIfNeeded: end &- start) | (hasEscapes ? 1 << 31 : 0)
    }

    var range: Range<Int> { Int(place)..<Int(place) &+ Int(length & ~(1 << 31)) }
    var hasEscapes: Bool { length >> 31 != 0 }
    var isEmpty: Bool { length & ~(1 << 31) == 0 }
}

/// What a resource is, as far as it matters; the higher wins when it says so twice.
enum FHIRType: UInt8, Comparable {
    case none, other, bundle, parameters, outcome, relatedPerson, person, patient

    init(_ word: FHIRWord) {
        self =
            switch word {
            case .patientType: .patient
            case .personType: .person
            case .relatedPersonType: .relatedPerson
            case .bundleType: .bundle
            case .parametersType: .parameters
            case .outcomeType: .outcome
            default: .other
            }
    }

    /// Whether what stands in it may be a person's; of what has not said its type yet, it may.
    @inline(__always)
    var mayBePerson: Bool { self == .none || rawValue >= FHIRType.relatedPerson.rawValue }

    @inline(__always)
    static func < (left: FHIRType, right: FHIRType) -> Bool { left.rawValue < right.rawValue }
}

/// An object or array that has begun and not ended.
struct FHIRFrame {
    /// What was seen of it.
    struct Marks: OptionSet {
        let rawValue: UInt16

        static let isArray = Marks(rawValue: 1 << 0)
        /// Where a resource is expected: the root, an entry's, a contained one.
        static let isResource = Marks(rawValue: 1 << 1)
        static let isContained = Marks(rawValue: 1 << 2)
        /// Under a key that names the patient whom something is about.
        static let isSubject = Marks(rawValue: 1 << 3)
        static let isLinkTarget = Marks(rawValue: 1 << 4)
        static let isPixReference = Marks(rawValue: 1 << 5)
        /// It has a key better than traits, or an identifier at all.
        static let hasKey = Marks(rawValue: 1 << 6)
        static let hasIdentifier = Marks(rawValue: 1 << 7)
        /// A reference that says that it is to a Patient.
        static let isPatient = Marks(rawValue: 1 << 8)
        /// A parameter of it says whose identifiers these are.
        static let isCrossReference = Marks(rawValue: 1 << 9)
        /// Contained patients, or references to them, wait for its end.
        static let hasLocals = Marks(rawValue: 1 << 10)
        static let isMail = Marks(rawValue: 1 << 11)
        static let hasFields = Marks(rawValue: 1 << 12)

        // In numbers: a list would be made anew at every use.
        /// What an open object does not end without a further look at.
        static let matters = Marks(rawValue: 1 << 3 | 1 << 9 | 1 << 10)
        static let identified = Marks(rawValue: 1 << 6 | 1 << 7 | 1 << 12)
        static let isPatientOrSubject = Marks(rawValue: 1 << 3 | 1 << 8)
    }

    /// Which of `texts` hold something.
    struct Texts: OptionSet {
        let rawValue: UInt8

        static let id = Texts(rawValue: 1 << 0)
        static let reference = Texts(rawValue: 1 << 1)
        static let display = Texts(rawValue: 1 << 2)
        static let family = Texts(rawValue: 1 << 3)
        static let given = Texts(rawValue: 1 << 4)
        static let birthDate = Texts(rawValue: 1 << 5)
        // Objects that are no resources use the places for their own.
        static let system = Texts(rawValue: 1 << 0)
        static let value = Texts(rawValue: 1 << 1)
        static let name = Texts(rawValue: 1 << 2)
        static let referenceOrDisplay = Texts(rawValue: 1 << 1 | 1 << 2)
        static let systemAndValue = Texts(rawValue: 1 << 0 | 1 << 1)
        static let nameAndValue = Texts(rawValue: 1 << 1 | 1 << 2)
        static let familyOrGiven = Texts(rawValue: 1 << 3 | 1 << 4)
        static let anyName = Texts(rawValue: 1 << 2 | 1 << 3 | 1 << 4)
    }

    private(set) var role = FHIRRole.open
    /// What the value at hand is for; of an array, its elements.
    var slot = FHIRSlot.any
    var type = FHIRType.none
    var texts: Texts = []
    var marks: Marks = []
    /// The nearest open object around it.
    var owner: UInt8 = 0
    /// The person it may be; -1 before anything is known of them.
    var find: Int32 = -1
    /// Where it begins.
    var begin: UInt32 = 0
    /// Meaningful where `texts` says so.
    var first = FHIRText()
    var second = FHIRText()
    var third = FHIRText()
    var family = FHIRText()
    var given = FHIRText()
    var birthDate = FHIRText()

    init() {}

    /// Begins anew; what `texts` does not name is left as it was.
    @inline(__always)
    mutating func restart(_ slot: FHIRSlot, marks: Marks, owner: UInt8, begin: Int) {
        role = marks.contains(.isArray) ? .open : FHIRRole(slot)
        self.slot = slot
        type = .none
        texts = []
        self.marks = marks
        self.owner = owner
        find = -1
        self.begin = UInt32(truncatingIfNeeded: begin)
    }

    /// Whether it says nothing of anybody.
    ///
    /// Mutating for want of a way to look at some of it without a copy of all.
    @inline(__always)
    mutating func isPlain() -> Bool {
        type == .none && find < 0 && texts.isDisjoint(with: .referenceOrDisplay)
            && marks.isDisjoint(with: .matters)
    }

    @inline(__always)
    mutating func set(_ place: Texts, _ text: FHIRText) {
        texts.insert(place)
        switch place {
        case .id: first = text
        case .reference: second = text
        case .display: third = text
        case .family: family = text
        case .given: given = text
        default: birthDate = text
        }
    }

    /// Turns out to be a resource, wherever it stands.
    mutating func say(_ type: FHIRType) {
        if role != .open {
            role = .open
            texts = []
        }
        self.type = max(self.type, type)
    }
}
