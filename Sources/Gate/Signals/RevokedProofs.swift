// RevokedProofs.swift: proofs that came before somebody's session or credential was revoked
// elsewhere.

internal import Identity
internal import Neutralization
internal import Signals
internal import Wire

extension WorkerCore {
    /// Whether what an identity shows was proven at, or before, a moment from which on they have to
    /// prove themselves again.
    ///
    /// A certificate proves itself with each connection, and is nothing that an identity provider
    /// gave: it is left alone.
    func isRevokedElsewhere(_ identity: ProvenIdentity, on client: ClientConnection) -> Bool {
        let moments = signals.moments
        let epoch = moments.epoch
        guard epoch != 0, identity.method != .certificate else { return false }
        if identity.momentsEpoch != epoch {
            identity.provenSince = moments.moment(
                of: identity.accountIDs.map { String(decoding: $0, as: UTF8.self) })
            identity.momentsEpoch = epoch
        }
        guard let since = identity.provenSince else { return false }
        // Both are whole seconds: what came in the same one may have come before.
        return provenAt(identity, on: client).map { $0 <= since } ?? true
    }

    /// Cuts what runs for an account by a proof that counts no more.
    func cutRevoked(_ account: SubjectKey) -> CutCount {
        var count = CutCount()
        for connection in registry.connections(account: account) {
            let shown = [connection.identity, connection.exchange?.identity]
            guard
                shown.contains(where: { identity in
                    identity.map { isRevokedElsewhere($0, on: connection) } ?? false
                })
            else { continue }
            cut(connection, &count)
        }
        return count
    }
}
