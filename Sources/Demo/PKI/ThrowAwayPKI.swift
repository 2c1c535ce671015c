// ThrowAwayPKI.swift: a root, its authorities, a server and cards, made for an hour of use.
//
//     root ── persons ── cards/NAME.pem      (and their lists in crl/)
//          └─ servers ── server.pem
//
// The authorities' keys never touch the disk: once the program ends nobody can issue more.

import COpenSSL

/// A public-key infrastructure for demonstrations and tests, in one private folder.
package final class ThrowAwayPKI {
    /// Which authority a serial number belongs to.
    package enum Issuer: Sendable {
        case root
        case persons
    }

    package let folder: String
    /// Where the chain of every card can be fetched a list from, written in the cards when given.
    package let distributionPoint: String?

    private let root: Authority
    private let persons: Authority
    private var cardNames: Set<String> = []
    private var revokedByRoot: [[UInt8]] = []
    private var revokedByPersons: [[UInt8]] = []
    private var listNumber = 0

    /// Makes everything but the cards; `folder` is created, or must be empty.
    package static func create(
        in folder: String, distributionPoint: String? = nil
    ) throws(PKIError) -> ThrowAwayPKI {
        try makePrivateFolder(folder)
        try makePrivateFolder(folder + "/cards")
        try makePrivateFolder(folder + "/crl")
        return try ThrowAwayPKI(folder: folder, distributionPoint: distributionPoint)
    }

    private init(folder: String, distributionPoint: String?) throws(PKIError) {
        self.folder = folder
        self.distributionPoint = distributionPoint
        root = try authority("Herse demo root", pathLength: nil, issuer: nil)
        persons = try authority("Herse demo persons", pathLength: 0, issuer: root)
        let servers = try authority("Herse demo servers", pathLength: 0, issuer: root)
        let rootPEM = try root.certificate.pem()
        let personsPEM = try persons.certificate.pem()
        try writeFile(rootPEM, to: rootPath, mode: 0o644)
        try writeFile(personsPEM, to: folder + "/persons-ca.pem", mode: 0o644)
        try writeFile(personsPEM + rootPEM, to: clientAuthoritiesPath, mode: 0o644)
        try writeServer(issuer: servers)
        try writeRevocationLists()
    }

    package var rootPath: String { folder + "/root-ca.pem" }
    package var clientAuthoritiesPath: String { folder + "/client-authorities.pem" }
    package var serverCertificatePath: String { folder + "/server.pem" }
    package var serverKeyPath: String { folder + "/server.key" }
    package var revocationListPaths: [String] {
        [folder + "/crl/root.crl", folder + "/crl/persons.crl"]
    }

    /// Issues `cards/NAME.pem`, its chain in the same file, and `cards/NAME.key`.
    package func issueCard(name: String, _ profile: CardProfile) throws(PKIError) -> Card {
        let isPlain = name.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
        }
        guard isPlain, (1...64).contains(name.utf8.count) else { throw .badName(name) }
        guard !cardNames.contains(name) else { throw .nameTaken(name) }

        var extensions = leafExtensions(profile.keyUsage)
        if let usage = profile.extendedKeyUsage { extensions.append((NID_ext_key_usage, usage)) }
        if let point = distributionPoint {
            extensions.append((NID_crl_distribution_points, "URI:\(point)"))
        }
        let key = try PrivateKey()
        let certificate = try Certificate(
            CertificateRequest(
                subject: profile.subject, validity: profile.validity, extensions: extensions),
            key: key, issuer: persons)
        let card = Card(
            name: name, certificatePath: folder + "/cards/\(name).pem",
            keyPath: folder + "/cards/\(name).key", serial: certificate.serial,
            fingerprint: try certificate.fingerprint())
        try writeFile(key.pem(), to: card.keyPath, mode: 0o600)
        try writeFile(
            certificate.pem() + persons.certificate.pem(), to: card.certificatePath, mode: 0o644)
        cardNames.insert(name)
        return card
    }

    /// Puts the card on the next list; `writeRevocationLists` publishes it.
    package func revoke(_ card: Card) { revoke(serial: card.serial, of: .persons) }

    /// Puts a serial number on its issuer's next list, once.
    package func revoke(serial: [UInt8], of issuer: Issuer) {
        switch issuer {
        case .root where !revokedByRoot.contains(serial): revokedByRoot.append(serial)
        case .persons where !revokedByPersons.contains(serial): revokedByPersons.append(serial)
        case .root, .persons: break
        }
    }

    /// Puts the authority that signs cards on the root's next list: all its cards fall.
    package func revokePersonsAuthority() {
        revoke(serial: persons.certificate.serial, of: .root)
    }

    /// Signs both lists anew, under a higher number, and replaces the files.
    package func writeRevocationLists() throws(PKIError) {
        listNumber += 1
        let lists = [
            try revocationList(of: revokedByRoot, by: root, number: listNumber),
            try revocationList(of: revokedByPersons, by: persons, number: listNumber),
        ]
        for (list, path) in zip(lists, revocationListPaths) {
            try writeFile(list, to: path, mode: 0o644)
        }
    }

    private func writeServer(issuer: Authority) throws(PKIError) {
        let key = try PrivateKey()
        let certificate = try Certificate(
            CertificateRequest(
                subject: [[NamePart("CN", "localhost")]],
                extensions: leafExtensions("digitalSignature") + [
                    (NID_ext_key_usage, "serverAuth"),
                    (NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1"),
                ]), key: key, issuer: issuer)
        try writeFile(key.pem(), to: serverKeyPath, mode: 0o600)
        try writeFile(
            certificate.pem() + issuer.certificate.pem(), to: serverCertificatePath, mode: 0o644)
    }
}

/// A certificate that may sign others, as RFC 5280 wants it under OpenSSL's strict flag.
private func authority(
    _ name: String, pathLength: Int?, issuer: Authority?
) throws(PKIError) -> Authority {
    let constraint = pathLength.map { "critical,CA:TRUE,pathlen:\($0)" } ?? "critical,CA:TRUE"
    var extensions: [(Int32, String)] = [
        (NID_basic_constraints, constraint), (NID_key_usage, "critical,keyCertSign,cRLSign"),
        (NID_subject_key_identifier, "hash"),
    ]
    // A root has no one to point at but itself.
    if issuer != nil { extensions.append((NID_authority_key_identifier, "keyid:always")) }
    let key = try PrivateKey()
    let certificate = try Certificate(
        CertificateRequest(
            subject: [
                [NamePart("C", "FR")], [NamePart("O", "Herse demo")], [NamePart("CN", name)],
            ], extensions: extensions), key: key, issuer: issuer)
    return Authority(certificate: certificate, key: key)
}

private func leafExtensions(_ keyUsage: String) -> [(Int32, String)] {
    [
        (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical," + keyUsage),
        (NID_subject_key_identifier, "hash"), (NID_authority_key_identifier, "keyid:always"),
    ]
}
