// FHIRPath.swift: what the path of a FHIR request names.
//
// Nobody tells where the interface begins: it is before the first segment that FHIR defines, so
// `/fhir`, `/hapi/fhir/R4` or nothing may stand there. A path is read as the server reads it, that
// is percent-decoded; what servers read differently from one another is refused, also in the
// entries of a batch, which no route has looked at.

/// A path, read.
struct FHIRPath: Sendable {
    enum Place: Sendable {
        case base, metadata, wellKnown, search, history, operation
        case type, typeSearch, typeHistory, typeOperation
        case instance, instanceHistory, version, instanceOperation
        /// `TYPE/ID/TYPE`: what is of one patient, professional or device.
        case compartment, compartmentSearch
        /// Where servers put the status of a bulk export.
        case exportStatus
        /// Within the interface, and nothing that FHIR describes.
        case nothing
    }

    private(set) var place = Place.nothing
    /// Type of what is answered; nil where there is none, or any.
    private(set) var type: ResourceType?
    /// Type of the resource whose compartment it is.
    private(set) var owner: ResourceType?
    /// Name of the operation, without `$`; empty for none.
    private(set) var operation = ""

    private static let lengthMax = 8192
    private static let idLengthMax = 128
    private static let operationLengthMax = 64

    private enum Word: Sendable { case search, history, metadata, wellKnown, exportStatus }

    private static let words = WordTable<Word>([
        (.search, "_search"), (.history, "_history"), (.metadata, "metadata"),
        (.wellKnown, ".well-known"), (.exportStatus, "_operations"),
    ])

    /// Reads a path as received: query excluded, perhaps with percent-encoded bytes, perhaps
    /// without its first slash.
    init(_ path: Span<UInt8>) throws(QuestionError) {
        let segments = try Segments(path, lengthMax: Self.lengthMax)
        var isMisspelled = false
        for index in 0..<segments.count {
            let segment = segments.text.span.extracting(segments.ranges[index])
            let rest = segments.count - index - 1
            if segment[0] == UInt8(ascii: "$") {
                try readOperation(segment)
                place = rest == 0 ? .operation : .nothing
                return
            }
            if let word = Self.words.find(segment) {
                if word.isExact {
                    place = systemPlace(word.meaning, rest: rest)
                    return
                }
                isMisspelled = true
            }
            if let type = ResourceType.all.find(segment) {
                if type.isExact {
                    self.type = type.meaning
                    try readType(segments, from: index + 1)
                    return
                }
                isMisspelled = true
            }
        }
        // `/fhir/patient` is no base: FHIR's types are case-sensitive, some servers are not.
        place = isMisspelled ? .nothing : .base
    }

    private func systemPlace(_ word: Word, rest: Int) -> Place {
        switch word {
        case .search: rest == 0 ? .search : .nothing
        case .history: rest == 0 ? .history : .nothing
        case .metadata: rest == 0 ? .metadata : .nothing
        case .wellKnown: rest == 1 ? .wellKnown : .nothing
        case .exportStatus: rest > 0 ? .exportStatus : .nothing
        }
    }

    /// Reads what follows a type: `/ID`, `/$operation`, `/ID/_history/VERSION`….
    private mutating func readType(_ segments: Segments, from start: Int) throws(QuestionError) {
        let rest = segments.count - start
        guard rest > 0 else {
            place = .type
            return
        }
        let first = segments.text.span.extracting(segments.ranges[start])
        if first[0] == UInt8(ascii: "$") {
            try readOperation(first)
            place = rest == 1 ? .typeOperation : .nothing
        } else if let word = Self.words.find(first) {
            guard rest == 1, word.isExact else { return }
            switch word.meaning {
            case .search: place = .typeSearch
            case .history: place = .typeHistory
            case .metadata, .wellKnown, .exportStatus: place = .nothing
            }
        } else if first[0] != UInt8(ascii: "_") {
            guard isID(first) else { throw .pathNotUnderstood }
            try readInstance(segments, from: start + 1)
        }
    }

