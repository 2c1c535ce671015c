// IssuerMetadata.swift: where an issuer's endpoints are, OpenID Connect Discovery 1.0 §3, RFC 8414.

internal import JSON
internal import Outbound
internal import Tokens

/// What an issuer says of itself, as far as anybody here asks.
package struct IssuerMetadata: Equatable, Sendable {
    package var authorization: String?
    package var token: String?
    package var userInfo: String?
    package var endSession: String?
    package var introspection: String?
    /// Where its keys are.
    package var keys: String?
    /// `authorization_response_iss_parameter_supported`, RFC 9207 §3.
    package var namesItself = false
    /// Whether our secret must stand in the body, since `Authorization` is not looked at.
    package var wantsSecretInBody = false

    /// Bytes of a document.
    static let bytesMax = 256 * 1024

    /// Reads a document fetched from `address`, all of it or nothing.
    ///
    /// Its `issuer` must be ours byte by byte, §4.3: else one issuer could speak for another. For
    /// those who show a certificate, endpoints may be other ones, RFC 8705 §5.
    init(
        _ document: JSONValue, from address: String, issuer: String, showsCertificate: Bool
    ) throws(IssuerError) {
        guard document.members != nil else {
            throw .malformed(address: address, what: "is no JSON object")
        }
        guard let named = document["issuer"]?.text, areSame(named, issuer) else {
            throw .otherIssuer(address: address)
        }
        // In clear text only where the issuer itself is: on this machine.
        let isPlain = issuer.hasPrefix("http://")
        let aliases = showsCertificate ? document["mtls_endpoint_aliases"] : nil
        func endpoint(_ name: String) throws(IssuerError) -> String? {
            guard let value = aliases?[name] ?? document[name] else { return nil }
            guard let text = value.text, isPlain ? isAddress(text) : isSecureAddress(text) else {
                throw .endpoint(address: address, name: name)
            }
            return text
        }
        authorization = try endpoint("authorization_endpoint")
        token = try endpoint("token_endpoint")
        userInfo = try endpoint("userinfo_endpoint")
        endSession = try endpoint("end_session_endpoint")
        introspection = try endpoint("introspection_endpoint")
        keys = try endpoint("jwks_uri")
        namesItself = document["authorization_response_iss_parameter_supported"]?.flag ?? false
        // Without a list, `client_secret_basic` goes without saying.
        if let methods = document["token_endpoint_auth_methods_supported"]?.texts {
            wantsSecretInBody =
                methods.contains("client_secret_post") && !methods.contains("client_secret_basic")
        }
    }
}
