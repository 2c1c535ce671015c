// TokenRulesReading.swift: the keys that say which of an issuer's access tokens are accepted.

import Tokens

extension Reading {
    private static let tokenKeys = [
        "audience", "unsafe_any_audience", "clients", "scopes", "acr", "auth_mode", "amr",
        "lifetime_max", "binding", "hex_thumbprints", "introspection", "introspection_endpoint",
        "introspection_cache",
    ]

    /// Reads `tokens` into an issuer that has everything else.
    func readTokens(_ entry: Entry, _ rule: inout IssuerRule) {
        guard
            let fields = Fields(
                entry.value, of: "`tokens`", keys: Self.tokenKeys, problems: problems)
        else { return }
        var tokens = TokenRules(issuer: rule.issuer, algorithms: rule.algorithms)
        tokens.professionalClaim = rule.professionalClaim
        tokens.leeway = rule.leeway
        tokens.audiences = words("audience", fields, lengthMax: 512)
        tokens.acceptsAnyAudience = fields.optional("unsafe_any_audience", default: false) {
            (scalar) throws(Complaint) in try scalar.truth()
        }
        judgeAudience(fields, tokens)
        tokens.clients = words("clients", fields)
        tokens.scopes = words("scopes", fields)
        tokens.contexts = words("acr", fields)
        tokens.modes = words("auth_mode", fields)
        tokens.methods = words("amr", fields)
        tokens.lifetimeMax = fields.optional("lifetime_max", default: tokens.lifetimeMax) {
            (scalar) throws(Complaint) in try scalar.seconds(10...86_400)
        }
        tokens.binding = fields.optional("binding", default: tokens.binding) {
            (scalar) throws(Complaint) in try scalar.word(TokenBinding.self)
        }
        tokens.acceptsHexThumbprints = accepts("hex_thumbprints", of: fields)
        readIntrospection(fields, &rule)
        rule.tokens = tokens
    }

    private func judgeAudience(_ fields: Fields, _ tokens: TokenRules) {
        if let entry = fields["audience"] {
            if tokens.acceptsAnyAudience, let any = fields["unsafe_any_audience"] {
                problems.error(
                    any.place, "`unsafe_any_audience` beside `audience`",
                    hint: "one of them says what is meant")
            } else {
                refuseEmpty(entry, hint: "what the issuer writes in `aud` for this gate")
            }
        } else if !tokens.acceptsAnyAudience {
            problems.error(
                fields.place, "`tokens` needs `audience`",
                hint: "what the issuer writes in `aud` for this gate: "
                    + "a token made for another server must not open this one")
        }
    }

    private func readIntrospection(_ fields: Fields, _ rule: inout IssuerRule) {
        rule.introspection = fields.optional("introspection", default: rule.introspection) {
            (scalar) throws(Complaint) in try scalar.word(IssuerRule.Introspection.self)
        }
        rule.introspectionEndpoint = fields.optional("introspection_endpoint") {
            (scalar) throws(Complaint) in try scalar.webAddress().text
        }
        rule.introspectionCache = fields.optional(
            "introspection_cache", default: rule.introspectionCache
        ) { (scalar) throws(Complaint) in try scalar.seconds(0...3600) }
        guard rule.introspection != .never else {
            for key in ["introspection_endpoint", "introspection_cache"] {
                guard let entry = fields[key] else { continue }
                problems.error(
                    entry.place, "`\(key)` goes with `introspection: opaque` or `always` only")
            }
            return
        }
        if rule.clientID == nil {
            problems.error(
                fields.place(of: "introspection"), "introspection needs the issuer's `client_id`",
                hint: "who asks the issuer about a token says who it is")
        }
        if rule.introspectionEndpoint == nil, rule.discovery == nil, rule.issuer.hasPrefix("http") {
            rule.discovery = discoveryAddress(of: rule.issuer)
        }
    }

    /// Words of a list that, where it stands, asks for something.
    func words(_ key: String, _ fields: Fields, lengthMax: Int = 256) -> [String] {
        fields.texts(key, countMax: 64) { (scalar) throws(Complaint) in
            try scalar.token(lengthMax: lengthMax)
        }.map(\.value)
    }
}

extension TokenRules {
    /// Whether tokens given to `client` are accepted.
    func accepts(client: String) -> Bool { clients.isEmpty || clients.contains(client) }
}
