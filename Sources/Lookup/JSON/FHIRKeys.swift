// FHIRKeys.swift: keys made of what stands in FHIR documents.

internal import KeyedHash

/// Room for texts whose escapes are resolved, kept from one to the next.
final class FHIRScratch {
    fileprivate var bytes: [UInt8] = []

    init() {}
}

/// Gives what a string says, its escapes resolved.
@inline(__always)
func withText<Result>(
    _ text: FHIRText, _ body: Span<UInt8>, _ scratch: FHIRScratch,
    _ use: (Span<UInt8>) -> Result
) -> Result {
    guard text.hasEscapes else { return use(body.extracting(text.range)) }
    var bytes: [UInt8] = []
    swap(&bytes, &scratch.bytes)
    bytes.removeAll(keepingCapacity: true)
    appendUnescaped(body.extracting(text.range), to: &bytes)
    let result = use(bytes.span)
    swap(&bytes, &scratch.bytes)
    return result
}

extension FHIRAnswerInspector {
    mutating func traits(
        _ family: FHIRText, _ given: FHIRText, _ birthDate: FHIRText, _ body: Span<UInt8>
    ) -> PersonKey? {
        withText(family, body, scratch) { family in
            withText(given, body, otherScratch) { given in
                hasher.traits(
                    family: family, given: given, birthDate: body.extracting(birthDate.range))
            }
        }
    }

    /// The key of a person of whom nothing tells who they are: all that is said of them.
    mutating func contentKey(_ place: Range<Int>, _ body: Span<UInt8>) -> PersonKey {
        PersonKey(rank: .traits, hash: hasher.token(0x4A, body.extracting(place)))
    }

    /// The keyed hash of an id that has its meaning within a resource.
    mutating func localID(_ text: FHIRText, _ body: Span<UInt8>, skipping count: Int) -> UInt64 {
        withText(text, body, scratch) { text in
            hasher.token(0x4B, text.extracting(min(count, text.count)..<text.count))
        }
    }

    /// Which fields an extension stands for, by the end of its URL.
    mutating func exposed(byExtension url: FHIRText, _ body: Span<UInt8>) -> IdentityFields {
        withText(url, body, scratch) { fields(ofExtension: $0) }
    }

    /// The key of the patient whom a reference names.
    mutating func patientKey(of reference: FHIRText, _ body: Span<UInt8>) -> PersonKey? {
        withText(reference, body, scratch) { reference in
            patientID(in: reference).flatMap {
                hasher.local(type: .patientType, id: reference.extracting($0))
            }
        }
    }

    /// The word that a text is.
    mutating func word(_ text: FHIRText, _ body: Span<UInt8>) -> FHIRWord {
        guard text.hasEscapes else {
            return words.word(in: body, from: text.range.lowerBound, to: text.range.upperBound)
        }
        return withText(text, body, scratch) { words.word(in: $0, from: 0, to: $0.count) }
    }

    private mutating func fields(ofExtension url: Span<UInt8>) -> IdentityFields {
        // All three end in letters that hardly any other extension ends in.
        switch url.isEmpty ? 0 : url[url.count - 1] {
        case UInt8(ascii: "e"):
            if ends(url, with: "patient-birthPlace") { return .birthPlace }
            if ends(url, with: "patient-mothersMaidenName") { return .relatives }
        case UInt8(ascii: "y"):
            if ends(url, with: "humanname-mothers-family") { return .relatives }
        default: break
        }
        return []
    }

    private mutating func ends(_ text: Span<UInt8>, with words: StaticString) -> Bool {
        let start = text.count - words.utf8CodeUnitCount
        return start >= 0 && spells(text.extracting(start..<text.count), words)
    }

    /// Where the id stands in `Patient/ID`, `https://host/base/Patient/ID` and
    /// `Patient/ID/_history/VERSION`; nil when it names something else.
    mutating func patientID(in reference: Span<UInt8>) -> Range<Int>? {
        var found: Range<Int>?
        var start = 0
        var isAfterType = false
        for offset in 0...reference.count {
            let byte = offset < reference.count ? reference[offset] : UInt8(ascii: "/")
            let ends = byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
            guard byte == UInt8(ascii: "/") || ends else { continue }
            let part = start..<offset
            if isAfterType, !part.isEmpty { found = part }
            isAfterType = spells(reference.extracting(part), "Patient")
            start = offset + 1
            if ends { break }
        }
        return found
    }

    /// Whether a system is one of the INS's.
    mutating func isSystemOfINS(_ system: Span<UInt8>) -> Bool {
        // What such a system gives a key of any other kind of rank than an INS's, is canonical.
        let stem: StaticString = "1.2.250.1.213.1.4."
        for end in ["8", "9", "10", "11", "2"] as [StaticString] {
            let last = system.count - end.utf8CodeUnitCount
            let first = last - stem.utf8CodeUnitCount
            guard first >= 0, spells(system.extracting(last..<system.count), end),
                spells(system.extracting(first..<last), stem)
            else { continue }
            return first == 0 || system[first - 1] == UInt8(ascii: ":")
        }
        return false
    }
}

extension PersonHasher {
    /// The key of a resource's id on this server.
    func local(type: FHIRWord, id: Span<UInt8>) -> PersonKey? {
        let name: StaticString = type.spelling ?? ""
        // Safe because the text lives for ever, and has as many bytes as it says.
        let bytes = unsafe UnsafeBufferPointer(
            start: name.utf8Start, count: name.utf8CodeUnitCount)
        return unsafe local(type: bytes.span, id: id)
    }
}
