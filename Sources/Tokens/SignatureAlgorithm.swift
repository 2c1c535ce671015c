// SignatureAlgorithm.swift: the algorithms a token may be signed with, RFC 7518 §3.1, RFC 8037.

/// An asymmetric signature algorithm; `none` and those with a shared secret have no place here.
package enum SignatureAlgorithm: String, CaseIterable, Sendable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case edDSA = "EdDSA"
}
