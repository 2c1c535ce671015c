// SignInReading.swift: the keys of the gate's own pages and of who browsers are sent to.

extension Reading {
    func signIn(_ entry: Entry, _ issuers: Names, _ listeners: Names) -> SignInRule? {
        let keys = ["url", "listeners", "idle", "absolute", "sessions", "providers"]
        guard
            let fields = Fields(entry.value, of: "`sign_in`", keys: keys, problems: problems)
        else { return nil }
        let url = fields.required("url") { (scalar) throws(Complaint) in try scalar.origin() }
        var rule = SignInRule(place: entry.place, url: url ?? "")
        rule.listeners = listenerSet(fields, listeners)
        rule.idle = fields.optional("idle", default: rule.idle) { (scalar) throws(Complaint) in
            try scalar.seconds(1...86_400)
        }
        rule.absolute = fields.optional("absolute", default: max(rule.absolute, rule.idle)) {
            (scalar) throws(Complaint) in try scalar.seconds(1...7 * 86_400)
        }
        if rule.absolute < rule.idle, let place = (fields["absolute"] ?? fields["idle"])?.place {
            problems.error(
                place, "a session would end before it can be idle",
                hint: "`absolute` at least `idle`, \(shown(.seconds(rule.idle)))")
        }
        rule.sessionsMax = fields.optional("sessions", default: rule.sessionsMax) {
            (scalar) throws(Complaint) in try scalar.number(1...1000)
        }
        rule.providers = fields.list("providers", countMax: IssuerRule.countMax)
            .compactMap { provider($0, issuers) }
        refuseRepeated(rule.providers)
        return rule
    }

    private func provider(_ value: Value, _ issuers: Names) -> ProviderRule? {
        let keys = ["issuer", "label", "scopes", "acr_values", "acr"]
        guard let fields = Fields(value, of: "a provider", keys: keys, problems: problems) else {
            return nil
        }
        let issuer = fields.required("issuer") { (scalar) throws(Complaint) in
            try issuers.index(of: scalar.text, kind: "issuer")
        }
        let label = fields.required("label") { (scalar) throws(Complaint) in try scalar.line() }
        guard let issuer, let label else { return nil }
        var rule = ProviderRule(issuer: issuer, label: label, place: value.place)
        if let entry = fields["scopes"] {
            rule.scopes = words("scopes", fields)
            if !rule.scopes.contains("openid") {
                problems.error(
                    entry.place, "`scopes` lacks `openid`",
                    hint: "without it there is no id token, which says who signed in")
            }
        }
        rule.contexts = words("acr_values", fields)
        rule.acceptedContexts = fields["acr"] == nil ? rule.contexts : words("acr", fields)
        if let entry = fields["acr"] { refuseEmpty(entry, hint: "remove it to mean `acr_values`") }
        return rule
    }

    private func refuseRepeated(_ providers: [ProviderRule]) {
        for (index, provider) in providers.enumerated() {
            guard let first = providers[..<index].first(where: { $0.issuer == provider.issuer })
            else { continue }
            problems.error(
                provider.place, "an issuer is a provider twice", hint: "first at \(first.place)")
        }
    }
}
