// Challenge.swift: how a client is told what proof would help, RFC 9110 §11.6.1.

internal import Identity
internal import Limits
internal import Neutralization
internal import Policy
internal import Tokens

extension WorkerCore {
    /// RFC 7617: the password with the six digits of the moment behind it.
    private static let basic =
        "WWW-Authenticate: Basic realm=\"herse\", charset=\"UTF-8\"\r\n"

    /// The lines `WWW-Authenticate`, each with CRLF, that go with a refusal; none for most.
    func challenge(for refusal: Refusal, _ generation: Generation) -> String {
        switch refusal {
        case .unproven(let route):
            var lines = ""
            if generation.routes[route].acceptsTokens {
                lines = "WWW-Authenticate: Bearer realm=\"herse\", DPoP realm=\"herse\"\r\n"
            }
            return lines + (generation.routes[route].acceptsBasic ? Self.basic : "")
        case .accountRefused: return Self.basic
        case .tokenRefused(_, let why):
            let scheme: String
            switch why {
            case .proof, .proofNonce, .otherKey: scheme = "DPoP"
            default: scheme = "Bearer"
            }
            let line =
                "WWW-Authenticate: \(scheme) realm=\"herse\", error=\"\(why.challenge)\"\r\n"
            guard scheme == "DPoP" else { return line }
            return line + "DPoP-Nonce: \(proofs.nonces.nonce(now: clock.wallSeconds))\r\n"
        case .tokenTooWeak(let route):
            let route = generation.configuration.routes[route]
            return stepUp(route.levelMin, ageMax: ageMax(route), generation)
        case .tokenStepUp(_, let reached):
            let prepared = generation.limits[reached.set]
            guard case .stepUp(let seconds) = prepared.set.windows[reached.limit].enforcement else {
                return ""
            }
            return stepUp(prepared.stepUpLevel, ageMax: Int64(seconds), generation)
        default:
            return ""
        }
    }

    /// Seconds that a proof may be old on a route, or for everybody.
    private func ageMax(_ route: Route) -> Int64? {
        let onRoute = route.ageMax.map { Int64($0) }
        let now = clock.wallSeconds
        guard let since = neutralization.provenSince(now: UnixSeconds(now)) else { return onRoute }
        let age = max(0, now - since.value)
        return min(onRoute ?? age, age)
    }

    /// What the client is to ask its provider for, RFC 9470 §3.
    private func stepUp(
        _ level: AssuranceLevel, ageMax: Int64?, _ generation: Generation
    ) -> String {
        var line =
            "WWW-Authenticate: Bearer realm=\"herse\", error=\"insufficient_user_authentication\""
        var contexts: [String] = []
        for issuer in generation.configuration.authentication.issuers {
            contexts += issuer.levels.filter { $0.value >= level }.map(\.key).sorted()
        }
        if level > .low, !contexts.isEmpty {
            line += ", acr_values=\"\(contexts.joined(separator: " "))\""
        }
        if let ageMax { line += ", max_age=\"\(ageMax)\"" }
        return line + "\r\n"
    }
}
