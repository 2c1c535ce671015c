// PersonKeys.swift: what a person is known by, as keyed hashes; no identifier is kept in clear.
//
// The same identifier gives the same key whatever the protocol: `urn:oid:1.2.3` in FHIR is the
// root `1.2.3` in HL7 v3, and a matricule INS is one with or without its key digits, which are
// wrong too often to tell people apart (domain facts, 1.4).

package import KeyedHash

/// How well a key names a person; the lower wins.
package enum KeyRank: UInt8, Comparable, Sendable {
    /// The identifier that the configuration names as the server's canonical one.
    case canonical = 0
    case ins = 1
    /// An identifier of some domain.
    case identifier = 2
    /// The resource's own id on its server.
    case local = 3
    /// Family name, given name and birth date: the last resort.
    case traits = 4

    @inline(__always)
    package static func < (left: KeyRank, right: KeyRank) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// One thing a person is known by.
package struct PersonKey: Hashable, Sendable {
    package let rank: KeyRank
    package let hash: UInt64

    package init(rank: KeyRank, hash: UInt64) {
        self.rank = rank
        self.hash = hash
    }
}

/// Makes the keys of one identity server's persons.
package struct PersonHasher: Sendable {
    private let key: SipKey
    /// Tells the local ids of servers apart.
    private let server: [UInt8]
    /// System of the canonical identifier, without `urn:oid:`; empty for none.
    private let canonical: [UInt8]
    /// Where it is noted what keys are made of; nil where no record may name patients.
    private var notebook: PersonNotebook?

    /// `canonicalSystem` is a URI or an OID, with or without `urn:oid:`; empty when none is
    /// configured.
    package init(key: SipKey, server: String, canonicalSystem: String = "") {
        self.key = key
        self.server = Array(server.utf8)
        let system =
            canonicalSystem.hasPrefix("urn:oid:")
            ? String(canonicalSystem.dropFirst(8)) : canonicalSystem
        canonical = Array(system.utf8)
    }

    /// The same, noting what its keys are made of.
    package func noting(in notebook: PersonNotebook?) -> PersonHasher {
        var hasher = self
        hasher.notebook = notebook
        return hasher
    }

    /// The key of an identifier; nil when it has no value.
    ///
    /// `system` is a URI, an OID, or empty.
    package func identifier(system: Span<UInt8>, value: Span<UInt8>) -> PersonKey? {
        let value = value.extracting(trimmed(value))
        guard !value.isEmpty else { return nil }
        let bare = system.extracting(bareSystem(system))
        let isCanonical = !canonical.isEmpty && equal(bare, canonical.span)
        if !isCanonical, isINS(system: bare) {
            let key = ins(value)
            if let key { note(key, system: bare, value) }
            return key
        }
        var hasher = SipHasher(key)
        hasher.append(isCanonical ? 0 : 2)
        // Without a system the value means something on its own server only.
        if bare.isEmpty { hasher.append(server.span) } else { hasher.append(bare) }
        hasher.append(0)
        hasher.append(value)
        let key = PersonKey(
            rank: isCanonical ? .canonical : .identifier, hash: hasher.finish().first)
        note(key, system: bare, value)
        return key
    }

    /// Notes what a key was made of, as FHIR writes it: `system|value`, an OID being a URN.
    ///
    /// `system` is without `urn:oid:`.
    @inline(__always)
    private func note(_ key: PersonKey, system: Span<UInt8>, _ value: Span<UInt8>) {
        if let notebook { notebook.note(key, system: system, value) }
    }

    /// The key of a matricule INS of 13 characters, or 15 with its key digits.
    package func ins(_ value: Span<UInt8>) -> PersonKey? {
        let value = value.extracting(trimmed(value))
        guard !value.isEmpty else { return nil }
        var hasher = SipHasher(key)
        hasher.append(1)
        var kept = 0
        for index in value.indices where value[index] != 0x20 && kept < 13 {
            let byte = value[index]
            hasher.append(byte >= 0x61 && byte <= 0x7A ? byte - 0x20 : byte)
            kept += 1
        }
        return PersonKey(rank: .ins, hash: hasher.finish().first)
    }

    /// Notes a matricule INS with the OID that an answer names apart from it; that of the NIR when
    /// it names none.
    func noteINS(_ value: Span<UInt8>, domain: Span<UInt8>) {
        guard notebook != nil, let key = ins(value) else { return }
        let bare = domain.extracting(bareSystem(domain))
        let text = value.extracting(trimmed(value))
        if isINS(system: bare) { return note(key, system: bare, text) }
        let nir = Array("1.2.250.1.213.1.4.8".utf8)
        note(key, system: nir.span, text)
    }

    /// The key of a resource's id on this server; `type` is `Patient`, `RelatedPerson`, ….
    package func local(type: Span<UInt8>, id: Span<UInt8>) -> PersonKey? {
        let id = id.extracting(trimmed(id))
        guard !id.isEmpty else { return nil }
        var hasher = SipHasher(key)
        hasher.append(3)
        hasher.append(server.span)
        hasher.append(0)
        hasher.append(type)
        hasher.append(UInt8(ascii: "/"))
        hasher.append(id)
        let key = PersonKey(rank: .local, hash: hasher.finish().first)
        notebook?.note(key.hash, type, UInt8(ascii: "/"), id)
        return key
    }

    /// The key of traits, for persons who have no identifier at all.
    package func traits(
        family: Span<UInt8>, given: Span<UInt8>, birthDate: Span<UInt8>
    ) -> PersonKey? {
        guard !family.isEmpty || !given.isEmpty || !birthDate.isEmpty else { return nil }
        var hasher = SipHasher(key)
        hasher.append(4)
        appendFolded(family, to: &hasher)
        appendFolded(given, to: &hasher)
        appendFolded(birthDate, to: &hasher)
        return PersonKey(rank: .traits, hash: hasher.finish().first)
    }

    /// Capitals, and dates without dashes, so that FHIR and HL7 v3 agree.
    private func appendFolded(_ text: Span<UInt8>, to hasher: inout SipHasher) {
        for index in text.indices where text[index] != UInt8(ascii: "-") {
            let byte = text[index]
            hasher.append(byte >= 0x61 && byte <= 0x7A ? byte - 0x20 : byte)
        }
        hasher.append(0)
    }

    /// A keyed hash of anything else that is to be compared and not read: page links, query ids.
    package func token(_ kind: UInt8, _ bytes: Span<UInt8>) -> UInt64 {
        var hasher = SipHasher(key)
        hasher.append(0x80 | kind)
        hasher.append(server.span)
        hasher.append(0)
        hasher.append(bytes)
        return hasher.finish().first
    }

    /// Whether a system, `urn:oid:` taken off, is one of the INS's: 1.2.250.1.213.1.4.8 (NIR),
    /// .9 (NIA), .10 and .11 (test and demonstration), and their `1.2.250.1.213.1.4.2` before.
    private func isINS(system: Span<UInt8>) -> Bool {
        let stem: StaticString = "1.2.250.1.213.1.4."
        let length = stem.utf8CodeUnitCount
        guard system.count > length, system.count <= length + 2 else { return false }
        // Safe because index is below the length of the text, which lives for ever.
        for index in 0..<length where system[index] != (unsafe stem.utf8Start[index]) {
            return false
        }
        if system.count == length + 1 {
            let digit = system[length]
            return digit == UInt8(ascii: "8") || digit == UInt8(ascii: "9")
                || digit == UInt8(ascii: "2")
        }
        let digit = system[length + 1]
        return system[length] == UInt8(ascii: "1")
            && (digit == UInt8(ascii: "0") || digit == UInt8(ascii: "1"))
    }
}

/// Where the system stands without `urn:oid:`.
private func bareSystem(_ bytes: Span<UInt8>) -> Range<Int> {
    let system = trimmed(bytes)
    let prefix: StaticString = "urn:oid:"
    guard system.count > 8 else { return system }
    for offset in 0..<8 {
        // Safe because offset is below the length of the text, which lives for ever.
        guard bytes[system.lowerBound + offset] | 0x20 == (unsafe prefix.utf8Start[offset]) | 0x20
        else { return system }
    }
    return (system.lowerBound + 8)..<system.upperBound
}

/// Where the text stands without the blanks around it.
private func trimmed(_ bytes: Span<UInt8>) -> Range<Int> {
    var start = 0
    var end = bytes.count
    while start < end, bytes[start] <= 0x20 { start += 1 }
    while end > start, bytes[end - 1] <= 0x20 { end -= 1 }
    return start..<end
}

private func equal(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    for index in left.indices where left[index] != right[index] { return false }
    return true
}

extension PersonNotebook {
    /// Notes an identifier; `system` is without `urn:oid:`.
    @inline(never)
    fileprivate func note(_ key: PersonKey, system: Span<UInt8>, _ value: Span<UInt8>) {
        guard isOID(system) else { return note(key.hash, system, UInt8(ascii: "|"), value) }
        var urn = Array("urn:oid:".utf8)
        for index in system.indices { urn.append(system[index]) }
        note(key.hash, urn.span, UInt8(ascii: "|"), value)
    }
}

/// Whether a system is digits and dots.
private func isOID(_ system: Span<UInt8>) -> Bool {
    for index in system.indices {
        let byte = system[index]
        guard byte >= 0x30 && byte <= 0x39 || byte == UInt8(ascii: ".") else { return false }
    }
    return !system.isEmpty
}
