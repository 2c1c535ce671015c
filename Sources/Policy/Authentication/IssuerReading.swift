// IssuerReading.swift: the keys of an issuer of tokens, their bounds and defaults.

import Identity
import Tokens

/// Where an issuer tells its endpoints unless its configuration says otherwise, OpenID Connect
/// Discovery §4: a last slash of the issuer is left out.
func discoveryAddress(of issuer: String) -> String {
    (issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer)
        + "/.well-known/openid-configuration"
}

extension Reading {
    private static let issuerKeys = [
        "name", "issuer", "discovery", "keys", "authorities", "client_certificate", "refresh",
        "keep", "algorithms", "professional_id", "leeway", "client_id", "client_secret", "level",
        "levels", "tokens",
    ]

    func issuer(_ value: Value) -> IssuerRule? {
        guard
            let fields = Fields(
                value, of: "an issuer", keys: Self.issuerKeys, problems: problems)
        else { return nil }
        let name = fields.required("name") { (scalar) throws(Complaint) in try scalar.name() }
        let issuer = fields.required("issuer") { (scalar) throws(Complaint) in
            try scalar.token(lengthMax: 512)
        }
        var rule = IssuerRule(
            name: name ?? "?", place: value.place, issuer: issuer ?? "?",
            algorithms: algorithms(fields))
        rule.professionalClaim = fields.optional("professional_id", default: "SubjectNameID") {
            (scalar) throws(Complaint) in try scalar.token(lengthMax: 128)
        }
        rule.leeway = fields.optional("leeway", default: rule.leeway) {
            (scalar) throws(Complaint) in try scalar.seconds(0...300)
        }
        rule.clientID = fields.optional("client_id") { (scalar) throws(Complaint) in
            try scalar.token()
        }
        rule.clientSecret = fields.optional("client_secret") { (scalar) throws(Complaint) in
            try secretFile(scalar)
        }
        if let entry = fields["client_secret"], fields["client_id"] == nil {
            problems.error(entry.place, "`client_secret` needs `client_id`")
        }
        rule.authorities = fields.optional("authorities") { (scalar) throws(Complaint) in
            try file(scalar)
        }
        rule.clientCertificate = fields["client_certificate"].flatMap { clientCertificate($0) }
        readLevels(fields, &rule)
        readAddresses(fields, &rule, hasIssuer: issuer != nil)
        if let entry = fields["tokens"] { readTokens(entry, &rule) }
        return name == nil || issuer == nil ? nil : rule
    }

    func algorithms(_ fields: Fields) -> Set<SignatureAlgorithm> {
        guard let entry = fields["algorithms"] else {
            return [.es256, .es384, .ps256, .rs256, .edDSA]
        }
        refuseEmpty(entry)
        let read = fields.texts("algorithms", countMax: 32) { (scalar) throws(Complaint) in
            guard !["none", "HS256", "HS384", "HS512"].contains(scalar.text) else {
                throw Complaint(
                    "\(quoted(scalar.text)) is never accepted",
                    hint: "whoever can check such a token can make one")
            }
            return try scalar.word(SignatureAlgorithm.self)
        }
        return Set(read.map(\.value))
    }

    func clientCertificate(_ entry: Entry) -> CertificatePair? {
        guard
            let fields = Fields(
                entry.value, of: "`client_certificate`", keys: ["certificate", "private_key"],
                problems: problems)
        else { return nil }
        let certificate = fields.required("certificate") { (scalar) throws(Complaint) in
            try file(scalar)
        }
        let key = fields.required("private_key") { (scalar) throws(Complaint) in
            try secretFile(scalar)
        }
        guard let certificate, let key else { return nil }
        return CertificatePair(certificate: certificate, privateKey: key)
    }

    private func readLevels(_ fields: Fields, _ rule: inout IssuerRule) {
        rule.level = fields.optional("level", default: rule.level) {
            (scalar) throws(Complaint) in try scalar.word(AssuranceLevel.self)
        }
        guard let entry = fields["levels"] else { return }
        guard case .mapping(let entries) = entry.value.content else {
            problems.error(
                entry.value.place, "`levels` must be a mapping, not \(entry.value.kind)",
                hint: "write `{eidas1: substantial}`")
            return
        }
        guard entries.count <= 64 else {
            problems.error(
                entry.place, "`levels` has \(entries.count) items, at most 64 are allowed")
            return
        }
        for context in entries {
            let word = Scalar(text: context.key, isQuoted: false, place: context.place)
            do {
                _ = try word.token()
            } catch {
                problems.error(context.place, error)
            }
            rule.levels[context.key] = scalar(context.value, called: context.key, problems) {
                (scalar) throws(Complaint) in try scalar.word(AssuranceLevel.self)
            }
        }
    }

    private func readAddresses(_ fields: Fields, _ rule: inout IssuerRule, hasIssuer: Bool) {
        rule.refresh = fields.optional("refresh", default: rule.refresh) {
            (scalar) throws(Complaint) in try scalar.seconds(1...86_400)
        }
        rule.keep = fields.optional("keep", default: max(rule.keep, rule.refresh)) {
            (scalar) throws(Complaint) in try scalar.seconds(1...30 * 86_400)
        }
        if rule.keep < rule.refresh, let entry = fields["keep"] {
            problems.error(
                entry.place, "keys are kept for less than the time between two fetches",
                hint: "`keep` at least `refresh`, \(shown(.seconds(rule.refresh)))")
        }
        rule.discovery = fields.optional("discovery") { (scalar) throws(Complaint) in
            try scalar.webAddress().text
        }
        rule.keys = fields.optional("keys") {
            (scalar) throws(Complaint) -> IssuerRule.KeySource in
            let isAddress = scalar.text.hasPrefix("http://") || scalar.text.hasPrefix("https://")
            return isAddress ? .url(try scalar.webAddress().text) : .file(try file(scalar))
        }
        guard fields["discovery"] == nil, fields["keys"] == nil, hasIssuer,
            let entry = fields["issuer"]
        else { return }
        // What is to be asked must be an address; what is only compared need not be.
        rule.discovery = scalar(entry.value, called: "issuer", problems) {
            (scalar) throws(Complaint) in
            guard !scalar.text.contains("?") else {
                throw Complaint(
                    "\(quoted(scalar.text)) has a query", hint: "say where with `discovery`")
            }
            return discoveryAddress(of: try scalar.webAddress().text)
        }
    }

    /// A file that nobody but its owner may read.
    func secretFile(_ scalar: Scalar) throws(Complaint) -> FileReference {
        let reference = try file(scalar)
        if filesMustExist, isReadableByOthers(reference.path) {
            throw Complaint(
                "\(quoted(reference.path, shownMax: 240)) is open to others than its owner",
                hint: "chmod 600")
        }
        return reference
    }

    /// An empty list accepts nobody, or anybody: it never says which.
    func refuseEmpty(_ entry: Entry, hint: String? = nil) {
        if isEmptyList(entry) {
            problems.error(entry.place, "`\(entry.key)` is empty", hint: hint)
        }
    }
}
