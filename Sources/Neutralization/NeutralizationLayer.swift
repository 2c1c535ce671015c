// NeutralizationLayer.swift: a list of somebody else's, and what its word weighs here.

/// How the word of a list weighs against the orders of this gate's operators.
///
/// Whoever is denied stays so until the same or a higher authority reinstates them.
package enum ListAuthority: String, CaseIterable, Comparable, Sendable {
    /// The operators may reinstate whom it denies.
    case lower
    /// It and the operators may reinstate whom the other denies.
    case same
    /// Only it, or another that is higher, may reinstate whom it denies.
    case higher

    package static func < (one: ListAuthority, other: ListAuthority) -> Bool {
        one.rank < other.rank
    }

    private var rank: Int {
        switch self {
        case .lower: 0
        case .same: 1
        case .higher: 2
        }
    }
}

/// A list from elsewhere, in force beside the operator's own.
package struct NeutralizationLayer: Sendable {
    /// As the configuration names it.
    package let name: String
    package let authority: ListAuthority
    package let entries: NeutralizedSet
    /// Under what its hashed accounts were hashed; nil when it has none.
    package let hashKey: AccountHashKey?

    package init(
        name: String, authority: ListAuthority, entries: NeutralizedSet,
        hashKey: AccountHashKey? = nil
    ) {
        self.name = name
        self.authority = authority
        self.entries = entries
        self.hashKey = hashKey
    }
}

/// How a list hides whom it names: its hash, and the key that those who read it share.
///
/// National identifiers are few enough to be tried one by one, so that a hash without a key would
/// hide nobody.
package struct AccountHashKey: Sendable {
    /// Hashes an account's upper-cased identifier: 32 bytes.
    package let digest: @Sendable (_ account: Span<UInt8>) -> [UInt8]

    package init(_ digest: @escaping @Sendable (_ account: Span<UInt8>) -> [UInt8]) {
        self.digest = digest
    }
}

/// An account named by HMAC-SHA-256 under a key that its list shares with its readers.
package struct HashedAccount: Hashable, Sendable {
    package let bytes: [UInt8]

    static let prefix: StaticString = "HMAC-SHA256:"

    /// Exactly 32 bytes, or `nil`.
    package init?(_ bytes: Span<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self.bytes = (0..<32).map { bytes[$0] }
    }

    /// Reads 64 hexadecimal digits in either case.
    init(hexadecimal text: Span<UInt8>) throws(SubjectError) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        try readFingerprint(text) { bytes.append($0) }
        self.bytes = bytes
    }
}

extension HashedAccount: CustomStringConvertible {
    package var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
