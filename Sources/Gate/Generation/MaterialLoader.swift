// MaterialLoader.swift: certificates, keys, lists and addresses that a configuration names, loaded.
//
// `herse check`, the start and every reload come through here, so that what is checked is what
// would be in force.

internal import Administration
internal import Alerts
internal import CSystem
internal import Glibc
internal import Limits
internal import Neutralization
package import Policy
internal import SignedLists
internal import Tokens
internal import WebAuthn
internal import Wire

/// Everything loaded for one configuration, or all that is wrong with it.
struct Material: Sendable {
    var listeners: [ListenerMaterial] = []
    var servers: [ServerMaterial] = []
    var list: LoadedList?
    /// The keys of each issuer that stand in a file, by index.
    var keys: [KeySet?] = []
    var directory: LoadedDirectory?
    /// Which security keys may be enrolled.
    var attestation = AttestationPolicy.none
    /// Who may approve what another administrator ordered.
    var approvers: [Approver] = []
    /// Neutralization lists of others.
    var signedLists: [ListSource] = []
    /// The keys of each stream of events that stand in a file, by index.
    var signalKeys: [KeySet?] = []
    /// Who is told of what.
    var alerts: [SinkSettings] = []
    var record = RecordMaterial()
}

/// Loads what `configuration` names and reports every problem at the place that named it.
package func checkMaterial(_ configuration: Configuration) -> [Diagnostic] {
    var loader = MaterialLoader(configuration)
    _ = loader.load()
    return loader.diagnostics
}

struct MaterialLoader {
    private let configuration: Configuration
    private(set) var diagnostics: [Diagnostic] = []
    /// What is in force, of which that is kept which would be read in vain.
    private let former: Generation?
    private let now = Int64(time(nil))

    /// Seconds before a certificate's end from which on it is warned of: 14 days.
    private static let endWarning: Int64 = 14 * 86_400

    init(_ configuration: Configuration, after former: Generation? = nil) {
        self.configuration = configuration
        self.former = former
    }

    /// The file that what is not written is told of.
    var configurationFile: String { configuration.files.first ?? "herse.yaml" }

    /// Where signed lists are kept.
    var listFolder: String { configuration.state + "/lists" }

    /// Nil when there is any error; then `diagnostics` has them all.
    mutating func load() -> Material? {
        var material = Material()
        for listener in configuration.listeners {
            if let loaded = load(listener) { material.listeners.append(loaded) }
        }
        for server in configuration.identityServers {
            if let loaded = load(server) { material.servers.append(loaded) }
        }
        for issuer in configuration.authentication.issuers {
            material.keys.append(load(issuer))
        }
        if let rule = configuration.authentication.accounts {
            material.attestation = loadAttestation(rule)
        }
        if let rule = configuration.authentication.directory {
            let loaded = loadDirectory(rule, after: former?.ways.directory)
            material.directory = loaded.directory
            diagnostics += loaded.diagnostics
        }
        for rule in configuration.administration?.approvers ?? [] {
            if let approver = load(rule) { material.approvers.append(approver) }
        }
        material.signalKeys = loadSignals(configuration.signals)
        for rule in configuration.alerts {
            if let loaded = load(rule) { material.alerts.append(loaded) }
        }
        for rule in configuration.neutralizationLists {
            if let settings = load(rule) {
                // What is in force stays as it is; what was kept is verified again.
                let known = former?.signedLists.first { $0.settings == settings }
                material.signedLists.append(known ?? ListSource(settings))
            }
        }
        material.record = load(configuration.record)
        if let file = configuration.neutralized { material.list = loadNeutralized(file) }
        return diagnostics.contains { $0.severity == .error } ? nil : material
    }

    private mutating func load(_ rule: ApproverRule) -> Approver? {
        guard let bytes = readWhole(rule.key.path, bytesMax: ApprovalKey.fileMax),
            let key = ApprovalKey(pem: bytes)
        else {
            error(
                rule.key.place, "`\(rule.key.path)` is no Ed25519 public key",
                "make it with `openssl pkey -in KEY -pubout`")
            return nil
        }
        return Approver(name: rule.name, user: rule.user, key: key)
    }

    // MARK: Issuers

