// Route.swift: which requests go to which identity server, and on what proof.

package import Identity

/// A route, as configured; `RouteTable` holds what is looked up for each request.
package struct Route: Sendable {
    /// What an identity server speaks on this route, and so what a disclosure looks like.
    package enum Lookups: Equatable, Sendable {
        case fhir
        case hl7v3
        case insi
        /// Index in `Configuration.extractors`.
        case declared(Int)
        case none
    }

    package let name: String
    package let place: SourceLocation
    /// A prefix when it ends in "/", else the whole path.
    package let path: String
    package let pathPlace: SourceLocation
    package let methods: Methods
    /// Index in `Configuration.identityServers`.
    package let identityServer: Int
    package let lookups: Lookups
    /// What becomes of its lookups; nil exactly when `lookups` is none.
    package let lookupRules: LookupRules?
    /// Never empty: nothing passes unproven.
    package let requirements: [ProofMethod]
    package let requirementsPlace: SourceLocation
    /// How sure the proof must make, how many seconds ago it may have been given, and whether HTTP
    /// Basic may carry a local account's; the places stand where the keys do.
    package var levelMin = AssuranceLevel.low
    package var levelPlace: SourceLocation?
    package var ageMax: UInt32?
    package var agePlace: SourceLocation?
    package var acceptsBasic = false
    /// What organisation certificates may pass; nil for what `authentication.certificate` says.
    package var machines: MachineRule?
    /// Index in `Configuration.limitSets`.
    package let limits: Int?
    /// Bytes of a request's body.
    package let bodyMax: Int
    /// Which listeners serve it.
    package let listeners: ListenerSet
    package let professionals: AllowList
    package let structures: AllowList
    /// Whether the client's certificate is forwarded, RFC 9440.
    package let forwardsClientCertificate: Bool
    /// Whether a signed statement of who asks is.
    package var forwardsAssertion = false

    /// Routes of one configuration.
    package static let countMax = 1024
}

/// Methods a route can accept.
///
/// CONNECT and TRACE are not among them: one opens a tunnel nothing looks into, the other sends
/// credentials back to whoever asks.
package enum Method: UInt8, Sendable {
    case get
    case head
    case post
    case put
    case patch
    case delete
    case options
    /// Any other; no route accepts it.
    case other

    /// All that have a name, the most frequent first.
    package static let named: [Method] = [.get, .post, .head, .put, .patch, .delete, .options]

    /// Reads a method's name; case matters, RFC 9110 §9.1.
    package init(_ name: Span<UInt8>) {
        self = .other
        for method in Self.named where equal(name, method.name) {
            self = method
            return
        }
    }

    package var name: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .other: "?"
        }
    }
}

private func equal(_ bytes: Span<UInt8>, _ text: String) -> Bool {
    let wanted = text.utf8
    guard bytes.count == wanted.count else { return false }
    var index = 0
    for byte in wanted {
        guard bytes[index] == byte else { return false }
        index += 1
    }
    return true
}

/// Some methods.
package struct Methods: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package init(_ method: Method) {
        rawValue = method == .other ? 0 : 1 << method.rawValue
    }

    /// What a route accepts unless it says otherwise.
    package static let standard: Methods = [Methods(.get), Methods(.head), Methods(.post)]

    package func contains(_ method: Method) -> Bool {
        method != .other && rawValue & (1 << method.rawValue) != 0
    }
}

/// Some listeners, by index; at most `Listener.countMax`.
package struct ListenerSet: OptionSet, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let all = ListenerSet(rawValue: .max)

    /// The set of one; of none when there can be no such listener.
    package init(index: Int) {
        rawValue = (0..<Listener.countMax).contains(index) ? 1 << UInt64(index) : 0
    }

    package func contains(index: Int) -> Bool {
        !intersection(ListenerSet(index: index)).isEmpty
    }
}

/// Identifiers that may pass; everyone may when there are none.
package struct AllowList: Sendable {
    package let ids: ByteSet
    /// Where the list stands, if it does.
    package let place: SourceLocation?

    /// Identifiers of one list.
    package static let countMax = 100_000

    package func allows(_ id: Span<UInt8>) -> Bool { ids.isEmpty || ids.contains(id) }
}
