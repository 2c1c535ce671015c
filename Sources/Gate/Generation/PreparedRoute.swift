// PreparedRoute.swift: what each request of a route needs, made once for each generation.

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
    /// Index of its set of limits.
    let limits: Int?
    let bodyMax: UInt64
    let lookups: Route.Lookups
    let forwardsClientCertificate: Bool
    /// `Herse-Route: fhir` and CRLF.
    let field: [UInt8]
    /// `,"route":"fhir"`.
    let record: [UInt8]
    /// `,"rule":"herse.yaml:31"`.
    let rule: [UInt8]

    /// Whether identities are looked up: requests are understood, answers inspected and settled.
    let isInspected: Bool
    /// Nil when a declared extractor reads its answers.
    let dialect: Dialect?
    let extractor: ExtractorDefinition?
    let questionRules: QuestionRules
    let hasher: PersonHasher
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
        limits = route.limits
        let rules = route.lookupRules
        bodyMax = UInt64(clamping: route.bodyMax)
        lookups = route.lookups
        forwardsClientCertificate = route.forwardsClientCertificate
        field = Array("Herse-Route: \(route.name)\r\n".utf8)
        record = Array(",\"route\":".utf8) + jsonString(route.name)
        rule = ruleFragment(route.place)
        isInspected = rules != nil
        switch route.lookups {
        case .fhir: (dialect, extractor) = (.fhir, nil)
        case .hl7v3: (dialect, extractor) = (.hl7v3, nil)
        case .insi: (dialect, extractor) = (.insi, nil)
        case .none: (dialect, extractor) = (nil, nil)
        case .declared(let place):
            (dialect, extractor) = (nil, configuration.extractors[place].definition)
        }
        questionRules = QuestionRules(countMax: rules?.countMax ?? 50)
        let server = configuration.identityServers[route.identityServer]
        hasher = PersonHasher(
            key: key, server: server.name, canonicalSystem: server.canonicalSystem)
        answerMax = rules?.answerMax ?? 0
        if case .charge(let count) = rules?.unparsed {
            unparsedCharge = count
        } else {
            unparsedCharge = nil
        }
        emergencyHeader = rules?.breakGlass.map { Array($0.header.utf8) }
        emergencyLimits = rules?.breakGlass?.limits
    }
}