    /// Reads the files an issuer's rule names; its keys, when they are in one.
    private mutating func load(_ issuer: IssuerRule) -> KeySet? {
        if let file = issuer.authorities {
            _ = attempt(file) { () throws(TLSMaterialError) in try readCertificates(file.path) }
        }
        _ = issuer.clientCertificate.flatMap { load($0) }
        if let file = issuer.clientSecret, let problem = problemOfSecret(file.path) {
            error(file.place, "`\(file.path)`: \(problem)", "one line, readable by the gate alone")
        }
        guard case .file(let file) = issuer.keys else { return nil }
        return loadKeys(file)
    }

    mutating func loadKeys(_ file: FileReference) -> KeySet? {
        do throws(KeyFileError) {
            return try readKeys(file.path)
        } catch {
            self.error(file.place, error.problem, error.hint)
            return nil
        }
    }

    private mutating func loadAttestation(_ rule: AccountRule) -> AttestationPolicy {
        guard rule.attestation == .direct else { return .none }
        var pem: [UInt8] = []
        for file in rule.attestationAuthorities {
            guard let bytes = readWhole(file.path) else {
                error(file.place, "`\(file.path)` cannot be read", nil)
                continue
            }
            if AttestationAuthorities(pem: bytes) == nil {
                error(
                    file.place, "`\(file.path)` has no certificates that can be used",
                    "makers' certificates in PEM, one after the other")
            }
            pem += bytes + [0x0A]
        }
        // Without any authority nothing is vouched for, and nothing can be enrolled.
        guard let authorities = AttestationAuthorities(pem: pem) else {
            error(rule.place, "`attestation: direct` needs `authorities` to believe", nil)
            return .none
        }
        return .direct(
            models: Set(rule.models.compactMap { Model($0) }), authorities: authorities)
    }

    // MARK: Listeners

    private mutating func load(_ listener: Listener) -> ListenerMaterial? {
        // Before anything is read: a file replaced meanwhile makes the next reload read it again.
        let digest = digest(of: listener)
        let tls = listener.tls
        var credentials: [ServerCredential] = []
        for pair in tls.certificates {
            guard let credential = load(pair) else { continue }
            warnOfEnd(credential, pair.certificate.place)
            credentials.append(credential)
        }
        var authorities: [Certificate] = []
        for file in tls.clientAuthorities {
            let loaded = attempt(file) { () throws(TLSMaterialError) in
                try readCertificates(file.path)
            }
            for authority in loaded ?? [] {
                if authority.notAfter < now {
                    warn(file.place, "authority `\(authority.title)` has expired", nil)
                }
                authorities.append(authority)
            }
        }
        var lists: [RevocationList] = []
        for file in tls.revocationLists {
            let loaded = attempt(file) { () throws(TLSMaterialError) in
                try readRevocationLists(file.path)
            }
            lists += loaded ?? []
        }
        let anchors = TrustAnchors(
            authorities: authorities, lists: lists,
            expired: tls.expiredRevocation == .refuse ? .refuse : .unsafeAccept,
            depth: tls.chainDepth, asksForLists: !tls.revocationSources.isEmpty)
        check(anchors, tls)
        let settings = TLSServerSettings(
            credentials: credentials, demand: demand(tls.clientCertificate), anchors: anchors,
            ticketSeconds: Int(tls.ticketLifetime.components.seconds))
        guard credentials.count == tls.certificates.count else { return nil }
        do throws(TLSMaterialError) {
            // What OpenSSL refuses shows only when a context is made of it.
            guard let keys = TicketKeys() else {
                throw TLSMaterialError(file: nil, problem: "the system has no randomness")
            }
            _ = try TLSServerContext(settings, tickets: keys)
        } catch {
            report(error, at: tls.certificates.first?.certificate.place ?? listener.place)
            return nil
        }
        return ListenerMaterial(settings: settings, digest: digest)
    }

    private func demand(_ word: ListenerTLS.ClientCertificate) -> ClientCertificateDemand {
        switch word {
        case .required: .required
        case .optional: .optional
        case .none: .none
        }
    }

    mutating func load(_ pair: CertificatePair) -> ServerCredential? {
        do throws(TLSMaterialError) {
            return try ServerCredential(
                certificate: pair.certificate.path, privateKey: pair.privateKey.path)
        } catch {
            let place =
                error.file == pair.privateKey.path ? pair.privateKey.place : pair.certificate.place
            report(error, at: place)
            return nil
        }
    }

    private mutating func warnOfEnd(_ credential: ServerCredential, _ place: SourceLocation) {
        guard let leaf = credential.chain.first else { return }
        let end = UnixSeconds(leaf.notAfter)
        if leaf.notAfter < now {
            warn(place, "certificate has expired on \(end)", "clients will refuse it")
        } else if leaf.notBefore > now {
            warn(place, "certificate is not valid before \(UnixSeconds(leaf.notBefore))", nil)
        } else if leaf.notAfter - now < Self.endWarning {
            warn(place, "certificate expires on \(end)", nil)
        }
    }

