// WorkerReport.swift: what a worker tells of itself: for `herse status` and `herse sessions`.

internal import Identity
internal import Limits
internal import Neutralization
internal import Policy
internal import Wire

/// One worker, for `herse status`.
package struct WorkerReport: Sendable, Codable {
    package let generation: UInt64
    package let connections: Int
    package let exchanges: Int
    package let waitingForRecord: Int
    package let counters: WorkerCounters
    package let servers: [ServerReport]
}

/// One live connection, for `herse sessions`.
package struct SessionReport: Sendable, Codable {
    /// What is listed.
    package enum Kind: String, Sendable, Codable {
        case connection
        /// Of somebody who signed in with a browser, whether or not a connection is open.
        case session
    }

    package var kind = Kind.connection
    package var professional: String?
    package var structure: String?
    /// How identity was proven, `none` where nobody has proven any.
    package var method: String
    package var level: String?
    /// The issuer that vouches for it, or the local account.
    package var issuer: String?
    package var account: String?
    /// What `session:ID` names.
    package var session: String?
    /// Of a session: where it was signed in from.
    package var peer: String
    package var ageSeconds: UInt64
    /// Of a session: since its last request, and until it ends whatever happens.
    package var idleSeconds: UInt64?
    package var endsInSeconds: UInt64?
    // Of connections alone.
    package var worker: Int?
    package var listener: String?
    package var certificate: String?
    package var tls: String?
    package var resumed: Bool?
    package var requests: UInt64?
    package var busy: Bool?

    package init(method: String, peer: String, ageSeconds: UInt64) {
        self.method = method
        self.peer = peer
        self.ageSeconds = ageSeconds
    }
}

extension WorkerCore {
    func report() -> WorkerReport {
        WorkerReport(
            generation: generation.number, connections: registry.connectionCount,
            exchanges: exchangesRunning, waitingForRecord: desk.waitingCount, counters: counters,
            servers: pools.flatMap { $0.report() })
    }

    /// Whom a professional's requests are counted for, if this worker has met them.
    func limitSubjects(of professional: String) -> LimitSubjects? {
        let id = Array(professional.utf8)
        guard let account = try? SubjectKey(account: id.span) else { return nil }
        return registry.identity(account: account)?.limitSubjects
    }

    /// Live connections that have shaken hands, all or one professional's.
    func sessions(of professional: String?) -> [SessionReport] {
        var found: [SessionReport] = []
        for index in 0..<slots.count {
            guard case .client(let connection) = slots.occupant(at: index),
                connection.phase != .handshaking
            else { continue }
            let identity =
                connection.exchange?.identity ?? connection.identity ?? connection.bearer?.identity
                ?? connection.shownSession?.identity ?? connection.shownAccount?.identity
            let id = identity.map { String(decoding: $0.professional, as: UTF8.self) } ?? ""
            if let professional, professional != id { continue }
            let structure = identity.map { String(decoding: $0.structure, as: UTF8.self) } ?? ""
            var report = SessionReport(
                method: identity?.method.rawValue ?? "none", peer: connection.peer.description,
                ageSeconds: (clock.milliseconds - connection.openedAt) / 1000)
            report.professional = id.isEmpty ? nil : id
            report.structure = structure.isEmpty ? nil : structure
            if let credential = identity?.credential, identity?.card == nil {
                report.level = credential.level.rawValue
                report.issuer = credential.issuerName.isEmpty ? nil : credential.issuerName
                report.account = credential.account
                report.session = credential.session
            }
            report.worker = number
            report.listener =
                connection.listener.map { generation.configuration.listeners[$0].name }
                ?? "(removed)"
            report.certificate = connection.identity?.card.map { "sha256:\($0.fingerprint.hex)" }
            report.tls = connection.session.version.description
            report.resumed = connection.session.isResumed
            report.requests = connection.requestCount
            report.busy = connection.exchange != nil
            found.append(report)
        }
        return found
    }
}
