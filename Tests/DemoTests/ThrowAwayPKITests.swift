// ThrowAwayPKITests.swift: the throw-away PKI stands up to OpenSSL's strict verification.

import COpenSSL
import Demo
import Glibc
import Identity
import Testing

private let physician = CardProfile.professional(
    id: "899700218896", surname: "DONNAT-GADY", givenName: "ISABELLE", title: "Médecin")

private struct Rig {
    let folder: TemporaryFolder
    let pki: ThrowAwayPKI

    init(distributionPoint: String? = nil) throws {
        folder = try TemporaryFolder()
        pki = try ThrowAwayPKI.create(
            in: folder.path + "/pki", distributionPoint: distributionPoint)
    }

    func verdict(on card: Card) throws -> Int32 {
        try DemoTests.verdict(
            on: card.certificatePath, purpose: X509_PURPOSE_SSL_CLIENT,
            files: [pki.clientAuthoritiesPath] + pki.revocationListPaths)
    }
}

@Suite struct `A throw-away PKI` {
    @Test func `issues cards that a strict verification accepts`() throws {
        let rig = try Rig(distributionPoint: "http://localhost/persons.crl")
        let card = try rig.pki.issueCard(name: "physician", physician)
        #expect(try rig.verdict(on: card) == X509_V_OK)
        let id = try ProfessionalID("899700218896")
        #expect(
            try ReadCertificate(path: card.certificatePath).holder()
                == .professional(id, structure: nil))
    }

    @Test func `issues a server certificate for localhost`() throws {
        let rig = try Rig()
        // Its issuer's list is not published, so revocation is not asked of it.
        let certificate = try ReadCertificate(path: rig.pki.serverCertificatePath)
        #expect(unsafe X509_check_host(certificate.pointer, "localhost", 0, 0, nil) == 1)
        #expect(unsafe X509_check_ip_asc(certificate.pointer, "127.0.0.1", 0) == 1)
        #expect(unsafe X509_check_ip_asc(certificate.pointer, "::1", 0) == 1)
        #expect(throws: IdentityRefusal.noClientAuthentication) { try certificate.holder() }
    }

    @Test func `revokes a card, and that card alone`() throws {
        let rig = try Rig()
        let lost = try rig.pki.issueCard(name: "lost", physician)
        let kept = try rig.pki.issueCard(name: "kept", physician)
        #expect(try rig.verdict(on: lost) == X509_V_OK)
        rig.pki.revoke(lost)
        rig.pki.revoke(lost)
        try rig.pki.writeRevocationLists()
        #expect(try rig.verdict(on: lost) == X509_V_ERR_CERT_REVOKED)
        #expect(try rig.verdict(on: kept) == X509_V_OK)
    }

    @Test func `revokes the authority that signs cards`() throws {
        let rig = try Rig()
        let card = try rig.pki.issueCard(name: "card", physician)
        rig.pki.revokePersonsAuthority()
        try rig.pki.writeRevocationLists()
        #expect(try rig.verdict(on: card) == X509_V_ERR_CERT_REVOKED)
    }

    @Test func `issues an expired card that is refused as such`() throws {
        let rig = try Rig()
        let card = try rig.pki.issueCard(name: "old", physician.expired)
        #expect(try rig.verdict(on: card) == X509_V_ERR_CERT_HAS_EXPIRED)
    }

    @Test func `issues a signature certificate that cannot authenticate`() throws {
        let rig = try Rig()
        let card = try rig.pki.issueCard(name: "signature", physician.forSigning)
        #expect(try rig.verdict(on: card) == X509_V_ERR_INVALID_PURPOSE)
        let certificate = try ReadCertificate(path: card.certificatePath)
        #expect(throws: IdentityRefusal.signatureCertificate) { try certificate.holder() }
    }

    @Test(arguments: [
        (
            CardProfile.organisation(
                structure: "10B0152872", name: "CENTRE DE SANTE", service: "portail"),
            IdentityRefusal.organisation
        ),
        (
            .serviceCard(
                id: "3760021832/000000018", structure: "1760021832", pseudonym: "EMPLOYE000000018"),
            .nonNominative
        ),
    ])
    func `issues what names no person`(profile: CardProfile, refusal: IdentityRefusal) throws {
        let rig = try Rig()
        let card = try rig.pki.issueCard(name: "nobody", profile)
        #expect(try rig.verdict(on: card) == X509_V_OK)
        let certificate = try ReadCertificate(path: card.certificatePath)
        #expect(throws: refusal) { try certificate.holder() }
    }

    @Test func `does not vouch for another root's cards`() throws {
        let (rig, other) = (try Rig(), try Rig())
        let card = try other.pki.issueCard(name: "stranger", physician)
        #expect(try rig.verdict(on: card) == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY)
    }

    @Test func `keeps its keys to its owner`() throws {
        let rig = try Rig()
        let card = try rig.pki.issueCard(name: "card", physician)
        #expect(mode(rig.pki.folder) == 0o700)
        #expect(mode(rig.pki.folder + "/cards") == 0o700)
        #expect(mode(card.keyPath) == 0o600)
        #expect(mode(rig.pki.serverKeyPath) == 0o600)
    }

    @Test func `draws serial numbers as long as the national authority's`() throws {
        let rig = try Rig()
        let cards = try (1...4).map { try rig.pki.issueCard(name: "card-\($0)", physician) }
        #expect(Set(cards.map(\.serial)).count == 4)
        #expect(cards.allSatisfy { $0.serial.count == 18 && $0.serial[0] & 0x80 == 0 })
        #expect(cards.allSatisfy { $0.fingerprintText.count == 64 })
    }

    @Test(arguments: ["", "../card", "a/b", "Card", "é", String(repeating: "a", count: 65)])
    func `refuses a card's name that is no plain file name`(name: String) throws {
        let rig = try Rig()
        #expect(throws: PKIError.badName(name)) { try rig.pki.issueCard(name: name, physician) }
    }

    @Test func `refuses two cards of one name, and a folder in use`() throws {
        let rig = try Rig()
        _ = try rig.pki.issueCard(name: "card", physician)
        #expect(throws: PKIError.nameTaken("card")) {
            try rig.pki.issueCard(name: "card", physician)
        }
        #expect(throws: PKIError.folderNotEmpty(rig.pki.folder)) {
            try ThrowAwayPKI.create(in: rig.pki.folder)
        }
    }

    @Test func `says which folder it cannot make`() throws {
        #expect(throws: PKIError.cannotMakeFolder("/nowhere/pki", code: ENOENT)) {
            try ThrowAwayPKI.create(in: "/nowhere/pki")
        }
    }
}

private func mode(_ path: String) -> mode_t {
    var status = stat()
    // Safe because stat fills the structure it is given.
    guard unsafe stat(path, &status) == 0 else { return 0 }
    return status.st_mode & 0o777
}
