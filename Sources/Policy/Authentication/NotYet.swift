// NotYet.swift: what is understood of a configuration and not yet enforced: it is never accepted.

extension Reading {
    /// Refuses every key whose promise this version would not keep.
    func refuseWhatIsNotYet(_ configuration: Configuration) {
        let authentication = configuration.authentication
        var found: [(SourceLocation, String)] = []
        for issuer in authentication.issuers {
            if issuer.introspection != .never { found.append((issuer.place, "`introspection`")) }
            if case .file = issuer.keys { continue }
            found.append((issuer.place, "to fetch keys (name a file in `keys`)"))
        }
        if let rule = authentication.signIn { found.append((rule.place, "`sign_in`")) }
        if let rule = authentication.accounts { found.append((rule.place, "`accounts`")) }
        if let rule = authentication.directory { found.append((rule.place, "`directory`")) }
        if let rule = authentication.assertion { found.append((rule.place, "`assertion`")) }
        for listener in configuration.listeners {
            if listener.tls.ocsp != nil { found.append((listener.place, "`ocsp`")) }
            if !listener.tls.revocationSources.isEmpty {
                found.append((listener.place, "`url` of a revocation list"))
            }
        }
        for (place, what) in found {
            problems.error(place, "\(what) is not available in this version")
        }
    }
}
