// ProvenIdentity.swift: who has proven to ask, prepared once and shared by all their requests.

internal import Identity
internal import Limits
internal import Neutralization
internal import Policy
internal import Record
internal import SignIn
internal import Tokens
internal import Wire

/// How somebody proved who they are, besides a certificate.
struct Credential {
    var method = ProofMethod.certificate
    var level = AssuranceLevel.high
    /// Index in the configuration of the issuer that vouches for it, and its name.
    var issuer: Int?
    var issuerName = ""
    /// The token's `jti`.
    var token: String?
    /// The session it belongs to: the issuer's `sid`, or our own.
    var session: String?
    /// The provider's session behind our own.
    var providerSession: String?
    /// Our own session, which may end at any moment.
    var live: LiveSession?
    /// The local account's name.
    var account: String?
    var accountEpoch: UInt64?
    /// The software it was given to.
    var client: String?
    /// Seconds since 1970 at which the professional proved themselves; nil when that is the
    /// connection's matter, or not known.
    var provenAt: Int64?
    /// Seconds since 1970 at which what is shown was made, where `provenAt` is not known.
    var issuedAt: Int64?
    /// Seconds since 1970 after which it proves nothing.
    var until = Int64.max
    /// The token as verified, and the generation under whose rules it was.
    var verified: VerifiedToken?
    var generation: UInt64 = 0
}

/// What a certificate can be neutralized by.
struct Card {
    let leaf: LeafCertificate
    let certificate: SubjectKey?
    /// The same for the other valid encoding of the certificate.
    let twin: SubjectKey?
    /// The certificate by its number and issuer.
    let serial: SubjectKey?

    var fingerprint: Fingerprint { leaf.fingerprint }

    init(_ leaf: LeafCertificate) {
        self.leaf = leaf
        certificate = Card.key(leaf.fingerprint)
        twin = leaf.twin.flatMap(Card.key)
        serial = leaf.issuerName.flatMap { issuer in
            try? SubjectKey(serial: leaf.serial.span, issuer: issuer)
        }
    }

    private static func key(_ fingerprint: Fingerprint) -> SubjectKey? {
        let digest = fingerprint.array
        return SubjectKey(sha256: digest.span)
    }
}

extension Fingerprint {
    /// Its 32 bytes.
    var array: [UInt8] { (0..<32).map { bytes[$0] } }
}

/// Who asks, as proven, in every form the gate needs.
///
/// One object for all connections of a worker that show the same certificate, for all requests of
/// a worker that bear the same token or session; the registry finds what is under way through it.
final class ProvenIdentity {
    /// Nil unless a certificate proves it.
    let card: Card?
    let credential: Credential
    let proof: Proof
    let standing: Standing
    /// The national identifier, empty when no professional is named.
    let professional: [UInt8]
    let structure: [UInt8]
    /// The name of an organisation's service.
    let organisation: [UInt8]
    /// The accounts it can be neutralized by: one for each national identifier of the person.
    let accounts: [SubjectKey]
    /// The same, spelled as lists hash them.
    let accountIDs: [[UInt8]]
    /// The structure the professional is attached to.
    let structureKey: SubjectKey?
    /// The token, the sessions and the client it can be neutralized by.
    let tokenKey: SubjectKey?
    let sessionKey: SubjectKey?
    let providerSessionKey: SubjectKey?
    let clientKey: SubjectKey?
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
        card.map { Array("Client-Cert: :".utf8) + base64($0.leaf.der) + Array(":\r\n".utf8) } ?? []

    /// What was stated of it last, for an identity server.
    var assertion: SignedAssertion?

    /// What was asked in its name lately.
    var requests = HourCount()
    /// The connections that show its certificate now.
    var connections: [ClientConnection] = []
    /// The exchanges under way in its name, where no certificate is its proof.
    var exchanges: [Exchange] = []
    /// What the list said of it when it was asked last, at which state of the list.
    var neutralized: Neutralized?
    var neutralizationEpoch: UInt64 = 0
    /// Since when they have to have proven themselves, as of this epoch of the moments.
    var provenSince: Int64?
    var momentsEpoch: UInt64 = 0

    init(_ who: Who, card: Card?, credential: Credential, limits: LimitTable) {
        self.card = card
        self.credential = credential
        proof = who.proof
        standing = who.standing
        let id = Array(who.professional.utf8)
        professional = id
        let owner = Array(who.structure.utf8)
        structure = owner
        organisation = Array(who.organisation.utf8)
        structureKey = try? SubjectKey(structure: owner.span)
        let accounts = ([who.professional] + who.aliases).compactMap { try? AccountID($0) }
        self.accounts = accounts.map { SubjectKey(account: $0) }
        accountIDs = accounts.map { Array($0.id.utf8) }
        tokenKey = ProvenIdentity.key(credential.token)
        sessionKey = ProvenIdentity.key(credential.session)
        providerSessionKey = ProvenIdentity.key(credential.providerSession)
        clientKey = ProvenIdentity.key(credential.client)
        let counted = id.isEmpty ? (card.map { $0.leaf.issuer + $0.leaf.serial } ?? owner) : id
        limitKey = limits.professional(counted.span)
        limitSubjects = LimitSubjects(
            professional: limitKey,
            structure: owner.isEmpty ? nil : limits.structure(owner.span))
        titles = who.titles
        fields = ProvenIdentity.fields(who, credential)
        record = ProvenIdentity.record(who, credential, card)
    }

    private static func key(_ name: String?) -> SubjectKey? {
        guard let name else { return nil }
        let bytes = Array(name.utf8)
        return try? SubjectKey(name: bytes.span)
    }

    var method: ProofMethod { credential.method }

    private static func fields(_ who: Who, _ credential: Credential) -> [UInt8] {
        var fields = ""
        if !who.professional.isEmpty { fields += "Herse-Professional: \(who.professional)\r\n" }
        if !who.structure.isEmpty { fields += "Herse-Structure: \(who.structure)\r\n" }
        return Array((fields + "Herse-Method: \(credential.method.rawValue)\r\n").utf8)
    }

    private static func record(_ who: Who, _ credential: Credential, _ card: Card?) -> [UInt8] {
        var record: [UInt8] = []
        func add(_ name: String, _ value: String?) {
            guard let value, !value.isEmpty else { return }
            record += Array(",\"\(name)\":".utf8) + jsonString(value)
        }
        add("professional", who.professional)
        add("structure", who.structure)
        add("method", credential.method.rawValue)
        add("certificate", card.map { "sha256:\($0.fingerprint.hex)" })
        guard credential.method != .certificate else { return record }
        add("level", credential.level.rawValue)
        add("issuer", credential.issuerName)
        add("account", credential.account)
        add("client", credential.client)
        add("token", credential.token)
        add("session", credential.session)
        add("provider_session", credential.providerSession)
        return record
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
}
