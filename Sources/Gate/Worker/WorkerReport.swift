// WorkerReport.swift: what a worker tells of itself: for `herse status` and `herse sessions`.

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
    package let worker: Int
    package let listener: String
    package let peer: String
    package let professional: String?
    package let structure: String?
    package let method: String
    package let certificate: String?
    package let tls: String
    package let resumed: Bool
    package let ageSeconds: UInt64
    package let requests: UInt64
    package let busy: Bool
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
            let identity = connection.identity
            let id = identity.map { String(decoding: $0.professional, as: UTF8.self) } ?? ""
            if let professional, professional != id { continue }
            let structure = identity.map { String(decoding: $0.structure, as: UTF8.self) } ?? ""
            found.append(
                SessionReport(
                    worker: number,
                    listener: connection.listener.map {
                        generation.configuration.listeners[$0].name
                    } ?? "(removed)",
                    peer: connection.peer.description, professional: id.isEmpty ? nil : id,
                    structure: structure.isEmpty ? nil : structure,
                    method: identity == nil ? "none" : "certificate",
                    certificate: identity?.card.map { "sha256:\($0.fingerprint.hex)" },
                    tls: connection.session.version.description,
                    resumed: connection.session.isResumed,
                    ageSeconds: (clock.milliseconds - connection.openedAt) / 1000,
                    requests: connection.requestCount, busy: connection.exchange != nil))
        }
        return found
    }
}
