// Options.swift: what a page gives `navigator.credentials`, as JSON, WebAuthn Level 3 §5.1.8–9.

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
private let timeout = 120_000

/// `PublicKeyCredentialCreationOptionsJSON` for a new key of `user` beside `existing`.
package func creationOptions(
    challenge: Challenge, party: RelyingParty, user: WebAuthnUser, existing: [RegisteredKey],
    policy: AttestationPolicy
) -> String {
    let algorithms = SignatureKind.allCases.map {
        "{\"type\":\"public-key\",\"alg\":\($0.rawValue)}"
    }
    let attestation =
        switch policy {
        case .none: "none"
        case .direct: "direct"
        }
    return """
        {"rp":{"id":\(quoted(party.id)),"name":\(quoted(party.name))},\
        "user":{"id":"\(base64URL(user.handle))","name":\(quoted(user.name)),\
        "displayName":\(quoted(user.displayName))},\
        "challenge":"\(challenge.text)",\
        "pubKeyCredParams":[\(algorithms.joined(separator: ","))],\
        "timeout":\(timeout),\
        "excludeCredentials":[\(descriptors(existing))],\
        "authenticatorSelection":{"residentKey":"discouraged","userVerification":"required"},\
        "attestation":"\(attestation)"}
        """
}

/// `PublicKeyCredentialRequestOptionsJSON` for one of `keys`.
package func requestOptions(
    challenge: Challenge, party: RelyingParty, keys: [RegisteredKey]
) -> String {
    """
    {"challenge":"\(challenge.text)","timeout":\(timeout),"rpId":\(quoted(party.id)),\
    "allowCredentials":[\(descriptors(keys))],"userVerification":"required"}
    """
}

private func descriptors(_ keys: [RegisteredKey]) -> String {
    keys.map { key in
        let transports = key.transports.map(quoted).joined(separator: ",")
        let hint = transports.isEmpty ? "" : ",\"transports\":[\(transports)]"
        return "{\"type\":\"public-key\",\"id\":\"\(base64URL(key.id))\"\(hint)}"
    }.joined(separator: ",")
}
