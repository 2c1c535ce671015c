// HolderTests.swift: who holds a certificate, on the layouts of real cards and organisations.

import Identity
import Testing

private let good = CertificateFacts(
    version: 3, isAuthority: false, keyUsage: [.digitalSignature, .keyEncipherment],
    extendedKeyUsage: .clientAuthentication, serial: [1, 2], issuer: "AC TEST",
    fingerprint: [UInt8](repeating: 7, count: 32), notBefore: 100, notAfter: 200)
private let everyone = CertificateRule(acceptsOrganisations: true, acceptsNonNominative: true)
private let country = [Pair("C", "FR", .printable)]

private func judge(
    _ relativeNames: [[Pair]], facts: CertificateFacts = good, rule: CertificateRule = everyone
) throws -> Holder {
    let subject = try CertificateSubject(der: name(relativeNames).span)
    return try holder(of: subject, facts: facts, rule: rule)
}

@Suite struct `The holder of a certificate` {
    static let people: [(String, [[Pair]], String, String?)] = [
        (
            "pharmacist",
            [
                country, [Pair("title", "Pharmacien")],
                [Pair("SN", "PHARMACH0007512"), Pair("CN", "899700075122"), Pair("GN", "CAROLE")],
            ], "899700075122", nil
        ),
        (
            "physician",
            [
                country, [Pair("title", "Médecin")],
                [Pair("CN", "810002813839"), Pair("SN", "DONNAT-GADY"), Pair("GN", "ISABELLE")],
            ], "810002813839", nil
        ),
        (
            "older chain, profession in OU, ADELI",
            [
                country, [Pair("O", "TEST")], [Pair("OU", "Masseur-Kinésithérapeute")],
                [Pair("GN", "HONORE"), Pair("SN", "MASSEUR1044"), Pair("CN", "00B7010446")],
            ], "00B7010446", nil
        ),
        (
            "employee, slash in the CN",
            [
                country, [Pair("O", "TEST")], [Pair("L", "Paris (75)")],
                [Pair("OU", "300000000029751")],
                [Pair("CN", "500000000029751/CPAT0001"), Pair("SN", "A"), Pair("GN", "B")],
            ], "500000000029751/CPAT0001", "300000000029751"
        ),
        (
            "employee without OU",
            [country, [Pair("CN", "3760021832/18"), Pair("SN", "A"), Pair("GN", "B")]],
            "3760021832/18", "1760021832"
        ),
        ("bare identifier", [[Pair("CN", "899700218896")]], "899700218896", nil),
    ]

    @Test(arguments: people)
    func `is the professional named in the CN, in any order`(
        label: String, names: [[Pair]], id: String, structure: String?
    ) throws {
        let expected = Holder.professional(
            try ProfessionalID(id), structure: try structure.map { try StructureID($0) })
        #expect(try judge(names) == expected)
        #expect(try judge(names, rule: CertificateRule()) == expected)
        #expect(try judge(names.reversed()) == expected)
        #expect(try judge(names.map { $0.reversed() }) == expected)
        #expect(try judge(names.flatMap { $0.map { [$0] } }) == expected)
        #expect(try judge([names.flatMap(\.self)]) == expected)
    }

    @Test(arguments: [
        ("AGENCE DES SYSTEMES", "318751275100020", "sas-aggregator-production"),
        ("CENTRE DE SANTE RPPS15287", "10B0152872", "Padoa"),
        ("HOPITAL", "1760021832", "INSI-AUTO"),
        // A CN that spells a professional's identifier makes no professional of it.
        ("HOPITAL", "1760021832", "899700218896"),
    ])
    func `is the organisation of its OU`(name: String, unit: String, service: String) throws {
        let names = [
            country, [Pair("ST", "Rhône (69)")], [Pair("O", name)], [Pair("OU", unit)],
            [Pair("CN", service)],
        ]
        #expect(try judge(names) == .organisation(try StructureID(unit), name: service))
        #expect(throws: IdentityRefusal.organisation) {
            try judge(names, rule: CertificateRule(acceptsNonNominative: true))
        }
    }

    static let serviceCard = [
        country, [Pair("ST", "Seine-Maritime (76)")], [Pair("O", "PHARMACIE")],
        [Pair("OU", "1760021832")], [Pair("title", "Carte de service santé ou social")],
        [Pair("pseudonym", "EMPLOYE000000018")], [Pair("CN", "3760021832/000000018")],
    ]

    @Test func `is nobody when the card is a service card`() throws {
        let expected = Holder.nonNominative(
            try ProfessionalID("3760021832/000000018"), structure: try StructureID("1760021832"))
        #expect(try judge(Self.serviceCard) == expected)
        #expect(throws: IdentityRefusal.nonNominative) {
            try judge(Self.serviceCard, rule: CertificateRule(acceptsOrganisations: true))
        }
    }

    @Test(arguments: [
        [Pair("title", "CARTE DE SERVICE")], [Pair("pseudonym", "X")],
        [Pair("pseudonym", bytes: [0], .bitString)],
    ])
    func `is nobody by one sign alone, even with a person's names`(sign: [Pair]) {
        let person = [Pair("CN", "899700218896"), Pair("SN", "A"), Pair("GN", "B")]
        #expect(throws: IdentityRefusal.nonNominative) {
            try judge([sign, person], rule: CertificateRule())
        }
    }

    @Test func `is read from the attribute the rule names`() throws {
        let names = [[Pair("CN", "Isabelle"), Pair("SN", "A")], [Pair("UID", "810002813839")]]
        let rule = CertificateRule(attribute: .userID)
        #expect(
            try judge(names, rule: rule)
                == .professional(try ProfessionalID("810002813839"), structure: nil))
        #expect(throws: IdentityRefusal.missingAttribute(.serialNumber)) {
            try judge(names, rule: CertificateRule(attribute: .serialNumber))
        }
    }
}