    private mutating func check(_ anchors: TrustAnchors, _ tls: ListenerTLS) {
        for list in anchors.foreignLists {
            let place = tls.revocationLists.first { $0.path == list.file }?.place
            guard let place else { continue }
            error(
                place, "revocation list of `\(list.issuer)` is not signed by any client authority",
                "add that authority to `client_authorities`, or remove the list")
        }
        for list in anchors.lists {
            guard let place = tls.revocationLists.first(where: { $0.path == list.file })?.place,
                let next = list.nextUpdate, next <= now
            else { continue }
            let effect =
                tls.expiredRevocation == .refuse
                ? "every certificate of this authority is refused until a fresh list is loaded"
                : "it is applied all the same (`expired: unsafe-accept`)"
            warn(
                place, "revocation list of `\(list.issuer)` has expired on \(UnixSeconds(next))",
                effect)
        }
        guard let place = tls.revocationLists.first?.place else { return }
        for authority in anchors.authoritiesWithoutList {
            warn(
                place, "no revocation list of `\(authority.title)`",
                "leaves it signed are refused; intermediates it signed are not checked")
        }
    }

    // MARK: Identity servers

    private mutating func load(_ server: IdentityServer) -> ServerMaterial? {
        let digest = digest(of: server)
        var authorities: [Certificate] = []
        for file in server.authorities {
            let loaded = attempt(file) { () throws(TLSMaterialError) in
                try readCertificates(file.path)
            }
            authorities += loaded ?? []
        }
        let credential = server.clientCertificate.flatMap { load($0) }
        var endpoints: [ServerMaterial.Endpoint] = []
        for endpoint in server.endpoints {
            let addresses = resolve(endpoint.address)
            if addresses.isEmpty {
                error(
                    endpoint.place, "`\(endpoint.address.hostText)` cannot be resolved",
                    "name an address, or mend the name service")
            }
            let isName = if case .name = endpoint.address.host { true } else { false }
            let settings =
                endpoint.isTLS
                ? TLSClientSettings(
                    authorities: authorities, credential: credential,
                    serverName: server.serverName ?? endpoint.address.hostText,
                    isAddress: server.serverName == nil && !isName) : nil
            for address in addresses {
                endpoints.append(
                    .init(
                        address: address, tls: settings,
                        name: "\(endpoint.isTLS ? "https" : "http")://\(endpoint.address)"))
            }
        }
        if let settings = endpoints.lazy.compactMap(\.tls).first {
            do throws(TLSMaterialError) {
                _ = try TLSClientContext(settings)
            } catch {
                report(error, at: server.place)
            }
        }
        return ServerMaterial(
            definition: server, endpoints: endpoints, digest: digest ^ addressDigest(endpoints))
    }

    private func resolve(_ address: Address) -> [SocketAddress] {
        switch address.host {
        case .ipv4(let bytes): [SocketAddress(ipv4: bytes, port: address.port)]
        case .ipv6(let bytes): [SocketAddress(ipv6: bytes, port: address.port)]
        case .name(let name): resolveName(name, port: address.port)
        }
    }

    // MARK: The neutralization list

    private mutating func loadNeutralized(_ file: FileReference) -> LoadedList? {
        do throws(ListFileError) {
            return try loadList(path: file.path)
        } catch {
            switch error {
            case .unreadable(let failure):
                self.error(
                    file.place, "neutralization list: \(failure)",
                    "an empty file is an empty list; a missing one is an unknown list")
            case .bad(let list):
                for problem in list.problems {
                    diagnostics.append(
                        Diagnostic(
                            SourceLocation(
                                file: file.path, line: problem.line, column: problem.column),
                            .error, problem.fault.message, hint: problem.fault.hint))
                }
                if list.total > list.problems.count {
                    self.error(
                        file.place,
                        "\(list.total - list.problems.count) more bad lines in the list",
                        nil)
                }
            }
            return nil
        }
    }

    // MARK: Problems

    mutating func attempt<Value>(
        _ file: FileReference, _ body: () throws(TLSMaterialError) -> Value
    ) -> Value? {
        do throws(TLSMaterialError) {
            return try body()
        } catch {
            report(error, at: file.place)
            return nil
        }
    }

