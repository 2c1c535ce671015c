// Secrets.swift: what nobody can guess, and digests to speak of it by.

internal import Tokens

/// Fresh random bytes as base64url.
func secretText(_ count: Int = 32) -> String { encodeBase64URL(randomBytes(count)) }

/// Hexadecimal in lower case.
func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
        decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}

/// `code_challenge` of a verifier, RFC 7636 §4.2, method S256.
func codeChallenge(of verifier: String) -> String { encodeBase64URL(sha256(verifier)) }
