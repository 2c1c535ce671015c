// Who.swift: who somebody was found to be, whatever proved it.

internal import Directory
internal import Identity
internal import Policy
internal import Wire

/// A holder, as the gate goes on with them.
struct Who {
    var proof = Proof.nobody
    /// The national identifier, empty when nobody is named.
    var professional = ""
    var structure = ""
    /// The name of an organisation's service; empty for people.
    var organisation = ""
    /// The holder's titles, by which limits may differ.
    var titles: [String] = []
    /// The other national identifiers of the same person.
    var aliases: [String] = []
    var standing = Standing.unchecked

    init() {}

    /// Whom a certificate names.
    init(_ leaf: LeafCertificate, rule: CertificateRule) {
        switch Who.holder(of: leaf, rule: rule) {
        case .professional(let id, let owner):
            proof = .person
            professional = id.description
            structure = owner?.description ?? ""
        case .nonNominative(let id, let owner):
            proof = .nonNominative
            professional = id?.description ?? ""
            structure = owner?.description ?? ""
        case .organisation(let owner, let name):
            proof = .organisation
            structure = owner.description
            organisation = name
        case nil: break
        }
        titles = (try? CertificateSubject(der: leaf.subject.span))?.values(of: .title) ?? []
    }

    /// The professional with this national identifier; nobody when it is none.
    init(professional text: String, structure: String = "") {
        guard let id = try? ProfessionalID(text) else { return }
        proof = .person
        professional = id.description
        self.structure =
            (try? StructureID(structure))?.description ?? id.employer?.description ?? ""
    }

    /// Whom the certificate names; nil when that is nobody the gate knows.
    private static func holder(of leaf: LeafCertificate, rule: CertificateRule) -> Holder? {
        let facts = CertificateFacts(
            version: leaf.version, isAuthority: leaf.isAuthority,
            keyUsage: leaf.keyUsage.map { KeyUsage(rawValue: $0) },
            extendedKeyUsage: leaf.mayAuthenticateClients
                ? .clientAuthentication : (leaf.hasExtendedKeyUsage ? [] : nil),
            serial: leaf.serial, issuer: nil, fingerprint: [], notBefore: leaf.notBefore,
            notAfter: leaf.notAfter)
        guard let subject = try? CertificateSubject(der: leaf.subject.span) else { return nil }
        // Which holders pass is the route's matter: here all are recognised.
        let recogniser = CertificateRule(
            attribute: rule.attribute, acceptsOrganisations: true, acceptsNonNominative: true)
        return try? Identity.holder(of: subject, facts: facts, rule: recogniser)
    }
}

extension WorkerCore {
    /// The professional of this national identifier, as far as anything is known of them; nobody
    /// when it is none.
    func who(_ professional: String, structure: String = "") -> Who {
        var who = Who(professional: professional, structure: structure)
        look(for: &who)
        return who
    }

    /// Adds what the directory knows of a professional: the number they are counted under, their
    /// others, their professions, whether they have left.
    func look(for who: inout Who) {
        guard who.proof == .person || !who.professional.isEmpty,
            let directory = generation.ways.directory?.directory
        else { return }
        let id = Array(who.professional.utf8)
        who.standing = Standing(directory.standing(of: id.span))
        guard let person = directory.person(id.span) else { return }
        who.professional = person.id
        who.aliases = person.aliases
        who.titles += person.professions
    }
}
