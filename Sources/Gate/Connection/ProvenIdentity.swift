// ProvenIdentity.swift: who a certificate proves, prepared once and shared by its connections.

internal import Identity
internal import Limits
internal import Neutralization
internal import Policy
internal import Record
internal import Wire

/// What a believed certificate says of its holder, in every form the gate needs.
///
/// One object for all connections of a worker that show the same certificate; the registry finds
/// those connections through it.
final class ProvenIdentity {
    let fingerprint: Fingerprint
    let proof: Proof
    /// The national identifier, empty when the certificate names no professional.
    let professional: [UInt8]
    let structure: [UInt8]
    /// Nil when there is nobody whose account could be neutralized.
    let account: SubjectKey?
    let certificate: SubjectKey?
    /// The same for the other valid encoding of the certificate.
    let twin: SubjectKey?
    /// The structure the certificate is attached to.
    let structureKey: SubjectKey?
    /// The certificate by its number and issuer.
    let serial: SubjectKey?
    /// What counts together: the professional, else the certificate by issuer and number, which
    /// its holder cannot write in another way.
    let limitKey: ProfessionalKey
    /// The same, and what counts together with the others of the structure.
    let limitSubjects: LimitSubjects
    /// The holder's titles as on the card: the profession.
    private let titles: [String]
    /// Which limits of each set hold for this person, by index; of one generation.
    private var applying: (generation: UInt64, sets: [UInt16])?
    /// `Herse-Professional: …` and the others, each with CRLF.
    let fields: [UInt8]
    /// `,"professional":"…","method":"certificate",…`.
    let record: [UInt8]
    /// `Client-Cert: :…:` and CRLF (RFC 9440), made when a route asks for it first.
    lazy var clientCertificateField: [UInt8] =
        Array("Client-Cert: :".utf8) + base64(leaf.der) + Array(":\r\n".utf8)

    let leaf: LeafCertificate
    /// The connections that show it now.
    var connections: [ClientConnection] = []

    init(_ leaf: LeafCertificate, rule: CertificateRule, limits: LimitTable) {
        self.leaf = leaf
        fingerprint = leaf.fingerprint
        let holder = Self.holder(of: leaf, rule: rule)
        var professional = ""
        var structure = ""
        switch holder {
        case .professional(let id, let owner):
            proof = .person
            professional = id.description
            structure = owner?.description ?? ""
        case .nonNominative(let id, let owner):
            proof = .nonNominative
            professional = id?.description ?? ""
            structure = owner?.description ?? ""
        case .organisation(let owner, _):
            proof = .organisation
            structure = owner.description
        case nil:
            proof = .nobody
        }
        let id = Array(professional.utf8)
        self.professional = id
        let owner = Array(structure.utf8)
        self.structure = owner
        structureKey = try? SubjectKey(structure: owner.span)
        serial = leaf.issuerName.flatMap { issuer in
            try? SubjectKey(serial: leaf.serial.span, issuer: issuer)
        }
        account = try? SubjectKey(account: id.span)
        var digest: [UInt8] = []
        for index in 0..<32 { digest.append(leaf.fingerprint.bytes[index]) }
        certificate = SubjectKey(sha256: digest.span)
        if let other = leaf.twin {
            var bytes: [UInt8] = []
            for index in 0..<32 { bytes.append(other.bytes[index]) }
            twin = SubjectKey(sha256: bytes.span)
        } else {
            twin = nil
        }
        limitKey = limits.professional(
            (id.isEmpty ? leaf.issuer + leaf.serial : id).span)
        limitSubjects = LimitSubjects(
            professional: limitKey,
            structure: owner.isEmpty ? nil : limits.structure(owner.span))
        titles = (try? CertificateSubject(der: leaf.subject.span))?.values(of: .title) ?? []

        var fields = ""
        if !professional.isEmpty { fields += "Herse-Professional: \(professional)\r\n" }
        if !structure.isEmpty { fields += "Herse-Structure: \(structure)\r\n" }
        self.fields = Array((fields + "Herse-Method: certificate\r\n").utf8)

        var record: [UInt8] = []
        if !professional.isEmpty {
            record += Array(",\"professional\":".utf8) + jsonString(professional)
        }
        if !structure.isEmpty { record += Array(",\"structure\":".utf8) + jsonString(structure) }
        record += Array(",\"method\":\"certificate\",\"certificate\":\"sha256:".utf8)
        self.record = record + Array(fingerprint.hex.utf8) + Array("\"".utf8)
    }

    /// Which limits of a set hold for this person, one bit each.
    func applying(_ set: Int, in generation: Generation) -> UInt16 {
        if let applying, applying.generation == generation.number { return applying.sets[set] }
        let titles = self.titles
        let structure = self.structure
        let sets = generation.limits.map {
            $0.limits.applying(titles: titles, structure: structure.span)
        }
        applying = (generation.number, sets)
        return sets[set]
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

private func base64(_ bytes: [UInt8]) -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
        let left = bytes.count - index
        let word =
            UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
            | (left > 2 ? UInt32(bytes[index + 2]) : 0)
        out.append(alphabet[Int(word >> 18)])
        out.append(alphabet[Int(word >> 12 & 63)])
        out.append(left > 1 ? alphabet[Int(word >> 6 & 63)] : 0x3D)
        out.append(left > 2 ? alphabet[Int(word & 63)] : 0x3D)
        index += 3
    }
    return out
}
