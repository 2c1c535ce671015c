// OCSPStatus.swift: what a responder is asked, and what it may say, RFC 6960.

package import Outbound

/// Who is asked about certificates, and how long answers count.
package struct OCSPSettings: Equatable, Sendable {
    /// The responder's address, as the operator wrote it: never the one a certificate names.
    package var url: String
    /// Trust anchors of an https address.
    package var tls = FetchTLS()
    /// Seconds an answer is believed at most; less when it says so itself.
    package var cache: Int64 = 3600
    /// Whether an answer must repeat the request's nonce; most responders sign answers ahead of
    /// time, and cannot.
    package var requiresNonce = false
    /// Milliseconds for a whole exchange.
    package var deadline = 5_000

    package init(url: String) { self.url = url }
}

/// What is known of a certificate.
package enum OCSPStatus: Equatable, Sendable {
    /// Not revoked; seconds since 1970 until which that is believed.
    case good(until: Int64)
    /// Seconds since 1970.
    case revoked(at: Int64)
    /// The responder does not know it: not good.
    case unknown
    /// Nobody can tell; for operators.
    case unavailable(OCSPProblem)
}

/// Why a responder's answer is not believed, or is none.
package enum OCSPProblem: Error, Equatable, Sendable, CustomStringConvertible {
    case fetch(FetchError)
    case httpStatus(Int)
    /// `responseStatus`, RFC 6960 §4.2.1: 1 malformed request … 6 unauthorized.
    case refused(Int)
    case malformed
    /// By nobody who may speak for the issuer.
    case signature
    /// With a digest that can be forged.
    case weakSignature
    case nonce
    /// About other certificates only.
    case otherCertificate
    case fromTheFuture
    case expired
    /// Asked and failed too often just now.
    case paused
    /// Our own certificate, which cannot be stapled then.
    case notGood

    package var description: String {
        switch self {
        case .fetch(let error): error.description
        case .httpStatus(let status): "the OCSP responder answers HTTP \(status) instead of 200"
        case .refused(let status):
            "the OCSP responder refuses the request (response status \(status))"
        case .malformed: "the OCSP responder's answer cannot be read"
        case .signature:
            "the OCSP response is not signed by the certificate's issuer, nor by a responder it"
                + " delegated"
        case .weakSignature: "the OCSP response is signed with MD5 or SHA-1"
        case .nonce: "the OCSP response answers another request"
        case .otherCertificate: "the OCSP response is about other certificates"
        case .fromTheFuture: "the OCSP response is from the future (look at this machine's clock)"
        case .expired: "the OCSP response has expired"
        case .paused: "the OCSP responder failed just now, asked again in a moment"
        case .notGood: "the OCSP responder does not say that the certificate is good"
        }
    }
}

/// A response to be stapled to our own certificate, RFC 6066 §8.
package struct OCSPStaple: Equatable, Sendable {
    /// DER, as it came.
    package let response: [UInt8]
    /// Seconds since 1970 until which clients believe it.
    package let until: Int64
    /// When to ask for the next: halfway.
    package let renewAt: Int64
}
