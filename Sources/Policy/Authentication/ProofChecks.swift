// ProofChecks.swift: whether what routes require can be proven at all.
//
// A route whose proof nobody can give is an error, not a warning: its operator believes that
// somebody passes.

import Identity
import Tokens

/// Holds routes against what `authentication` offers.
struct ProofChecks {
    let problems: Problems
    let authentication: Authentication

    func check(_ routes: [Route]) {
        for route in routes {
            for method in route.requirements {
                if let complaint = complaint(about: method, on: route) {
                    problems.error(
                        route.requirementsPlace,
                        "route \(quoted(route.name)) requires `\(method.rawValue)`, "
                            + complaint.message, hint: complaint.hint)
                }
            }
            judgeLevel(route)
            if route.forwardsAssertion, authentication.assertion == nil {
                problems.error(
                    route.place, "route \(quoted(route.name)) forwards an assertion nobody signs",
                    hint: "add `assertion` to `authentication`")
            }
        }
        judgeSignIn()
    }

    private func complaint(about method: ProofMethod, on route: Route) -> Complaint? {
        switch method {
        case .certificate:
            return nil
        case .token:
            guard !authentication.issuers.contains(where: { $0.tokens != nil }) else { return nil }
            return Complaint("but no issuer's are accepted", hint: "add `tokens` to an issuer")
        case .session:
            guard authentication.signIn?.providers.isEmpty ?? true else { return nil }
            return Complaint(
                "but nobody can sign in", hint: "add `providers` to `authentication.sign_in`")
        case .pamTOTP, .pamWebAuthn:
            if authentication.accounts == nil {
                return Complaint(
                    "but there are no local accounts", hint: "add `accounts` to `authentication`")
            }
            let isBasic = route.acceptsBasic && method == .pamTOTP
            guard authentication.signIn == nil, !isBasic else { return nil }
            return Complaint(
                "but there is no page to sign in on", hint: "add `sign_in` to `authentication`")
        }
    }

    /// A level above all that a route's proofs can reach lets nobody pass.
    private func judgeLevel(_ route: Route) {
        let reached = route.requirements.compactMap(highest)
        guard reached.count == route.requirements.count, let best = reached.max(),
            best < route.levelMin
        else { return }
        problems.error(
            route.levelPlace ?? route.place,
            "no proof route \(quoted(route.name)) accepts reaches `\(route.levelMin.rawValue)`",
            hint: "at most `\(best.rawValue)`, by the `level` and `levels` of `authentication`")
    }

    /// The most a way to prove oneself can be worth; nil when nobody can.
    private func highest(_ method: ProofMethod) -> AssuranceLevel? {
        func best(_ issuer: IssuerRule, _ accepted: [String]) -> AssuranceLevel {
            guard accepted.isEmpty else {
                return accepted.map { issuer.level(of: $0) }.max() ?? issuer.level
            }
            return max(issuer.level, issuer.levels.values.max() ?? .low)
        }
        switch method {
        case .certificate:
            return .high
        case .token:
            return authentication.issuers.compactMap { issuer in
                issuer.tokens.map { best(issuer, $0.contexts) }
            }.max()
        case .session:
            return authentication.signIn?.providers.compactMap { provider in
                guard authentication.issuers.indices.contains(provider.issuer) else { return nil }
                return best(authentication.issuers[provider.issuer], provider.acceptedContexts)
            }.max()
        case .pamTOTP:
            return authentication.accounts?.totpLevel
        case .pamWebAuthn:
            return authentication.accounts?.webAuthnLevel
        }
    }

    private func judgeSignIn() {
        guard let signIn = authentication.signIn else { return }
        if signIn.providers.isEmpty, authentication.accounts == nil {
            problems.error(
                signIn.place, "`sign_in` has nobody to sign in",
                hint: "add `providers`, or `accounts` to `authentication`")
        }
        for provider in signIn.providers
        where authentication.issuers.indices.contains(provider.issuer)
            && authentication.issuers[provider.issuer].clientID == nil
        {
            let issuer = authentication.issuers[provider.issuer]
            problems.error(
                provider.place,
                "issuer \(quoted(issuer.name)) needs `client_id` to be a provider",
                hint: "what the provider calls this gate")
        }
    }
}
