// Authentication.swift: how professionals prove who they are, as configured.

package import Identity
package import Tokens

/// Everything under `authentication`, but for certificates.
package struct Authentication: Sendable {
    package var issuers: [IssuerRule] = []
    package var signIn: SignInRule?
    package var accounts: AccountRule?
    package var directory: DirectoryRule?
    package var assertion: AssertionRule?

    package init() {}
}

/// An issuer of tokens.
package struct IssuerRule: Sendable {
    package var name: String
    package var place: SourceLocation
    package var issuer: String
    /// Nil when `keys` says where its keys are and nothing else is asked of it.
    package var discovery: String?
    package var keys: KeySource?
    /// Trust anchors of its addresses; one file, in PEM.
    package var authorities: FileReference?
    package var clientCertificate: CertificatePair?
    /// Seconds between two fetches of keys, and for which keys are believed after the last.
    package var refresh: Int64 = 600
    package var keep: Int64 = 86_400
    package var clientID: String?
    package var clientSecret: FileReference?
    /// How its access tokens are judged; nil when none is accepted.
    package var tokens: TokenRules?
    package var introspection = Introspection.never
    package var introspectionEndpoint: String?
    package var introspectionCache: Int64 = 30
    /// What each of its `acr` values is worth.
    package var levels: [String: AssuranceLevel] = [:]
    /// What any other is worth, and a token without one.
    package var level = AssuranceLevel.substantial
    /// What its id tokens are signed with.
    package var algorithms: Set<SignatureAlgorithm>
    package var professionalClaim = "SubjectNameID"
    package var leeway: Int64 = 30

    /// Where its keys are, when its metadata is not asked.
    package enum KeySource: Equatable, Sendable {
        case url(String)
        case file(FileReference)
    }

    /// Which tokens the issuer itself is asked about, RFC 7662.
    package enum Introspection: String, CaseIterable, Sendable {
        case never
        case opaque
        case always
    }

    /// What an `acr` value is worth.
    package func level(of context: String?) -> AssuranceLevel {
        guard let context else { return level }
        return levels[context] ?? level
    }

    package static let countMax = 32
}

/// The gate's own pages, under `/.herse/`.
package struct SignInRule: Sendable {
    package var place: SourceLocation
    /// `https://gate.example.fr`: the address browsers know the gate by, without a last slash.
    package var url: String
    package var providers: [ProviderRule] = []
    package var listeners = ListenerSet.all
    /// Seconds without a request, and from its beginning, after which a session is over.
    package var idle: Int64 = 1800
    package var absolute: Int64 = 8 * 3600
    /// Sessions of one professional at once; the oldest ends.
    package var sessionsMax = 16
}

/// An identity provider that browsers are sent to.
package struct ProviderRule: Sendable {
    /// Index in `Authentication.issuers`.
    package var issuer: Int
    /// What the page calls it.
    package var label: String
    package var scopes: [String] = ["openid"]
    /// Asked for, in the order of preference.
    package var contexts: [String] = []
    /// Accepted in the id token; `contexts` unless it says otherwise.
    package var acceptedContexts: [String] = []
    package var place: SourceLocation
}

/// Local accounts: password through PAM and a second factor.
package struct AccountRule: Sendable {
    package var place: SourceLocation
    package var service = "herse"
    /// Milliseconds that PAM may take.
    package var deadline = 10_000
    /// Helper processes at once.
    package var helpers = 2
    package var totpLevel = AssuranceLevel.substantial
    package var webAuthnLevel = AssuranceLevel.substantial
    package var attestation = Attestation.none
    /// AAGUIDs of models that may be registered; any when empty.
    package var models: [String] = []
    /// Hours an enrolment link lives.
    package var linkHours = 24

    /// What a key must tell of itself when it is registered.
    package enum Attestation: String, CaseIterable, Sendable {
        case none
        /// Asked for and verified against `attestationAuthorities`.
        case direct
    }

    package var attestationAuthorities: [FileReference] = []
}

/// The professionals' directory.
package struct DirectoryRule: Sendable {
    package var place: SourceLocation
    /// Extracts, and correspondence files of identifiers.
    package var files: [FileReference] = []
    /// Whether somebody the directory does not know may pass.
    package var acceptsUnknown = true
    /// Whether somebody it says has left may pass.
    package var acceptsLeft = false
}

/// The signed statement of who asks that identity servers get.
package struct AssertionRule: Sendable {
    package var place: SourceLocation
    package var issuer: String
    /// Seconds an assertion is good for.
    package var lifetime: Int64 = 60
    /// Seconds after which a new key is made.
    package var rotate: Int64 = 30 * 86_400
}

/// What organisation certificates may pass on a route, and to do what.
package struct MachineRule: Sendable {
    package var place: SourceLocation
    /// CN, byte by byte.
    package var names = ByteSet([])
    /// Struct_IdNat.
    package var structures = ByteSet([])
    /// Index of the set of limits for machines, instead of the route's.
    package var limits: Int?
    /// Whether a machine may search; it may read, cross-reference and feed.
    package var mayLookUp = false

    /// Whether a machine is one of them; a list that is empty asks for nothing.
    package func accepts(name: Span<UInt8>, structure: Span<UInt8>) -> Bool {
        (names.isEmpty || names.contains(name))
            && (structures.isEmpty || structures.contains(structure))
    }
}
