// SessionRules.swift: what a configuration means for the sessions that live already.

internal import Policy
internal import SignIn

extension SessionStore {
    /// Ends the sessions that the configuration now in force gives nobody a way to begin, and lets
    /// the others live no longer than it says.
    func obey(_ authentication: Authentication) {
        var lifetimes = SessionLifetimes()
        if let rule = authentication.signIn {
            lifetimes.idle = rule.idle
            lifetimes.absolute = rule.absolute
            lifetimes.perProfessionalMax = rule.sessionsMax
        }
        apply(lifetimes)
        let providers = Set(
            (authentication.signIn?.providers ?? []).map {
                authentication.issuers[$0.issuer].issuer
            })
        let hasAccounts = authentication.signIn != nil && authentication.accounts != nil
        endAll(.configuration) { session in
            session.issuer.map { !providers.contains($0) } ?? !hasAccounts
        }
    }
}