    private mutating func report(_ error: TLSMaterialError, at place: SourceLocation) {
        let subject = error.file.map { "`\($0)`: " } ?? ""
        self.error(place, subject + error.problem, error.hint)
    }

    mutating func error(_ place: SourceLocation, _ message: String, _ hint: String?) {
        diagnostics.append(Diagnostic(place, .error, message, hint: hint))
    }

    mutating func warn(_ place: SourceLocation, _ message: String, _ hint: String?) {
        diagnostics.append(Diagnostic(place, .warning, message, hint: hint))
    }
}

/// Whether a file can be run.
func isProgram(_ path: String) -> Bool {
    // Safe because the path is read during the call alone.
    unsafe access(path, X_OK) == 0
}

/// Why a file cannot hold a secret; nil when it can.
func problemOfSecret(_ path: String) -> String? {
    var status = stat()
    // Safe because the structure is a local.
    guard unsafe stat(path, &status) == 0, (unsafe access(path, R_OK)) == 0 else {
        return "cannot be read"
    }
    guard status.st_mode & 0o077 == 0 else { return "others may read it" }
    return status.st_size == 0 ? "is empty" : nil
}

// MARK: Digests, by which a reload sees what did not change

private func digest(of listener: Listener) -> UInt64 {
    let tls = listener.tls
    var hasher = Hasher()
    for pair in tls.certificates {
        combine(pair.certificate, &hasher)
        combine(pair.privateKey, &hasher)
    }
    for file in tls.clientAuthorities + tls.revocationLists { combine(file, &hasher) }
    hasher.combine(tls.clientCertificate)
    hasher.combine(tls.expiredRevocation)
    hasher.combine(tls.ticketLifetime)
    hasher.combine(tls.chainDepth)
    return UInt64(bitPattern: Int64(hasher.finalize()))
}

private func addressDigest(_ endpoints: [ServerMaterial.Endpoint]) -> UInt64 {
    var hasher = Hasher()
    for endpoint in endpoints {
        hasher.combine(endpoint.address)
        hasher.combine(endpoint.name)
    }
    return UInt64(bitPattern: Int64(hasher.finalize()))
}

private func digest(of server: IdentityServer) -> UInt64 {
    var hasher = Hasher()
    for file in server.authorities { combine(file, &hasher) }
    if let pair = server.clientCertificate {
        combine(pair.certificate, &hasher)
        combine(pair.privateKey, &hasher)
    }
    hasher.combine(server.name)
    hasher.combine(server.serverName)
    hasher.combine(server.connectionsMax)
    hasher.combine(server.connectTimeout)
    hasher.combine(server.answerTimeout)
    hasher.combine(server.idleTimeout)
    return UInt64(bitPattern: Int64(hasher.finalize()))
}

/// Takes in a file's bytes; they were read a moment ago, so a failure is as good as a change.
private func combine(_ file: FileReference, _ hasher: inout Hasher) {
    hasher.combine(file.path)
    let descriptor = unsafe herse_open(file.path, O_RDONLY, 0)
    guard descriptor >= 0 else {
        hasher.combine(UInt64.random(in: .min ... .max))
        return
    }
    defer { close(descriptor) }
    var block = [UInt8](repeating: 0, count: 64 * 1024)
    var total = 0
    while total <= materialBytesMax {
        // Safe because read writes at most the block.
        let count = unsafe read(descriptor, &block, block.count)
        if count <= 0 { break }
        total += count
        hasher.combine(block[..<count])
    }
}

/// The addresses of a name, by the system's resolver; at most eight.
private func resolveName(_ name: String, port: UInt16) -> [SocketAddress] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
    defer { unsafe freeaddrinfo(list) }
    var found: [SocketAddress] = []
    var next = unsafe list
    while let entry = unsafe next, found.count < 8 {
        if let address = unsafe entry.pointee.ai_addr {
            let length = Int(unsafe entry.pointee.ai_addrlen)
            // Safe because the resolver says how long the address is.
            let raw = unsafe UnsafeRawBufferPointer(start: address, count: length)
            let bytes = unsafe Array(raw)
            if unsafe entry.pointee.ai_family == AF_INET, bytes.count >= 8 {
                found.append(SocketAddress(ipv4: Array(bytes[4..<8]), port: port))
            } else if unsafe entry.pointee.ai_family == AF_INET6, bytes.count >= 24 {
                found.append(SocketAddress(ipv6: Array(bytes[8..<24]), port: port))
            }
        }
        unsafe next = entry.pointee.ai_next
    }
    return found
}