@Suite struct `A certificate is refused` {
    @Test(arguments: [
        (facts { $0.version = 1 }, IdentityRefusal.oldVersion(1)),
        (facts { $0.isAuthority = true }, .authority),
        (facts { $0.keyUsage = [.digitalSignature, .nonRepudiation] }, .signatureCertificate),
        (facts { $0.keyUsage = .nonRepudiation }, .signatureCertificate),
        (facts { $0.keyUsage = [.digitalSignature, .certificateSign] }, .authority),
        (facts { $0.keyUsage = .keyEncipherment }, .noDigitalSignature),
        (facts { $0.keyUsage = [] }, .noDigitalSignature),
        (facts { $0.extendedKeyUsage = nil }, .noClientAuthentication),
        (facts { $0.extendedKeyUsage = .serverAuthentication }, .noClientAuthentication),
        (facts { $0.extendedKeyUsage = .any }, .noClientAuthentication),
    ])
    func `when it was not made to authenticate`(facts: CertificateFacts, refusal: IdentityRefusal) {
        #expect(throws: refusal) {
            try judge([[Pair("CN", "899700218896"), Pair("SN", "A")]], facts: facts)
        }
    }

    @Test(arguments: [
        ([], IdentityRefusal.emptySubject),
        ([[Pair("SN", "A")]], .missingAttribute(.commonName)),
        (
            [[Pair("CN", "899700218896")], [Pair("CN", "899700218896")]],
            .unreadableSubject(.repeated(.commonName))
        ),
        (
            [[Pair("CN", "Dr House"), Pair("SN", "A")]],
            .notNationalIdentifier(.commonName, .unknownPrefix)
        ),
        (
            [[Pair("CN", "899700218896\0"), Pair("SN", "A")]],
            .notNationalIdentifier(.commonName, .wrongLength(13))
        ),
        (
            [[Pair("CN", "899700218896 "), Pair("SN", "A")]],
            .notNationalIdentifier(.commonName, .wrongLength(13))
        ),
        (
            [[Pair("CN", bytes: [0, 1], .bitString), Pair("SN", "A")]],
            .unreadableSubject(.badValue)
        ),
        (
            [[Pair("OU", "1760021832")], [Pair("OU", "10B0152872")], [Pair("CN", "x")]],
            .severalStructures
        ),
        ([[Pair("OU", "1760021832")]], .missingAttribute(.commonName)),
        (
            [[Pair("OU", "1760021832")], [Pair("CN", "a\nb")]],
            .unreadableSubject(.badValue)
        ),
        (
            [[Pair("OU", "1760021832")], [Pair("CN", "a\u{202E}b")]],
            .unreadableSubject(.badValue)
        ),
        ([[Pair("OU", "1760021832")], [Pair("CN", "")]], .unreadableSubject(.badValue)),
    ])
    func `when its subject names nobody beyond doubt`(names: [[Pair]], refusal: IdentityRefusal) {
        #expect(throws: refusal) { try judge(names) }
    }

    @Test func `with a reason that repeats nothing of the subject`() throws {
        do {
            _ = try judge([[Pair("CN", "Dr House"), Pair("SN", "HOUSE")]])
            Issue.record("was accepted")
        } catch let refusal as IdentityRefusal {
            #expect(
                refusal.reason
                    == "certificate's `CN` is not a national identifier: its prefix is unknown")
        }
    }

    @Test(arguments: [(99, false), (100, true), (200, true), (201, false)])
    func `outside its validity, both ends included`(now: Int64, inForce: Bool) {
        #expect(good.isInForce(at: now) == inForce)
    }
}

private func facts(_ change: (inout CertificateFacts) -> Void) -> CertificateFacts {
    var facts = good
    change(&facts)
    return facts
}
