// Holder.swift: who holds a certificate: a human, a structure, or a card passed from hand to hand.
//
// The chain has been verified before; here the certificate is asked whether it was made to prove
// somebody's identity, and whose.

/// Who a certificate stands for.
package enum Holder: Equatable, Sendable {
    case professional(ProfessionalID, structure: StructureID?)
    /// A legal entity's software; proves no human.
    case organisation(StructureID, name: String)
    /// A service card: whoever has it in hand today.
    case nonNominative(ProfessionalID?, structure: StructureID?)
}

/// What a listener's configuration asks of a client certificate.
package struct CertificateRule: Equatable, Sendable {
    /// The attribute that carries the professional's national identifier.
    package var attribute: AttributeName
    package var acceptsOrganisations: Bool
    package var acceptsNonNominative: Bool

    package init(
        attribute: AttributeName = .commonName, acceptsOrganisations: Bool = false,
        acceptsNonNominative: Bool = false
    ) {
        self.attribute = attribute
        self.acceptsOrganisations = acceptsOrganisations
        self.acceptsNonNominative = acceptsNonNominative
    }
}

/// Who holds the certificate with this subject and these facts, as far as `rule` accepts it.
package func holder(
    of subject: CertificateSubject, facts: CertificateFacts, rule: CertificateRule
) throws(IdentityRefusal) -> Holder {
    try expectAuthentication(facts)
    guard !subject.isEmpty else { throw .emptySubject }
    let structure = try structure(of: subject)

    if isServiceCard(subject) {
        guard rule.acceptsNonNominative else { throw .nonNominative }
        let id = try one(rule.attribute, of: subject).flatMap { try? ProfessionalID($0) }
        return .nonNominative(id, structure: structure ?? id?.employer)
    }
    // A person's card names a person. An organisation chooses its CN freely: even one that spells
    // a national identifier makes nobody of it.
    let namesPerson = subject.has(.surname) || subject.has(.givenName)
    if !namesPerson, let structure {
        guard rule.acceptsOrganisations else { throw .organisation }
        return .organisation(structure, name: try organisationName(of: subject))
    }
    guard let text = try one(rule.attribute, of: subject) else {
        throw .missingAttribute(rule.attribute)
    }
    do {
        let id = try ProfessionalID(text)
        return .professional(id, structure: structure ?? id.employer)
    } catch {
        throw .notNationalIdentifier(rule.attribute, error)
    }
}

/// A signature certificate bears the very same subject as the authentication certificate of the
/// same card; only the usages tell them apart.
private func expectAuthentication(_ facts: CertificateFacts) throws(IdentityRefusal) {
    guard facts.version == 3 else { throw .oldVersion(facts.version) }
    guard !facts.isAuthority else { throw .authority }
    // An absent key usage restricts nothing, RFC 5280 §4.2.1.3; the extended one must then speak.
    if let usage = facts.keyUsage {
        guard !usage.contains(.nonRepudiation) else { throw .signatureCertificate }
        guard !usage.contains(.certificateSign) else { throw .authority }
        guard usage.contains(.digitalSignature) else { throw .noDigitalSignature }
    }
    // anyExtendedKeyUsage is not enough: it would let any certificate of the chain speak.
    guard facts.extendedKeyUsage?.contains(.clientAuthentication) == true else {
        throw .noClientAuthentication
    }
}

/// The one Struct_IdNat among the OU; other OU are free text, such as a profession.
private func structure(of subject: CertificateSubject) throws(IdentityRefusal) -> StructureID? {
    var found: StructureID?
    for unit in subject.values(of: .organisationalUnit) {
        guard let id = try? StructureID(unit) else { continue }
        guard found == nil || found == id else { throw .severalStructures }
        found = id
    }
    return found
}

private func isServiceCard(_ subject: CertificateSubject) -> Bool {
    subject.has(.pseudonym)
        || subject.values(of: .title).contains { title in
            title.lowercased().hasPrefix("carte de service")
        }
}

/// The name of an organisation's service: free text, but text that can stand in a log line.
private func organisationName(of subject: CertificateSubject) throws(IdentityRefusal) -> String {
    guard let name = try one(.commonName, of: subject) else {
        throw .missingAttribute(.commonName)
    }
    let isPlain = name.unicodeScalars.allSatisfy { scalar in
        scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value)
            && scalar.properties.generalCategory != .format
    }
    guard isPlain, (1...256).contains(name.utf8.count) else {
        throw .unreadableSubject(.badValue)
    }
    return name
}

private func one(
    _ name: AttributeName, of subject: CertificateSubject
) throws(IdentityRefusal) -> String? {
    do {
        return try subject.value(of: name)
    } catch {
        throw .unreadableSubject(error)
    }
}
