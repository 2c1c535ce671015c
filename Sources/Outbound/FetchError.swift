// FetchError.swift: why nothing was fetched, for operators.

/// Why an address gave no answer; never holds a secret, nor anything of a body.
package struct FetchError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The address without what stands behind `?`.
    package let address: String
    package let problem: FetchProblem

    /// Leaves out what may be secret in an address.
    package init(_ url: String, _ problem: FetchProblem) {
        address = String(url.prefix { $0 != "?" && $0 != "#" }.prefix(200))
        self.problem = problem
    }

    /// Place, problem and hint, on one line.
    package var description: String {
        "\(address): \(problem.text)" + (problem.hint.map { " (\($0))" } ?? "")
    }
}

/// What went wrong, and so who can mend it.
package enum FetchProblem: Error, Equatable, Sendable {
    /// No address that is fetched from here.
    case address
    /// A field, or a body, that no request may have.
    case request
    /// An https address, and nobody to trust.
    case noAuthorities
    /// The file of trust anchors cannot be read, or has none.
    case authorities
    /// Our own certificate, or its key, cannot be read, or they are no pair.
    case ownCertificate
    case unknownHost
    case notReached
    /// Nothing, or not all, within so many milliseconds.
    case tooSlow(milliseconds: Int)
    case otherHostName
    case unknownAuthority
    case expired
    case notYetValid
    /// Any other finding about the server's certificate, by OpenSSL's number.
    case notTrusted(Int)
    /// No TLS that both sides speak, or the server wants to see another certificate.
    case handshake
    /// More than so many bytes.
    case tooLarge(bytes: Int)
    /// The connection ended early, or what came is no HTTP.
    case broken
    /// The other side ended a connection that should have gone on.
    case closed
    /// What only libcurl knows, by its number.
    case other(Int)

    /// In words, without the place.
    package var text: String {
        switch self {
        case .address: "is no address to fetch from"
        case .request: "cannot be asked this"
        case .noAuthorities: "nobody is trusted to vouch for it"
        case .authorities: "the authorities to trust cannot be read"
        case .ownCertificate: "the certificate or private key to show cannot be used"
        case .unknownHost: "the host's name is unknown"
        case .notReached: "cannot be connected to"
        case .tooSlow(let milliseconds): "no whole answer within \(milliseconds) ms"
        case .otherHostName: "its certificate is for another host"
        case .unknownAuthority: "its certificate is not from an authority that is trusted here"
        case .expired: "its certificate, or one above it, has expired"
        case .notYetValid: "its certificate, or one above it, is not valid yet"
        case .notTrusted(let number): "its certificate is not trusted (verification \(number))"
        case .handshake: "no TLS connection could be agreed on"
        case .tooLarge(let bytes): "the answer is larger than \(bytes) bytes"
        case .broken: "the answer broke off, or is no HTTP"
        case .closed: "the other side closed the connection"
        case .other(let number): "cannot be fetched (libcurl \(number))"
        }
    }

    /// What to look at, where there is something.
    package var hint: String? {
        switch self {
        case .address: "http://HOST/… or https://HOST/…, without a user name"
        case .noAuthorities: "give `authorities`; the system's store is never used"
        case .authorities: "a PEM file with at least one certificate"
        case .ownCertificate: "an unencrypted PEM key that belongs to the certificate"
        case .unknownHost: "look at the name and at the resolver"
        case .notReached: "look at address, port and firewall"
        case .unknownAuthority: "compare `authorities` with the chain it sends"
        case .notYetValid: "look at this machine's clock"
        case .handshake: "it must speak TLS 1.2 or 1.3, and may want `client_certificate`"
        case .closed: "it may want another `client_certificate`; its log says why"
        case .request, .tooSlow, .otherHostName, .expired, .notTrusted, .tooLarge, .broken, .other:
            nil
        }
    }
}
