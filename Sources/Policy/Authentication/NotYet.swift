// NotYet.swift: what is understood of a configuration and not yet enforced: it is never accepted.

extension Reading {
    /// Refuses every key whose promise this version would not keep.
    func refuseWhatIsNotYet(_ configuration: Configuration) {
        var found: [(SourceLocation, String)] = []
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
