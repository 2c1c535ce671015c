// IssuerError.swift: why an issuer did not answer what it was asked, for operators.

package import Outbound

/// Why something an issuer should have said is not known; holds no token, code or secret.
package enum IssuerError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Not reached, too slow, not trusted.
    case unavailable(FetchError)
    /// An answer, but not the one there should be.
    case status(address: String, Int)
    /// It says no: RFC 6749 §5.2, RFC 6750 §3.1; the word only when it is one.
    case refused(address: String, status: Int, word: String?)
    /// No JSON, or not what it should hold.
    case malformed(address: String, what: String)
    /// Its metadata is of somebody else.
    case otherIssuer(address: String)
    /// Its metadata has an endpoint that must not be asked.
    case endpoint(address: String, name: String)
    /// Neither the configuration nor its metadata says where.
    case noEndpoint(issuer: String, name: String)
    /// A file of ours that cannot be read.
    case file(path: String, problem: String)
    /// It failed too often just now; asked again in a moment.
    case paused(issuer: String)

    /// Whether it may work later without anybody doing anything.
    package var isPassing: Bool {
        switch self {
        case .unavailable, .status, .paused: true
        case .refused, .malformed, .otherIssuer, .endpoint, .noEndpoint, .file: false
        }
    }

    /// Place, problem and hint, on one line.
    package var description: String {
        switch self {
        case .unavailable(let error): error.description
        case .status(let address, let status):
            "\(address): answers \(status) instead of 200"
                + ((300...399).contains(status)
                    ? " (redirects are not followed: write the final address)" : "")
        case .refused(let address, let status, let word):
            "\(address): refuses with \(status)" + (word.map { " `\($0)`" } ?? "")
                + (status == 401 ? " (compare `client_id` and `client_secret`)" : "")
        case .malformed(let address, let what): "\(address): \(what)"
        case .otherIssuer(let address):
            "\(address): names another issuer than the configuration"
                + " (`issuer` must be the same byte by byte)"
        case .endpoint(let address, let name):
            "\(address): `\(name)` is no https address (nothing of this document is believed)"
        case .noEndpoint(let issuer, let name):
            "issuer \(issuer): where its `\(name)` is, is not known (look at `discovery`)"
        case .file(let path, let problem): "\(path): \(problem)"
        case .paused(let issuer): "issuer \(issuer): failed just now, asked again in a moment"
        }
    }
}
