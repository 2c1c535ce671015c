// PersonText.swift: what an XML reader keeps of a person until the person ends.

/// The traits of one person as text, bounded, for the key of those who have no identifier.
struct PersonText {
    /// Bytes kept of one trait; longer ones are told apart by their beginning.
    static let lengthMax = 256

    var family: [UInt8] = []
    var given: [UInt8] = []
    var birthDate: [UInt8] = []
    /// Whether a key better than traits was found.
    var hasKey = false

    mutating func begin() {
        family.removeAll(keepingCapacity: true)
        given.removeAll(keepingCapacity: true)
        birthDate.removeAll(keepingCapacity: true)
        hasKey = false
    }

    /// The key of last resort; nil when there is a better one, or nothing to make one of.
    func key(_ hasher: PersonHasher) -> PersonKey? {
        guard !hasKey else { return nil }
        let (family, given, birthDate) = (family.span, given.span, birthDate.span)
        return hasher.traits(
            family: family.extracting(withoutBlanks(family)),
            given: given.extracting(withoutBlanks(given)),
            birthDate: birthDate.extracting(withoutBlanks(birthDate)))
    }

    static func append(_ bytes: Span<UInt8>, to text: inout [UInt8]) {
        for index in bytes.indices {
            guard text.count < lengthMax else { return }
            text.append(bytes[index])
        }
    }
}

/// Whether a system, `urn:oid:` taken off, is one of the INS's: its field is named apart.
func isINS(system: Span<UInt8>) -> Bool {
    var start = 0
    if system.count > 8, matchesFolded(system.extracting(0..<8), "urn:oid:") { start = 8 }
    let root = system.extracting(start..<system.count)
    return matches(root, "1.2.250.1.213.1.4.8") || matches(root, "1.2.250.1.213.1.4.9")
        || matches(root, "1.2.250.1.213.1.4.10") || matches(root, "1.2.250.1.213.1.4.11")
        || matches(root, "1.2.250.1.213.1.4.2")
}
