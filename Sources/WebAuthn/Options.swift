// Options.swift: what a page gives `navigator.credentials`, as JSON, WebAuthn Level 3 §5.1.8–9.

internal import JSON

/// Whether and how an authenticator must say what it is.
package enum AttestationPolicy: Sendable {
    /// Anything may be registered; what it is stays unknown.
    case none
    /// Only what these authorities vouch for; of these models, of any when empty.
    case direct(models: Set<Model>, authorities: AttestationAuthorities)
}

/// Who a key is registered for.
package struct WebAuthnUser: Equatable, Sendable {
    /// The user handle: random bytes of the account's, never its name (§14.6.1).
    package var handle: [UInt8]
    package var name: String
    package var displayName: String

    package init(handle: [UInt8], name: String, displayName: String? = nil) {
        precondition(
            (1...WebAuthnLimits.userMax).contains(handle.count), "browsers refuse other handles")
        self.handle = handle
        self.name = name
        self.displayName = displayName ?? name
    }
}

/// Milliseconds that a browser waits for its user.
private let timeout: Int64 = 120_000

/// `PublicKeyCredentialCreationOptionsJSON` for a new key of `user` beside `existing`.
package func creationOptions(
    challenge: Challenge, party: RelyingParty, user: WebAuthnUser, existing: [RegisteredKey],
    policy: AttestationPolicy
) -> String {
    let algorithms = SignatureKind.allCases.map { kind in
        JSONValue.object([
            "type": .string("public-key"), "alg": JSONValue(integer: kind.rawValue),
        ])
    }
    let attestation =
        switch policy {
        case .none: "none"
        case .direct: "direct"
        }
    return text([
        "rp": .object(["id": .string(party.id), "name": .string(party.name)]),
        "user": .object([
            "id": .string(base64URL(user.handle)), "name": .string(user.name),
            "displayName": .string(user.displayName),
        ]),
        "challenge": .string(challenge.text),
        "pubKeyCredParams": .array(algorithms),
        "timeout": JSONValue(integer: timeout),
        "excludeCredentials": descriptors(existing),
        "authenticatorSelection": .object([
            "residentKey": .string("discouraged"), "userVerification": .string("required"),
        ]),
        "attestation": .string(attestation),
    ])
}

/// `PublicKeyCredentialRequestOptionsJSON` for one of `keys`.
package func requestOptions(
    challenge: Challenge, party: RelyingParty, keys: [RegisteredKey]
) -> String {
    text([
        "challenge": .string(challenge.text),
        "timeout": JSONValue(integer: timeout),
        "rpId": .string(party.id),
        "allowCredentials": descriptors(keys),
        "userVerification": .string("required"),
    ])
}

private func descriptors(_ keys: [RegisteredKey]) -> JSONValue {
    .array(
        keys.map { key in
            .object([
                "type": .string("public-key"), "id": .string(base64URL(key.id)),
                "transports": .array(key.transports.map(JSONValue.string)),
            ])
        })
}

private func text(_ object: JSONObject) -> String {
    String(decoding: JSONValue.object(object).encoded, as: UTF8.self)
}
