// Assertion.swift: `Herse-Assertion`: a signed statement for the identity server of who asks.
//
// Signed once for a person and server, and sent again until half its life is over: a signature
// costs more than all the rest of a request.

internal import Identity
internal import JSON
internal import Policy
internal import Tokens
internal import Wire

/// A statement as it was signed.
struct SignedAssertion {
    /// `Herse-Assertion: …` and CRLF.
    let field: [UInt8]
    let server: Int
    /// Seconds since 1970 at which it was signed, and after which another is.
    let signedAt: Int64
    let until: Int64
    /// Under whose rules it was.
    let generation: UInt64
}

extension WorkerCore {
    /// The line that states who asks, for the identity server of a route; empty when it cannot be
    /// signed: then nothing is stated.
    func assertion(
        of identity: ProvenIdentity, for route: PreparedRoute, _ generation: Generation
    ) -> [UInt8] {
        let now = clock.wallSeconds
        // Neither is one from a time that the clock has since been put back from.
        if let kept = identity.assertion, kept.server == route.server, kept.until > now,
            kept.signedAt <= now,
            kept.generation == generation.number
        {
            return kept.field
        }
        guard let rule = generation.configuration.authentication.assertion,
            let keys = generation.ways.assertion,
            let token = keys.sign(
                claims: claims(of: identity, rule, route, generation, now), now: now)
        else { return [] }
        let field = Array("Herse-Assertion: ".utf8) + token + [0x0D, 0x0A]
        identity.assertion = SignedAssertion(
            field: field, server: route.server, signedAt: now, until: now + rule.lifetime / 2,
            generation: generation.number)
        return field
    }

    private func claims(
        of identity: ProvenIdentity, _ rule: AssertionRule, _ route: PreparedRoute,
        _ generation: Generation, _ now: Int64
    ) -> [UInt8] {
        let credential = identity.credential
        let server = generation.configuration.identityServers[route.server].name
        var claims: JSONObject = [
            "iss": .string(rule.issuer), "aud": .string(server), "iat": .number(String(now)),
            "exp": .number(String(now + rule.lifetime)),
            "method": .string(credential.method.rawValue),
            "level": .string(credential.level.rawValue),
        ]
        func add(_ key: String, _ value: String?) {
            if let value, !value.isEmpty { claims[key] = .string(value) }
        }
        add("sub", String(decoding: identity.professional, as: UTF8.self))
        add("structure", String(decoding: identity.structure, as: UTF8.self))
        add("organisation", String(decoding: identity.organisation, as: UTF8.self))
        add("client_id", credential.client)
        if let provenAt = credential.provenAt, provenAt > 0 {
            claims["auth_time"] = .number(String(provenAt))
        }
        return JSONValue.object(claims).encoded
    }
}
