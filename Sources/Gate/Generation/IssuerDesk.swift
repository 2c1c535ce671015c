// IssuerDesk.swift: an issuer as the gate believes it: keys from a file or fetched, and whom to ask
// about tokens that say nothing themselves.

internal import Issuers
internal import Outbound
internal import Policy
internal import Tokens

/// One issuer of one configuration.
struct IssuerDesk: Sendable {
    /// Keys that stand in a file, as it was when the configuration was read.
    let fixed: KeySet?
    /// What speaks to the issuer; nil when nothing is asked of it.
    let issuer: Issuer?

    /// The keys believed at this time, without blocking; nil when there are none.
    func keys(now: Int64) -> KeySet? { fixed ?? issuer?.keys(now: now) }

    /// Whether keys fetched anew may know what these do not.
    func mayLearn(now: Int64) -> Bool {
        fixed == nil && issuer?.mayRefreshForUnknownKey(now: now) == true
    }
}

extension IssuerSettings {
    /// How the issuer of a rule is reached; `folder` is where its keys are kept over a restart.
    init(_ rule: IssuerRule, folder: String) {
        self.init(name: rule.name, issuer: rule.issuer)
        discovery = rule.discovery
        switch rule.keys {
        case .url(let url): keys = .url(url)
        case .file(let file): keys = .file(file.path)
        case nil: keys = nil
        }
        tls.authorities = rule.authorities?.path
        tls.certificate = rule.clientCertificate?.certificate.path
        tls.privateKey = rule.clientCertificate?.privateKey.path
        refresh = rule.refresh
        keep = rule.keep
        clientID = rule.clientID
        clientSecretFile = rule.clientSecret?.path
        introspection =
            switch rule.introspection {
            case .never: .never
            case .opaque: .opaque
            case .always: .always
            }
        introspectionCache = rule.introspectionCache
        introspectionEndpoint = rule.introspectionEndpoint
        stateFolder = folder
    }
}
