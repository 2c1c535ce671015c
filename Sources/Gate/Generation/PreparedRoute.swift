// PreparedRoute.swift: what each request of a route needs, made once for each generation.

internal import Identity
internal import KeyedHash
internal import Limits
internal import Lookup
internal import Policy
internal import Record

/// A route as the workers take it.
final class PreparedRoute: Sendable {
    /// Its place in the configuration.
    let index: Int
    let server: Int
    let acceptsCertificates: Bool
    let acceptsTokens: Bool
    /// Whether somebody may prove who they are by a session, however that began.
    let acceptsSessions: Bool
    /// Whether by an account's password and code in each request.
    let acceptsBasic: Bool
    private let requirements: [ProofMethod]
    /// Index of its set of limits.
    private let limits: Int?
    /// What organisation certificates count against instead.
    private let machineLimits: Int?
    let bodyMax: UInt64
    let lookups: Route.Lookups
    let forwardsClientCertificate: Bool
    let forwardsAssertion: Bool
    /// `Herse-Route: fhir` and CRLF.
    let field: [UInt8]
    /// `,"route":"fhir"`.
    let record: [UInt8]
    /// `,"rule":"herse.yaml:31"`.
    let rule: [UInt8]

    /// Whether identities are looked up: requests are understood, answers inspected and settled.
    let isInspected: Bool
    /// Reads what is asked, and knows by what protocol answers are read.
    let reader: QuestionReader
    /// What reads its answers instead of a protocol.
    let extractor: ExtractorDefinition?
    /// Bytes of an answer held for inspection.
    let answerMax: Int
    /// Persons charged for an answer nobody understands; nil when it is withheld.
    let unparsedCharge: Int?
    /// Name of the field whose value is the reason to break the glass, in lower case.
    let emergencyHeader: [UInt8]?
    let emergencyLimits: Int?

    init(
        _ route: Route, at index: Int, _ configuration: Configuration, _ key: SipKey
    ) {
        self.index = index
        server = route.identityServer
        acceptsCertificates = route.requirements.contains(.certificate)
        acceptsTokens = route.requirements.contains(.token)
        requirements = route.requirements
        acceptsSessions = !Set(requirements).isDisjoint(with: [.session, .pamTOTP, .pamWebAuthn])
        acceptsBasic = route.acceptsBasic
        limits = route.limits
        machineLimits = route.machines?.limits
        let rules = route.lookupRules
        bodyMax = UInt64(clamping: route.bodyMax)
        lookups = route.lookups
        forwardsAssertion = route.forwardsAssertion
        forwardsClientCertificate = route.forwardsClientCertificate
        field = Array("Herse-Route: \(route.name)\r\n".utf8)
        record = Array(",\"route\":".utf8) + jsonString(route.name)
        rule = ruleFragment(route.place)
        isInspected = rules != nil
        if case .declared(let place) = route.lookups {
            extractor = configuration.extractors[place].definition
        } else {
            extractor = nil
        }
        reader = configuration.questionReader(route: index, key)
        answerMax = rules?.answerMax ?? 0
        if case .charge(let count) = rules?.unparsed {
            unparsedCharge = count
        } else {
            unparsedCharge = nil
        }
        emergencyHeader = rules?.breakGlass.map { Array($0.header.utf8) }
        emergencyLimits = rules?.breakGlass?.limits
    }

    /// Whether this way to prove who one is counts here.
    func accepts(_ method: ProofMethod) -> Bool { requirements.contains(method) }

    /// Index of the set of limits that somebody counts against.
    func limits(of identity: ProvenIdentity) -> Int? {
        identity.proof == .organisation ? machineLimits ?? limits : limits
    }
}
