// FHIRWords.swift: the words of FHIR that tell whom an answer discloses, known at a glance.

/// A word of at most 16 bytes, known by its first eight, its last eight and its length.
enum FHIRWord: UInt8, CaseIterable {
    case none

    // Keys.
    case resourceType, id, identifier, name, birthDate, gender, telecom, address, photo, text, div
    case contact, `extension`, link, contained, resource, parameter, system, value, family, given
    case url, relation, reference, display, type, target, valueIdentifier, valueReference, subject
    case patient, beneficiary

    // Values.
    case patientType, personType, relatedPersonType, bundleType, parametersType, outcomeType
    case own, mail, targetIdentifier, targetID

    var spelling: StaticString? {
        switch self {
        case .none: nil
        case .resourceType: "resourceType"
        case .id: "id"
        case .identifier: "identifier"
        case .name: "name"
        case .birthDate: "birthDate"
        case .gender: "gender"
        case .telecom: "telecom"
        case .address: "address"
        case .photo: "photo"
        case .text: "text"
        case .div: "div"
        case .contact: "contact"
        case .extension: "extension"
        case .link: "link"
        case .contained: "contained"
        case .resource: "resource"
        case .parameter: "parameter"
        case .system: "system"
        case .value: "value"
        case .family: "family"
        case .given: "given"
        case .url: "url"
        case .relation: "relation"
        case .reference: "reference"
        case .display: "display"
        case .type: "type"
        case .target: "target"
        case .valueIdentifier: "valueIdentifier"
        case .valueReference: "valueReference"
        case .subject: "subject"
        case .patient: "patient"
        case .beneficiary: "beneficiary"
        case .patientType: "Patient"
        case .personType: "Person"
        case .relatedPersonType: "RelatedPerson"
        case .bundleType: "Bundle"
        case .parametersType: "Parameters"
        case .outcomeType: "OperationOutcome"
        case .own: "self"
        case .mail: "email"
        case .targetIdentifier: "targetIdentifier"
        case .targetID: "targetId"
        }
    }
}

/// Finds words by their bytes, without a loop over them.
struct FHIRWords: ~Copyable {
    /// Bytes of the longest word.
    static let lengthMax = 16

    /// A word's bytes as numbers; equal numbers are equal bytes.
    struct Sight: Equatable {
        var first: UInt64 = 0
        var last: UInt64 = 0
        var count = 0

        /// Where it stands in a table of 128.
        @inline(__always)
        var place: Int {
            let mixed = (first &+ last &* 0x9E37_79B9_7F4A_7C15) &* 0xD6E8_FEB8_6659_FD93
            return Int(truncatingIfNeeded: mixed >> 57)
        }
    }

    // Internal, because the compiler of Swift 6.3 fails on a table of a private type.
    struct Entry {
        var sight = Sight()
        var word = FHIRWord.none
    }

    private var entries = FixedTable(repeating: Entry(), count: 128)

    init() {
        for word in FHIRWord.allCases {
            guard let spelling = word.spelling else { continue }
            var bytes: [UInt8] = []
            // Safe because index is below the length of the text, which lives for ever.
            for index in 0..<spelling.utf8CodeUnitCount {
                unsafe bytes.append(spelling.utf8Start[index])
            }
            let sight = Self.sight(of: bytes.span, 0, bytes.count)
            var place = sight.place
            while entries[place].word != .none { place = (place + 1) & 127 }
            entries[place] = Entry(sight: sight, word: word)
        }
    }

    /// The word that stands from `start` to `end`; `none` when it is none of ours.
    @inline(__always)
    func word(in body: Span<UInt8>, from start: Int, to end: Int) -> FHIRWord {
        guard end > start, end &- start <= Self.lengthMax else { return .none }
        let sight = Self.sight(of: body, start, end)
        var place = sight.place
        while true {
            let word = entries[place].word
            if word == .none || entries[place].sight == sight { return word }
            place = (place &+ 1) & 127
        }
    }

    @inline(__always)
    private static func sight(of body: Span<UInt8>, _ start: Int, _ end: Int) -> Sight {
        let count = end &- start
        guard start >= 8, start &+ 16 <= body.count else { return slowSight(of: body, start, end) }
        // Safe because eight bytes from `start` on are within the body, as are the eight before
        // `end`, which is at most 16 bytes on; any eight bytes are a number.
        let first = unsafe UInt64(
            littleEndian: body.bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: start, as: UInt64.self))
        let last = unsafe UInt64(
            littleEndian: body.bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: end &- 8, as: UInt64.self))
        // Of a short word both are all of it; what stands around is shifted out.
        let unused = UInt64(truncatingIfNeeded: max(8 &- count, 0) &* 8)
        return Sight(first: (first &<< unused) &>> unused, last: last &>> unused, count: count)
    }

    /// The same near the end of a body, where eight bytes cannot be read.
    private static func slowSight(of body: Span<UInt8>, _ start: Int, _ end: Int) -> Sight {
        var sight = Sight(count: end &- start)
        for index in start..<min(end, start &+ 8) {
            sight.first |= UInt64(body[index]) << UInt64((index &- start) &* 8)
        }
        for index in max(start, end &- 8)..<end {
            let place = index &- max(start, end &- 8)
            sight.last |= UInt64(body[index]) << UInt64(place &* 8)
        }
        return sight
    }
}
