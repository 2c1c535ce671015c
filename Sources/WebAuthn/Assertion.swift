// Assertion.swift: a registered key that is used, WebAuthn Level 3 §7.2.

/// The key that signed, with its new counter, as `json` tells, an `AuthenticationResponseJSON`.
///
/// What is returned must be kept before anything is opened: its counter is what tells a copy.
/// `challenge` is the ceremony's, which its keeper has forgotten by now; `user` is the account's
/// handle, `keys` are the account's; `now` is in seconds since 1970.
package func verifyAssertion(
    _ json: Span<UInt8>, challenge: Challenge, party: RelyingParty, user: [UInt8],
    keys: [RegisteredKey], now: Int64
) throws(WebAuthnRefusal) -> RegisteredKey {
    defer { forgetErrors() }
    let answer = try BrowserAnswer(json)
    guard var key = keys.first(where: { $0.id == answer.id }) else { throw .unknownKey }
    if let handle = try answer.userHandle(), handle != user { throw .otherUser }
    let clientData = try answer.bytes("clientDataJSON", .clientData)
    try check(clientData: clientData, ceremony: .assertion, challenge: challenge, party: party)
    let data = try authenticatorData(
        try answer.bytes("authenticatorData", .authenticatorData), party: party)
    // §6.1: a key that signs does not show a new one.
    guard data.credential == nil, data.bytes.count <= WebAuthnLimits.assertionDataMax else {
        throw .malformed(.authenticatorData)
    }
    // Whether a key may be backed up is decided when it is made.
    guard data.flags.contains(.backupEligible) == key.mayBeBackedUp else {
        throw .inconsistentBackup
    }
    let signature = try answer.bytes("signature", .signature)
    guard (1...WebAuthnLimits.signatureMax).contains(signature.count) else {
        throw .malformed(.signature)
    }
    guard
        try PublicKey(cose: key.publicKey).signed(
            data, clientDataHash: sha256(clientData), signature: signature, party: party)
    else { throw .wrongSignature }
    // Asked last, of what is proven: nobody else may raise this alarm.
    guard data.counter > key.counter || (data.counter == 0 && key.counter == 0) else {
        throw .counterWentBack(kept: key.counter, received: data.counter)
    }
    key.counter = data.counter
    key.isBackedUp = data.flags.contains(.backedUp)
    key.usedAt = now
    return key
}
