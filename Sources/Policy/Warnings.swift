// Warnings.swift: what is valid, and yet unlikely to be what was meant.

import Identity
import Tokens

func warn(of configuration: Configuration, _ problems: Problems) {
    let routes = configuration.routes
    for (index, route) in routes.enumerated() {
        warnOfShadow(route, by: routes[..<index], problems)
        warnOfLastSlash(route, at: index, routes, problems)
        if route.lookups != .none, route.limits == nil {
            problems.warning(
                route.place, "route \(quoted(route.name)) discloses identities without limits",
                hint: "add `limits`")
        }
    }
    for (index, set) in configuration.limitSets.enumerated() {
        warnOfUncountedPatients(set, index, routes, problems)
    }
    for (index, set) in configuration.limitSets.enumerated()
    where !routes.contains(where: {
        $0.limits == index || $0.lookupRules?.breakGlass?.limits == index
            || $0.machines?.limits == index
    }) {
        problems.warning(set.place, "limits \(quoted(set.name)) is not used by any route")
    }
    for (index, extractor) in configuration.extractors.enumerated()
    where !routes.contains(where: { $0.lookups == .declared(index) }) {
        problems.warning(
            extractor.place, "extractor \(quoted(extractor.name)) is not used by any route")
    }
    for (index, server) in configuration.identityServers.enumerated()
    where !routes.contains(where: { $0.identityServer == index }) {
        problems.warning(
            server.place, "identity server \(quoted(server.name)) is not used by any route")
    }
    for (index, listener) in configuration.listeners.enumerated() {
        warnOfUselessListener(listener, index, routes, problems)
    }
    warnOfUnusedProofs(configuration, problems)
}

/// A thief who asks slowly meets no limit but that on patients.
private func warnOfUncountedPatients(
    _ set: LimitSet, _ index: Int, _ routes: [Route], _ problems: Problems
) {
    let disclosing = routes.first { $0.lookups != .none && $0.limits == index }
    guard let disclosing, !set.limits.contains(where: { $0.count == .patients }) else { return }
    problems.warning(
        set.place,
        "limits \(quoted(set.name)) count no patients, though route \(quoted(disclosing.name)) "
            + "discloses them",
        hint: "add `{count: patients, limit: 600, per: 30d}`")
}

private func warnOfUselessListener(
    _ listener: Listener, _ index: Int, _ routes: [Route], _ problems: Problems
) {
    if !routes.contains(where: { $0.listeners.contains(index: index) }) {
        problems.warning(listener.place, "listener \(quoted(listener.name)) has no route")
    } else if listener.tls.clientCertificate == .none {
        let own = routes.filter { $0.listeners.contains(index: index) }
        let deaf = own.filter { $0.requirements == [.certificate] }
        guard let first = deaf.first else { return }
        problems.warning(
            listener.place, "listener \(quoted(listener.name)) asks for no client certificate",
            hint: (deaf.count == own.count
                ? "its routes require one" : "route \(quoted(first.name)) requires one")
                + " and will answer 401")
    }
}

/// Proofs that are configured, and that no route accepts.
private func warnOfUnusedProofs(_ configuration: Configuration, _ problems: Problems) {
    let authentication = configuration.authentication
    func isRequired(_ methods: Set<ProofMethod>) -> Bool {
        configuration.routes.contains { !methods.isDisjoint(with: $0.requirements) }
    }
    for (index, issuer) in authentication.issuers.enumerated() {
        let isProvider = authentication.signIn?.providers.contains { $0.issuer == index } ?? false
        guard !(issuer.tokens != nil && isRequired([.token])) && !isProvider else { continue }
        problems.warning(
            issuer.place, "issuer \(quoted(issuer.name)) is not used",
            hint: issuer.tokens == nil
                ? "add `tokens`, or name it in `sign_in.providers`" : "no route requires `token`")
    }
    if let signIn = authentication.signIn, !isRequired([.session, .pamTOTP, .pamWebAuthn]) {
        problems.warning(
            signIn.place, "`sign_in` is not used",
            hint: "no route requires `session`, `pam+totp` or `pam+webauthn`")
    }
    if let accounts = authentication.accounts, !isRequired([.pamTOTP, .pamWebAuthn]) {
        problems.warning(
            accounts.place, "`accounts` are not used",
            hint: "no route requires `pam+totp` or `pam+webauthn`")
    }
    for issuer in authentication.issuers where issuer.tokens?.acceptsAnyAudience == true {
        problems.warning(
            issuer.place,
            "issuer \(quoted(issuer.name)) has tokens accepted that were made for others",
            hint: "replace `unsafe_any_audience` by `audience`")
    }
    warnOfUnshownCertificates(configuration, problems)
}

/// A token tied to a certificate passes only on a connection that shows one.
private func warnOfUnshownCertificates(_ configuration: Configuration, _ problems: Problems) {
    let bound = configuration.authentication.issuers.filter { $0.tokens != nil }
    guard let issuer = bound.first, bound.allSatisfy({ $0.tokens?.binding == .certificate }) else {
        return
    }
    for (index, listener) in configuration.listeners.enumerated()
    where listener.tls.clientCertificate == .none {
        guard
            let route = configuration.routes.first(where: {
                $0.listeners.contains(index: index) && $0.requirements.contains(.token)
            })
        else { continue }
        problems.warning(
            listener.place,
            "listener \(quoted(listener.name)) asks for no client certificate, to which issuer "
                + "\(quoted(issuer.name)) ties its tokens",
            hint: "route \(quoted(route.name)) will accept none of them")
    }
}

/// A route whose every request meets an earlier one is never reached.
private func warnOfShadow(_ route: Route, by earlier: ArraySlice<Route>, _ problems: Problems) {
    var methods: Methods = []
    var first: Route?
    for other in earlier
    where covers(other.path, route.path) && other.listeners.isSuperset(of: route.listeners) {
        if !other.methods.isDisjoint(with: route.methods) { first = first ?? other }
        methods.formUnion(other.methods)
    }
    guard let first, methods.isSuperset(of: route.methods) else { return }
    problems.warning(
        route.place, "route \(quoted(route.name)) is never reached",
        hint: "\(quoted(first.name)) at \(first.place) comes first")
}

/// `/fhir/Patient` is refused where `/fhir/Patient/` stands before a route that would take it: an
/// operator should learn it here, not from a 400.
private func warnOfLastSlash(
    _ route: Route, at index: Int, _ routes: [Route], _ problems: Problems
) {
    guard route.path.utf8.count > 1, route.path.hasSuffix("/") else { return }
    let bare = String(route.path.dropLast())
    let taker = routes.first { other in
        covers(other.path, bare) && !other.listeners.isDisjoint(with: route.listeners)
            && !other.methods.isDisjoint(with: route.methods)
    }
    guard let taker, taker.path != bare,
        let position = routes.firstIndex(where: { $0.place == taker.place }), position > index
    else { return }
    problems.warning(
        route.pathPlace,
        "\(quoted(bare)), without the last slash, is refused rather than given to route "
            + quoted(taker.name),
        hint: "add a route with this path")
}

/// Whether every path of `inner` is one of `outer`.
private func covers(_ outer: String, _ inner: String) -> Bool {
    outer.hasSuffix("/") ? inner.hasPrefix(outer) : outer == inner
}
