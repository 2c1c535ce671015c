// Challenge.swift: how a client is told what proof would help, RFC 9110 §11.6.1.

internal import Identity
internal import Policy
internal import Tokens

extension WorkerCore {
    /// The lines `WWW-Authenticate`, each with CRLF, that go with a refusal; none for most.
    func challenge(for refusal: Refusal, _ generation: Generation) -> String {
        switch refusal {
        case .unproven(let route) where generation.routes[route].acceptsTokens:
            return "WWW-Authenticate: Bearer realm=\"herse\", DPoP realm=\"herse\"\r\n"
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
            return stepUp(generation.configuration.routes[route], generation)
        default:
            return ""
        }
    }

    /// What the client is to ask its provider for, RFC 9470 §3.
    private func stepUp(_ route: Route, _ generation: Generation) -> String {
        var line =
            "WWW-Authenticate: Bearer realm=\"herse\", error=\"insufficient_user_authentication\""
        var contexts: [String] = []
        for issuer in generation.configuration.authentication.issuers {
            contexts += issuer.levels.filter { $0.value >= route.levelMin }.map(\.key).sorted()
        }
        if route.levelMin > .low, !contexts.isEmpty {
            line += ", acr_values=\"\(contexts.joined(separator: " "))\""
        }
        if let ageMax = route.ageMax { line += ", max_age=\"\(ageMax)\"" }
        return line + "\r\n"
    }
}
