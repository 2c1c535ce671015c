// AuthenticationReading.swift: the keys under `authentication`, top level first.

import Identity

extension Reading {
    /// What `authentication` says; `listeners` are those `sign_in` can name.
    func authentication(
        _ entry: Entry?, listeners: Names
    ) -> (certificate: CertificateAuthentication, others: Authentication) {
        var others = Authentication()
        let standard = CertificateAuthentication(
            rule: CertificateRule(), organisationsPlace: nil, nonNominativePlace: nil)
        let keys = ["certificate", "issuers", "sign_in", "accounts", "directory", "assertion"]
        guard let entry,
            let ways = Fields(entry.value, of: "`authentication`", keys: keys, problems: problems)
        else { return (standard, others) }
        let certificate = ways["certificate"].map { certificateAuthentication($0) } ?? standard
        let values = ways.list("issuers", countMax: IssuerRule.countMax)
        others.issuers = values.compactMap { issuer($0) }
        refuseDuplicates(others.issuers.map { ($0.name, $0.place) }, of: "issuer")
        refuseSameIssuer(others.issuers)
        let written = names(in: values)
        let issuers = Names(
            built: others.issuers.map(\.name), written: written,
            areAllKnown: ways["issuers"] == nil || !written.isEmpty)
        others.signIn = ways["sign_in"].flatMap { signIn($0, issuers, listeners) }
        others.accounts = ways["accounts"].flatMap { accounts($0) }
        others.directory = ways["directory"].flatMap { directory($0) }
        others.assertion = ways["assertion"].flatMap { assertion($0) }
        findDiscovery(&others)
        requireAuthorities(others.issuers)
        return (certificate, others)
    }

    private func certificateAuthentication(_ entry: Entry) -> CertificateAuthentication {
        let fields = Fields(
            entry.value, of: "`authentication.certificate`",
            keys: ["professional_id", "organisations", "non_nominative"], problems: problems)
        let attribute = fields?.optional("professional_id", attribute) ?? .commonName
        func accepts(_ key: String) -> Bool { fields.map { self.accepts(key, of: $0) } ?? false }
        return CertificateAuthentication(
            rule: CertificateRule(
                attribute: attribute, acceptsOrganisations: accepts("organisations"),
                acceptsNonNominative: accepts("non_nominative")),
            organisationsPlace: fields?["organisations"]?.place,
            nonNominativePlace: fields?["non_nominative"]?.place)
    }

    private func attribute(_ scalar: Scalar) throws(Complaint) -> AttributeName {
        guard let name = AttributeName(scalar.text) else {
            let near = nearest(to: scalar.text, among: AttributeName.words)
            throw Complaint(
                "unknown attribute \(quoted(scalar.text))",
                hint: near.map { "did you mean `\($0)`?" }
                    ?? "such as `CN`, or an object identifier such as `2.5.4.3`")
        }
        return name
    }

    /// Whether `refuse` or `accept` stands under `key`.
    func accepts(_ key: String, of fields: Fields, default standard: Acceptance = .refuse) -> Bool {
        fields.optional(key, default: standard) { (scalar) throws(Complaint) in
            try scalar.word(Acceptance.self)
        } == .accept
    }

    /// A token would be judged by the rules of whichever came first.
    private func refuseSameIssuer(_ issuers: [IssuerRule]) {
        for (index, issuer) in issuers.enumerated() {
            guard let first = issuers[..<index].first(where: { $0.issuer == issuer.issuer }) else {
                continue
            }
            problems.error(
                issuer.place,
                "issuer \(quoted(issuer.name)) is \(quoted(issuer.issuer)) like "
                    + quoted(first.name),
                hint: "first at \(first.place); rules of one issuer stand together")
        }
    }

    /// Where a provider's endpoints are told, for one whose `keys` alone were named.
    private func findDiscovery(_ authentication: inout Authentication) {
        for provider in authentication.signIn?.providers ?? []
        where authentication.issuers.indices.contains(provider.issuer)
            && authentication.issuers[provider.issuer].discovery == nil
        {
            let issuer = authentication.issuers[provider.issuer].issuer
            authentication.issuers[provider.issuer].discovery = discoveryAddress(of: issuer)
        }
    }

    private func requireAuthorities(_ issuers: [IssuerRule]) {
        for issuer in issuers where issuer.authorities == nil && issuer.isAskedOverTLS {
            problems.error(
                issuer.place,
                "issuer \(quoted(issuer.name)) is asked by https, without `authorities`",
                hint: "who signs its certificate; the system's store is never used")
        }
    }
}

extension IssuerRule {
    /// The addresses it is asked at, as far as the configuration tells.
    var addresses: [String] {
        var addresses = [discovery, introspectionEndpoint].compactMap(\.self)
        if case .url(let url) = keys { addresses.append(url) }
        return addresses
    }

    fileprivate var isAskedOverTLS: Bool { addresses.contains { $0.hasPrefix("https://") } }
}

/// Whether somebody may pass.
enum Acceptance: String, CaseIterable {
    case refuse
    case accept
}
