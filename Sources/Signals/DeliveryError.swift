// DeliveryError.swift: why an event is not taken, as its sender is told: RFC 8935 §2.4.

package import JSON
internal import Tokens

/// A refusal of one event; holds nothing of its text.
package struct DeliveryError: Error, Equatable, Sendable {
    /// The registered codes.
    package enum Code: String, CaseIterable, Sendable {
        case invalidRequest = "invalid_request"
        case invalidKey = "invalid_key"
        case invalidIssuer = "invalid_issuer"
        case invalidAudience = "invalid_audience"
        case authenticationFailed = "authentication_failed"
        case accessDenied = "access_denied"
    }

    package let code: Code
    /// In English, for the sender's operators.
    package let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    init(_ refusal: TokenRefusal) {
        switch refusal {
        case .issuer: self.init(.invalidIssuer, "this is not the stream's issuer")
        case .unknownKey: self.init(.invalidKey, "no key of the issuer's is named so, or signed it")
        case .signature: self.init(.invalidKey, "the signature is not by the key it names")
        case .algorithm: self.init(.invalidKey, "the algorithm is not accepted")
        case .noUsableKey: self.init(.invalidKey, "the issuer has no key that can be used")
        case .kind: self.init(.invalidRequest, "`typ` is not `secevent+jwt`")
        case .tooLarge: self.init(.invalidRequest, "larger than \(securityEventBytesMax) bytes")
        case .header: self.init(.invalidRequest, "the header has what is not accepted")
        case .claim: self.init(.invalidRequest, "a claim is missing, or is of the wrong type")
        default: self.init(.invalidRequest, "no signed security event token")
        }
    }

    /// `{"err": …, "description": …}`.
    package var json: JSONValue {
        .object(["err": .string(code.rawValue), "description": .string(description)])
    }
}
