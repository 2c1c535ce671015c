// Registration.swift: a new key for an account, WebAuthn Level 3 §7.1.

/// The key that a browser registered, as `json` tells, a `RegistrationResponseJSON`.
///
/// `challenge` is the ceremony's, which its keeper has forgotten by now; `existing` are the keys
/// that this one must not be, those of the account at least (give those of all accounts, where
/// they are at hand: §7.1 step 26); `now` is in seconds since 1970.
package func verifyRegistration(
    _ json: Span<UInt8>, challenge: Challenge, party: RelyingParty, policy: AttestationPolicy,
    existing: [RegisteredKey] = [], name: String = "", now: Int64
) throws(WebAuthnRefusal) -> RegisteredKey {
    defer { forgetErrors() }
    let answer = try BrowserAnswer(json)
    let clientData = try answer.bytes("clientDataJSON", .clientData)
    try check(
        clientData: clientData, ceremony: .registration, challenge: challenge, party: party)
    let object: AttestationObject
    let text = try answer.bytes("attestationObject", .attestation)
    do { object = try AttestationObject(text) } catch { throw .malformed(.attestation) }
    let data = try authenticatorData(Array(object.bytes[object.authenticatorData]), party: party)
    guard let credential = data.credential else { throw .malformed(.authenticatorData) }
    guard data.bytes[credential.id].elementsEqual(answer.id) else { throw .differentIDs }
    let cose = Array(data.bytes[credential.publicKey])
    let key = try PublicKey(cose: cose)
    guard key.isUsable else { throw .unusableKey }
    guard !existing.contains(where: { $0.id == answer.id }) else { throw .alreadyRegistered }
    let clientDataHash = sha256(clientData)
    guard
        let library = FidoCredential(
            data, key: key, party: party, clientDataHash: clientDataHash)
    else { throw .malformed(.authenticatorData) }
    let model = try attestedModel(
        object, of: data, key: key, library: library, policy: policy, now: now)
    return RegisteredKey(
        id: answer.id, publicKey: cose, counter: data.counter, model: model,
        transports: answer.transports, name: clipped(name),
        mayBeBackedUp: data.flags.contains(.backupEligible),
        isBackedUp: data.flags.contains(.backedUp), registeredAt: now)
}

/// Authenticator data made for `party` with its user there and verified; both ceremonies.
func authenticatorData(
    _ bytes: [UInt8], party: RelyingParty
) throws(WebAuthnRefusal) -> AuthenticatorData {
    let data: AuthenticatorData
    do { data = try AuthenticatorData(bytes) } catch { throw .malformed(.authenticatorData) }
    guard data.partyHash.elementsEqual(sha256(Array(party.id.utf8))) else { throw .wrongParty }
    guard data.flags.contains(.userPresent) else { throw .userNotPresent }
    guard data.flags.contains(.userVerified) else { throw .userNotVerified }
    // §6.1.3: what cannot be backed up is not.
    guard data.flags.contains(.backupEligible) || !data.flags.contains(.backedUp) else {
        throw .inconsistentBackup
    }
    return data
}

/// The model, when policy wants it proven and it is; nil when policy does not ask.
private func attestedModel(
    _ object: AttestationObject, of data: AuthenticatorData, key: PublicKey,
    library: FidoCredential, policy: AttestationPolicy, now: Int64
) throws(WebAuthnRefusal) -> Model? {
    guard case .direct(let models, let authorities) = policy else { return nil }
    switch object.format {
    case "none": throw .noAttestation
    case "packed", "fido-u2f": break
    default: throw .unsupportedAttestation
    }
    let statement: AttestationStatement
    do { statement = try AttestationStatement(object) } catch { throw .malformed(.attestation) }
    // A key that vouches for itself proves no model.
    guard let certificates = statement.certificates, let leaf = certificates.first else {
        throw .noAttestation
    }
    // U2F knows one algorithm and does not name it; libfido2 takes no other of `packed`.
    let isPacked = object.format == "packed"
    guard statement.algorithm == (isPacked ? SignatureKind.es256.rawValue : nil),
        isPacked || key.kind == .es256
    else { throw .unsupportedAttestation }
    guard isPacked || certificates.count == 1 else { throw .malformed(.attestation) }
    guard
        library.isSigned(
            format: object.format, certificate: leaf, signature: statement.signature)
    else { throw .wrongAttestation }
    let said = data.credential.map { Array(data.bytes[$0.model]) } ?? []
    try authorities.check(certificates, model: said, isPacked: isPacked, now: now)
    // What U2F signs says nothing of a model: whatever stands there, anybody could have written.
    let model = isPacked ? Model(bytes: said) : nil
    guard models.isEmpty || model.map(models.contains) == true else {
        guard let model else { throw .noAttestation }
        throw .modelNotAllowed(model)
    }
    return model
}

/// `name` within what is kept, cut between characters.
private func clipped(_ name: String) -> String {
    var kept = name
    while kept.utf8.count > WebAuthnLimits.nameMax { kept.removeLast() }
    return kept
}
