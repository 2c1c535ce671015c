// Configuration.swift: everything an operator decides, as one immutable value.
//
// Made by ConfigurationLoader only, so whoever holds one holds a valid one: names are resolved to
// indices, durations are within their bounds, files are named by paths that can be opened.

package import Identity

/// A valid configuration.
package struct Configuration: Sendable {
    /// The files it was read from, in the order they were read.
    package let files: [String]
    /// Folder of the durable state.
    package let state: String
    /// Path of the admin socket.
    package let control: String
    package let workers: Workers
    /// Time running exchanges are given when the gate stops.
    package let drain: Duration
    /// Whom a neutralized person is told to call; one line.
    package let contact: String?
    /// The operator's own neutralization list.
    package let neutralized: FileReference?
    package let record: RecordRule
    package let certificateAuthentication: CertificateAuthentication
    package var administration: AdministrationRule?
    /// Neutralization lists of others.
    package var neutralizationLists: [NeutralizationListRule] = []
    package var signals: SignalsRule?
    package var authentication = Authentication()
    package let listeners: [Listener]
    package let identityServers: [IdentityServer]
    package let routes: [Route]
    package let limitSets: [LimitSet]
    package let extractors: [ExtractorRule]
    /// Who is told of what.
    package var alerts: [AlertRule] = []

    package var durability: Durability { record.durability }
}

/// Data-plane threads.
package enum Workers: Equatable, Sendable {
    /// One per core.
    case auto
    case count(Int)
}

/// When an answer may leave, as far as its record is concerned.
package enum Durability: String, CaseIterable, Sendable {
    case beforeDelivery = "before-delivery"
    case grouped
    /// Shown as degraded in status.
    case none
}

/// A file named by the configuration, and where it was named.
package struct FileReference: Equatable, Sendable {
    /// Path relative to the working directory, or absolute.
    package let path: String
    package let place: SourceLocation
}

/// How a certificate's subject is read.
package struct CertificateAuthentication: Sendable {
    /// Attribute that carries the professional's national identifier, and who else may pass.
    package let rule: CertificateRule
    /// Where each of the keys stands, if it does.
    package let organisationsPlace: SourceLocation?
    package let nonNominativePlace: SourceLocation?
}

/// A door for clients.
package struct Listener: Sendable {
    package let name: String
    package let place: SourceLocation
    package let address: Address
    package let addressPlace: SourceLocation
    /// Connections open at once, over all workers.
    package let connectionsMax: Int
    package let timeouts: Timeouts
    package let tls: ListenerTLS

    /// Listeners of one configuration; a route holds the set of its listeners in 64 bits.
    package static let countMax = 64
}

/// How long a client may take.
package struct Timeouts: Equatable, Sendable {
    /// From accept to the end of the TLS handshake.
    package var handshake = Duration.seconds(10)
    /// From the first byte of a request's head to its last.
    package var head = Duration.seconds(10)
    /// Between two pieces of a body, in either direction.
    package var body = Duration.seconds(30)
    /// Without a request.
    package var idle = Duration.seconds(75)
    /// From the first byte of a request to the last of its answer.
    package var total = Duration.seconds(300)
}

/// TLS as a listener speaks it.
package struct ListenerTLS: Sendable {
    /// Whether a client must, may or cannot show a certificate.
    package enum ClientCertificate: String, CaseIterable, Sendable {
        case required
        case optional
        case none
    }

    /// What becomes of the certificates of an expired revocation list.
    package enum Expired: String, CaseIterable, Sendable {
        case refuse
        /// An expired revocation list counts as if it were fresh; shown as degraded.
        case unsafeAccept = "unsafe-accept"
    }

    /// The one used when no name fits comes first; the others are chosen by SNI.
    package let certificates: [CertificatePair]
    package let clientCertificate: ClientCertificate
    package let clientAuthorities: [FileReference]
    package let revocationLists: [FileReference]
    /// Lists fetched from addresses, beside those in files.
    package var revocationSources: [RevocationSource] = []
    package var ocsp: OCSPRule?
    package let expiredRevocation: Expired
    /// Zero for no tickets; at most an hour.
    package let ticketLifetime: Duration
    /// Certificates of a client's chain, 10 to 32.
    package let chainDepth: Int
}

/// A certificate chain and its private key.
package struct CertificatePair: Equatable, Sendable {
    package let certificate: FileReference
    package let privateKey: FileReference
}

/// A protected upstream.
package struct IdentityServer: Sendable {
    package let name: String
    package let place: SourceLocation
    package let endpoints: [IdentityServerEndpoint]
    /// Trust anchors of its certificate; never the system's.
    package let authorities: [FileReference]
    /// What the gate shows to it.
    package let clientCertificate: CertificatePair?
    /// Name its certificate must bear, instead of the endpoint's host.
    package let serverName: String?
    /// Connections of one worker.
    package let connectionsMax: Int
    package let connectTimeout: Duration
    /// From the end of the request to the first byte of the answer's head.
    package let answerTimeout: Duration
    /// A connection unused for longer is closed.
    package let idleTimeout: Duration
    /// System of the identifier that tells this server's persons apart; empty when none is named.
    package let canonicalSystem: String
}
