// Tokens.swift: what a token costs whose signature nobody has looked at yet.
//
//     Micro tokens FOLDER SECONDS
//
// verifies, for so long each, an access token as Pro Santé Connect writes them, signed with ES256
// by a key made in FOLDER, and with RS256; and the proof that RFC 9449 prints. Beside each stands
// what OpenSSL takes for the signature alone.

import CSystem
import Glibc
import Tokens

private let start: Int64 = 1_800_000_000
private let issuerName = "https://auth.example/realms/esante-wallet"

@Sendable
func timeTokens(_ arguments: [String]) {
    guard arguments.count == 2, let seconds = Double(arguments[1]) else {
        print("Micro tokens: FOLDER SECONDS are expected")
        exit(64)
    }
    do {
        let keys = try AssertionKeys(folder: arguments[0], rotate: 86_400, now: start)
        let published = keys.published
        let set = try KeySet(json: published.span)
        guard let token = keys.sign(claims: Array(claims.utf8), now: start) else { exit(70) }
        let elliptic = try timed(seconds) { try verify(token, set) }
        let bareElliptic = try bare(BareKey(isRSA: false), seconds)
        let rsa = BareKey(isRSA: true)
        let rsaSet = try rsaKeys(rsa)
        let rsaToken = rsaToken(rsa)
        let modular = try timed(seconds) { try verify(rsaToken, rsaSet) }
        let bareModular = try bare(rsa, seconds)
        let proof = try timed(seconds) { try verifySampleProof() }
        let signed = try timed(seconds) { _ = keys.sign(claims: Array(claims.utf8), now: start) }
        print(
            """
            {"token_bytes": \(token.count), "es256_us": \(elliptic), \
            "es256_openssl_us": \(bareElliptic), "rs256_us": \(modular), \
            "rs256_openssl_us": \(bareModular), "proof_us": \(proof), "assertion_us": \(signed)}
            """)
    } catch {
        print("Micro tokens: \(error)")
        exit(1)
    }
}

/// All that a worker does for a token nobody has seen yet: whose it is, and whether it is good.
private func verify(_ token: [UInt8], _ keys: KeySet) throws {
    guard issuer(ofUnverified: token.span) == issuerName else { exit(70) }
    var rules = TokenRules(issuer: issuerName, algorithms: [.es256, .rs256])
    rules.audiences = ["https://gate.example.fr"]
    _ = try verifyAccessToken(token.span, keys: keys, rules: rules, now: start)
}

/// What the signature alone takes, of a message as long.
private func bare(_ key: BareKey, _ seconds: Double) throws -> Double {
    let message = rsaMessage
    let signature = key.sign(message)
    return try timed(seconds) {
        guard key.verifies(signature, of: message) else { exit(70) }
    }
}

private func rsaKeys(_ key: BareKey) throws -> KeySet {
    let text = Array(
        """
        {"keys":[{"kty":"RSA","kid":"one","n":"\(encodeBase64URL(key.number("n")))",\
        "e":"\(encodeBase64URL(key.number("e")))"}]}
        """.utf8)
    return try KeySet(json: text.span)
}

private let rsaMessage = Array(
    (encodeBase64URL(Array(#"{"alg":"RS256","typ":"JWT","kid":"one"}"#.utf8)) + "."
        + encodeBase64URL(Array(claims.utf8))).utf8)

private func rsaToken(_ key: BareKey) -> [UInt8] {
    rsaMessage + Array(".\(encodeBase64URL(key.sign(rsaMessage)))".utf8)
}

/// Microseconds of CPU that one takes: the median of many rounds of twenty.
private func timed(_ seconds: Double, _ work: () throws -> Void) throws -> Double {
    var rounds: [UInt64] = []
    let end = herse_clock(CLOCK_MONOTONIC) + UInt64(seconds * 1e9)
    while herse_clock(CLOCK_MONOTONIC) < end || rounds.isEmpty {
        let begun = herse_clock(CLOCK_PROCESS_CPUTIME_ID)
        for _ in 0..<20 { try work() }
        rounds.append(herse_clock(CLOCK_PROCESS_CPUTIME_ID) - begun)
    }
    rounds.sort()
    return Double(rounds[rounds.count / 2] / 20) / 1000
}

private let claims = """
    {"exp":1800000120,"iat":1800000000,"auth_time":1799999990,"jti":\
    "0c7d1a5e-5c0e-4a38-9a6b-2f0f1e9d8c7b","iss":"\(issuerName)","sub":\
    "f:550dc1c8-d97b-4b1e-ac8c-8eb4471cf9dd:899700218896","typ":"Bearer","aud":\
    "https://gate.example.fr","azp":"editor-of-software","nonce":"n-0S6_WzA2Mj","session_state":\
    "4a1f6c1e-77a5-4c3c-8a52-9a0d2b1c3e4f","acr":"eidas3","scope":"openid scope_all identity",\
    "sid":"4a1f6c1e-77a5-4c3c-8a52-9a0d2b1c3e4f","authMode":"CARD","otherIds":[{"identifiant":\
    "899700218896","origine":"RPPS","qualite":1}],"SubjectNameID":"899700218896",\
    "preferred_username":"899700218896"}
    """

private func verifySampleProof() throws {
    let proof = Array(
        """
        eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0\
        VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10\
        NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjo\
        iR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI\
        6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2o\
        W9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA
        """.utf8)
    let method = Array("GET".utf8)
    let token = Array("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU".utf8)
    _ = try verifyProof(
        proof.span, method: method.span, address: "https://resource.example.org/protectedresource",
        token: token.span, rules: ProofRules(), now: 1_562_262_618)
}
