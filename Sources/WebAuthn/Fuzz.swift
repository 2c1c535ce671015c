// Fuzz.swift: the one door for a fuzz target: any bytes, wherever a browser may put them.

/// Feeds `bytes` to every reader of this module; nothing may trap, whatever they hold.
///
/// The first byte says where the rest is put: the JSON itself, the attestation object, the
/// authenticator data of a new key, or those of an assertion. What is around it is sound, since
/// no fuzzer would come past the challenge otherwise.
package func fuzzWebAuthn(_ bytes: Span<UInt8>) {
    guard bytes.count > 0, let challenge = Challenge(text: String(repeating: "A", count: 43)),
        let authorities = AttestationAuthorities(pem: fuzzAuthority)
    else { return }
    let rest = (1..<bytes.count).map { bytes[$0] }
    let party = RelyingParty(id: "example.org", origin: "https://example.org")
    let hash = sha256(Array(party.id.utf8))
    var texts: [[UInt8]] = []
    switch bytes[0] % 4 {
    case 0: texts = [rest]
    case 1: texts = [registration(rest, challenge)]
    case 2:
        let data = hash + rest
        let object =
            [0xa3, 0x63] + Array("fmt".utf8) + [0x64] + Array("none".utf8) + [0x67]
            + Array("attStmt".utf8) + [0xa0, 0x68] + Array("authData".utf8)
            + [0x59, UInt8(data.count >> 8 & 0xff), UInt8(data.count & 0xff)] + data
        texts = [registration(object, challenge)]
    default: texts = [assertion(hash + rest, challenge)]
    }
    for text in texts {
        let direct = AttestationPolicy.direct(models: [], authorities: authorities)
        for policy in [AttestationPolicy.none, direct] {
            do {
                let key = try verifyRegistration(
                    text.span, challenge: challenge, party: party, policy: policy, now: 0)
                precondition(RegisteredKey(text: key.text) == key, "a key reads back")
                precondition(key.id.count <= WebAuthnLimits.idMax, "bounded")
                let again = try? verifyRegistration(
                    text.span, challenge: challenge, party: party, policy: policy,
                    existing: [key], now: 0)
                precondition(again == nil, "no key twice")
            } catch {
                precondition(!error.word.isEmpty, "every refusal has a word")
            }
        }
        let key = RegisteredKey(id: [0], publicKey: fuzzKey)
        let used = try? verifyAssertion(
            text.span, challenge: challenge, party: party, user: [1], keys: [key], now: 0)
        precondition(used == nil, "nobody has this key")
    }
}

private func registration(_ object: [UInt8], _ challenge: Challenge) -> [UInt8] {
    // The id is found where libfido2 and we must find it; any other is refused, which is fine.
    let id =
        (try? AttestationObject(object)).flatMap { object in
            (try? AuthenticatorData(Array(object.bytes[object.authenticatorData]))).flatMap {
                data in
                data.credential.map { Array(data.bytes[$0.id]) }
            }
        } ?? [0]
    return answer(
        id, "webauthn.create", challenge, #""attestationObject":"\#(base64URL(object))""#)
}

private func assertion(_ data: [UInt8], _ challenge: Challenge) -> [UInt8] {
    let signature = Array(data.suffix(72))
    return answer(
        [0], "webauthn.get", challenge,
        #""authenticatorData":"\#(base64URL(data))","signature":"\#(base64URL(signature))""#)
}

private func answer(
    _ id: [UInt8], _ type: String, _ challenge: Challenge, _ response: String
) -> [UInt8] {
    let clientData = """
        {"type":"\(type)","challenge":"\(challenge.text)","origin":"https://example.org"}
        """
    return Array(
        """
        {"id":"\(base64URL(id))","rawId":"\(base64URL(id))","type":"public-key",\
        "response":{"clientDataJSON":"\(base64URL(Array(clientData.utf8)))",\(response)}}
        """.utf8)
}

/// A key of Ed25519 that nobody has: the encoding of a point, of §16.11 of the specification.
private let fuzzKey =
    bytes(ofBase64URL: "pAEBAycgBiFYIETgbd0zHDao3GZ7q1K8rmNIbJFqpeM55qzrqoSTS_gy") ?? []

/// Anything that can be read as an authority.
private let fuzzAuthority: [UInt8] = Array(
    """
    -----BEGIN CERTIFICATE-----
    MIIBiTCCAS+gAwIBAgIURL7H+5GgtxCBBskmibvegiiHW1QwCgYIKoZIzj0EAwIw
    OTELMAkGA1UEBhMCRlIxGzAZBgNVBAoMEk1ha2VyIG9mIHRoZSB0ZXN0czENMAsG
    A1UEAwwEUm9vdDAgFw0yMDAxMDEwMDAwMDBaGA8yMDkwMDEwMTAwMDAwMFowOTEL
    MAkGA1UEBhMCRlIxGzAZBgNVBAoMEk1ha2VyIG9mIHRoZSB0ZXN0czENMAsGA1UE
    AwwEUm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAbIDUcGNDmTC/tQcx5w
    t6okmT2xRi4P0gR7sr8FjYC4eYeq95kj1bs8qMrnqwOwRay5gMBaKa9DYnAcM0s8
    Xc6jEzARMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAO3O0GSV
    t6YyT9OqypGOccF5AvFNtQDbQn29rJty6Pp9AiAoMoaZXZbSgSfw3NUJwOKAjbZK
    O0yhX103pPenIifPLQ==
    -----END CERTIFICATE-----

    """.utf8)
