// Fuzz.swift: the one door for a fuzz target: any bytes, every reader of this module.

/// Feeds `bytes` to every reader of this module; nothing may trap, whatever they hold.
///
/// Whatever is accepted must be accepted again once written out, and mean the same: a failed
/// check stops the program, which is what a fuzz target wants.
package func fuzzIdentity(_ bytes: Span<UInt8>) {
    if let id = try? ProfessionalID(bytes) {
        precondition((try? ProfessionalID(id.description)) == id, "an identifier reads back")
        _ = id.luhnHolds
    }
    if let id = try? StructureID(bytes) {
        precondition((try? StructureID(id.description)) == id, "an identifier reads back")
    }
    guard let subject = try? CertificateSubject(der: bytes) else { return }
    precondition(subject.attributes.count <= CertificateSubject.attributesMax, "bounded")
    let facts = CertificateFacts(
        version: 3, isAuthority: false, keyUsage: .digitalSignature,
        extendedKeyUsage: .clientAuthentication, serial: [1], issuer: nil,
        fingerprint: [], notBefore: 0, notAfter: 1)
    for attribute in subject.attributes {
        precondition(!attribute.name.description.isEmpty, "every attribute has a name")
        let rule = CertificateRule(
            attribute: attribute.name, acceptsOrganisations: true, acceptsNonNominative: true)
        do {
            _ = try holder(of: subject, facts: facts, rule: rule)
        } catch {
            precondition(!error.reason.isEmpty, "every refusal has a reason")
        }
    }
}
