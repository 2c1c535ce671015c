// IssuerSettings.swift: how one issuer of tokens is reached.

package import Outbound

/// Where an issuer's keys and endpoints are, and how long they are believed.
package struct IssuerSettings: Equatable, Sendable {
    /// The configuration's name for it.
    package var name: String
    /// `iss`.
    package var issuer: String
    /// Address of its metadata (RFC 8414); nil when `keys` says where the keys are.
    package var discovery: String?
    /// Where its keys are, instead of what the metadata says.
    package var keys: KeySource?
    package var tls = FetchTLS()
    /// Seconds between two fetches.
    package var refresh: Int64 = 600
    /// Seconds after the last fetch that worked for which its keys are believed.
    package var keep: Int64 = 86_400
    /// Ours, at its endpoints.
    package var clientID: String?
    /// Path of the file that holds our secret there.
    package var clientSecretFile: String?
    package var introspection = Introspection.never
    /// Seconds for which an introspection is believed; 0 for not at all.
    package var introspectionCache: Int64 = 30
    /// Instead of what the metadata says.
    package var introspectionEndpoint: String?
    /// Folder in which the last good keys are kept over a restart; nil for not at all.
    package var stateFolder: String?

    /// Where keys are, when the metadata is not asked.
    package enum KeySource: Equatable, Sendable {
        case url(String)
        case file(String)
    }

    /// Which tokens the issuer itself is asked about, RFC 7662.
    package enum Introspection: String, CaseIterable, Sendable {
        case never
        /// Those that are no signed JWT.
        case opaque
        /// All of them.
        case always
    }

    package init(name: String, issuer: String) {
        self.name = name
        self.issuer = issuer
    }
}