    private mutating func readInstance(
        _ segments: Segments, from start: Int
    ) throws(QuestionError) {
        let rest = segments.count - start
        guard rest > 0 else {
            place = .instance
            return
        }
        let first = segments.text.span.extracting(segments.ranges[start])
        if first[0] == UInt8(ascii: "$") {
            try readOperation(first)
            place = rest == 1 ? .instanceOperation : .nothing
        } else if Self.words.exactly(first) == .history {
            try readHistory(segments, from: start + 1)
        } else {
            let isAnyType = first.count == 1 && first[0] == UInt8(ascii: "*")
            let member = isAnyType ? .record : ResourceType.all.exactly(first)
            guard let member else { return }
            if rest == 1 {
                place = .compartment
            } else if rest == 2, segments.word(start + 1, in: Self.words) == .search {
                place = .compartmentSearch
            } else {
                return
            }
            owner = type
            type = member
        }
    }

    private mutating func readHistory(
        _ segments: Segments, from start: Int
    ) throws(QuestionError) {
        let rest = segments.count - start
        guard rest > 0 else {
            place = .instanceHistory
            return
        }
        guard isID(segments.text.span.extracting(segments.ranges[start])) else {
            throw .pathNotUnderstood
        }
        guard rest > 1 else {
            place = .version
            return
        }
        let last = segments.text.span.extracting(segments.ranges[start + 1])
        guard rest == 2, last[0] == UInt8(ascii: "$") else { return }
        try readOperation(last)
        place = .instanceOperation
    }

    private mutating func readOperation(_ segment: Span<UInt8>) throws(QuestionError) {
        let name = segment.extracting(1..<segment.count)
        guard !name.isEmpty, name.count <= Self.operationLengthMax, isID(name) else {
            throw .pathNotUnderstood
        }
        operation = ""
        for index in name.indices { operation.unicodeScalars.append(Unicode.Scalar(name[index])) }
    }

    /// What stands for an id, a version or a name: FHIR's own, and the underscore some servers add.
    private func isID(_ text: Span<UInt8>) -> Bool {
        guard text.count <= Self.idLengthMax else { return false }
        for index in text.indices {
            switch text[index] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"):
                continue
            default: return false
            }
        }
        return true
    }
}

/// A path's segments, decoded; none of them is empty, or made of dots.
private struct Segments {
    private(set) var text: [UInt8] = []
    private(set) var ranges: [Range<Int>] = []

    var count: Int { ranges.count }

    init(_ path: Span<UInt8>, lengthMax: Int) throws(QuestionError) {
        guard path.count <= lengthMax else { throw .pathNotUnderstood }
        text.reserveCapacity(path.count)
        var start = 0
        var offset = 0
        if path.count > 0, path[0] == UInt8(ascii: "/") { offset = 1 }
        while offset < path.count {
            let byte = path[offset]
            if byte == UInt8(ascii: "/") {
                // The one after the last segment, which may be absent, is looked at below.
                try end(&start)
                offset += 1
            } else if byte == UInt8(ascii: "%") {
                guard let decoded = decodedByte(path, at: offset), decoded != UInt8(ascii: "/")
                else { throw .pathNotUnderstood }
                try append(decoded)
                offset += 3
            } else {
                try append(byte)
                offset += 1
            }
        }
        if text.count > start { try end(&start) }
        guard isUTF8(text.span) else { throw .pathNotUnderstood }
    }

    /// What the segment at `index` means, spelled as it should be.
    func word<Meaning>(_ index: Int, in table: WordTable<Meaning>) -> Meaning? {
        table.exactly(text.span.extracting(ranges[index]))
    }

    private mutating func append(_ byte: UInt8) throws(QuestionError) {
        switch byte {
        // Servers act on these, each in its own way.
        case 0...0x20, 0x7F, UInt8(ascii: "%"), UInt8(ascii: ";"), UInt8(ascii: "\\"),
            UInt8(ascii: "?"), UInt8(ascii: "#"):
            throw .pathNotUnderstood
        default: text.append(byte)
        }
    }

    private mutating func end(_ start: inout Int) throws(QuestionError) {
        let range = start..<text.count
        start = text.count
        guard !range.isEmpty else { throw .pathNotUnderstood }
        let isDots = range.count <= 2 && range.allSatisfy { text[$0] == UInt8(ascii: ".") }
        guard !isDots else { throw .pathNotUnderstood }
        ranges.append(range)
    }
}
