// ProviderClient.swift: what the desk asks of an identity provider over the network.

package import Identity
package import JSON
package import Tokens

/// Where a provider's endpoints are.
package struct ProviderEndpoints: Equatable, Sendable {
    package var authorization: String
    package var userInfo: Bool
    package var endSession: String?
    /// `authorization_response_iss_parameter_supported`, RFC 9207 §3.
    package var namesItself: Bool

    package init(
        authorization: String, userInfo: Bool = false, endSession: String? = nil,
        namesItself: Bool = false
    ) {
        self.authorization = authorization
        self.userInfo = userInfo
        self.endSession = endSession
        self.namesItself = namesItself
    }
}

/// What a provider gave for a code.
package struct ProviderTokens: Sendable {
    package var idToken: [UInt8]
    package var accessToken: [UInt8]?

    package init(idToken: [UInt8], accessToken: [UInt8]? = nil) {
        self.idToken = idToken
        self.accessToken = accessToken
    }
}

/// Why a provider did not answer what was asked.
package enum ProviderProblem: Error, Equatable, Sendable {
    /// Not reached, too slow, or its answer is none: it may work later.
    case unavailable
    /// It says no: a code used before, another verifier, our own secret wrong.
    case refused
}

/// A provider behind the network; calls block, and are made from many threads at once.
package protocol ProviderClient: Sendable {
    /// What its metadata says, if any is believed at this time.
    func endpoints(now: Int64) -> ProviderEndpoints?
    /// Its keys, if any are believed at this time.
    func keys(now: Int64) -> KeySet?
    /// Fetches metadata and keys anew, if that is not done too often already.
    func refresh(now: Int64)
    /// Exchanges a code, RFC 6749 §4.1.3 with RFC 7636 §4.5.
    func exchange(
        code: String, verifier: String, redirect: String, now: Int64
    ) throws(ProviderProblem) -> ProviderTokens
    /// OpenID Connect Core 1.0 §5.3.
    func userInfo(accessToken: [UInt8], now: Int64) throws(ProviderProblem) -> JSONValue
}

/// An identity provider that browsers are sent to.
package struct Provider: Sendable {
    /// The issuer's name in the configuration, and in addresses.
    package var name: String
    /// What the page calls it.
    package var label: String
    package var scopes: [String] = ["openid"]
    /// `acr_values`, in the order of preference.
    package var contexts: [String] = []
    /// `acr` accepted; any when empty.
    package var acceptedContexts: [String] = []
    /// What each `acr` is worth, and any other.
    package var levels: [String: AssuranceLevel] = [:]
    package var level = AssuranceLevel.substantial
    package var issuer: String
    package var algorithms: Set<SignatureAlgorithm>
    /// Ours there.
    package var clientID: String
    package var professionalClaim = "SubjectNameID"
    package var leeway: Int64 = 30
    package var client: any ProviderClient

    package init(
        name: String, label: String, issuer: String, clientID: String,
        algorithms: Set<SignatureAlgorithm>, client: any ProviderClient
    ) {
        self.name = name
        self.label = label
        self.issuer = issuer
        self.clientID = clientID
        self.algorithms = algorithms
        self.client = client
    }

    /// What an `acr` is worth.
    func level(of context: String?) -> AssuranceLevel {
        guard let context else { return level }
        return levels.first { areSame($0.key, context) }?.value ?? level
    }

    /// Whether it can prove as much, as far as anybody knows beforehand.
    func mayReach(_ wanted: AssuranceLevel) -> Bool {
        level >= wanted || levels.values.contains { $0 >= wanted }
    }

    /// `acr_values` for a wish: those that are worth enough, where any is.
    func contexts(for wanted: AssuranceLevel?) -> [String] {
        guard let wanted else { return contexts }
        let known = Set(contexts)
        let more = levels.keys.filter { !known.contains($0) }.sorted()
        let enough = (contexts + more).filter { level(of: $0) >= wanted }
        return enough.isEmpty ? contexts : enough
    }

    var rules: IDTokenRules {
        var rules = IDTokenRules(issuer: issuer, algorithms: algorithms, client: clientID)
        rules.contexts = acceptedContexts
        rules.professionalClaim = professionalClaim
        rules.leeway = leeway
        return rules
    }

    /// Asks for keys, anew when a token names one that is not among them.
    func verified<Result>(
        now: Int64, _ verify: (KeySet) throws(TokenRefusal) -> Result
    ) throws(ProviderFailure) -> Result {
        if client.keys(now: now) == nil { client.refresh(now: now) }
        guard let keys = client.keys(now: now) else { throw .unavailable }
        do throws(TokenRefusal) {
            return try verify(keys)
        } catch {
            guard error == .unknownKey else { throw .token(error) }
        }
        client.refresh(now: now)
        guard let keys = client.keys(now: now) else { throw .unavailable }
        do throws(TokenRefusal) { return try verify(keys) } catch { throw .token(error) }
    }
}

/// Why a sign-in at a provider came to nothing.
enum ProviderFailure: Error, Equatable {
    case unavailable
    case refused
    case token(TokenRefusal)
    /// The claim is not an identifier of a professional.
    case professional
    /// Less than was asked for.
    case notEnough
}
