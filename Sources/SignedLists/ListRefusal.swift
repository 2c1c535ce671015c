// ListRefusal.swift: why a list from elsewhere is not taken; the one in force stays.

internal import Neutralization
package import Outbound

/// Why a list is not taken.
package enum ListRefusal: Error, Equatable, Sendable {
    /// It could not be had.
    case fetch(FetchError)
    case status(String, Int)
    case unreadable(String)
    // It is not what it should be.
    case header(line: Int, String)
    case issuer(String, expected: String)
    case signature
    case earlier(sequence: UInt64, known: UInt64)
    /// Two lists under one number.
    case other(sequence: UInt64)
    case hashKey(String)
    /// Its bad lines, the first of them.
    case lines([String], total: Int)
    case tooMany(entries: Int, max: Int)
    /// It could not be kept: an earlier one could be played back after a restart.
    case notKept(String)
    /// What was asked does not fit how the list is verified.
    case notTrustable(String)

    /// Whether something came that was not taken.
    package var isRefusal: Bool {
        switch self {
        case .fetch, .status, .unreadable, .notKept, .notTrustable: false
        default: true
        }
    }

    /// What is wrong, for a person: one line or several.
    package var lines: [String] {
        switch self {
        case .fetch(let error): ["cannot be fetched: \(error.description)"]
        case .status(let url, let status): ["\(url) answered \(status)"]
        case .unreadable(let path): ["\(path): cannot be read"]
        case .header(let line, let what): ["line \(line): \(what)"]
        case .issuer(let issuer, let expected):
            ["it is by issuer `\(issuer)`, not `\(expected)`"]
        case .signature:
            ["the signature is by none of the keys or authorities that are trusted for it"]
        case .earlier(let sequence, let known):
            ["its sequence is \(sequence), and \(known) has been accepted already"]
        case .other(let sequence):
            ["another list with sequence \(sequence) has been accepted already"]
        case .hashKey(let name):
            ["its accounts are hashed under key `\(name)`, which `hash_keys` does not have"]
        case .lines(let lines, let total):
            lines + (total > lines.count ? ["and \(total - lines.count) more"] : [])
        case .tooMany(let entries, let max):
            ["it has \(entries) entries, its scope allows \(max)"]
        case .notKept(let what): ["it cannot be kept: \(what)"]
        case .notTrustable(let what): [what]
        }
    }

    /// The first of `lines`, for status.
    package var line: String { lines.first ?? "refused" }
}
