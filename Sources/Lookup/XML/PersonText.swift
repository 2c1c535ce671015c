// PersonText.swift: what an XML reader keeps of a person until the person ends.

/// The traits of one person as text, bounded, for the key of those who have no identifier.
struct PersonText {
    /// Bytes kept of one trait; longer ones are told apart by their beginning.
    static let lengthMax = 256

    var family: [UInt8] = []
    var given: [UInt8] = []
    var birthDate: [UInt8] = []
    /// The beginning of all that is said of them, while nothing better is known.
    private(set) var content: [UInt8] = []
    /// Whether a key better than traits was found.
    var hasKey = false
    /// Whether anything of them is exposed.
    var hasFields = false

    mutating func begin() {
        family.removeAll(keepingCapacity: true)
        given.removeAll(keepingCapacity: true)
        birthDate.removeAll(keepingCapacity: true)
        content.removeAll(keepingCapacity: true)
        hasKey = false
        hasFields = false
    }

    /// Adds what is said of a person, whatever it means.
    mutating func addContent(_ bytes: Span<UInt8>) {
        guard !hasKey, !isBlank(bytes) else { return }
        Self.append(bytes, to: &content, lengthMax: 4 * Self.lengthMax)
    }

    /// The key of last resort: traits, else all that is said; nil when there is a better one, or
    /// nothing is said.
    func key(_ hasher: PersonHasher) -> PersonKey? {
        guard !hasKey else { return nil }
        let (family, given, birthDate) = (family.span, given.span, birthDate.span)
        let traits = hasher.traits(
            family: family.extracting(withoutBlanks(family)),
            given: given.extracting(withoutBlanks(given)),
            birthDate: birthDate.extracting(withoutBlanks(birthDate)))
        if traits != nil || content.isEmpty { return traits }
        return PersonKey(rank: .traits, hash: hasher.token(0x58, content.span))
    }

    static func append(
        _ bytes: Span<UInt8>, to text: inout [UInt8], lengthMax: Int = Self.lengthMax
    ) {
        for index in bytes.indices {
            guard text.count < lengthMax else { return }
            text.append(bytes[index])
        }
    }
}

/// Whether a system, `urn:oid:` taken off, is one of the INS's: its field is named apart.
func isINS(system: Span<UInt8>) -> Bool {
    var start = 0
    if system.count > 8, spellsFolded(system.extracting(0..<8), "urn:oid:") { start = 8 }
    let root = system.extracting(start..<system.count)
    return spells(root, "1.2.250.1.213.1.4.8") || spells(root, "1.2.250.1.213.1.4.9")
        || spells(root, "1.2.250.1.213.1.4.10") || spells(root, "1.2.250.1.213.1.4.11")
        || spells(root, "1.2.250.1.213.1.4.2")
}
