// CertificateStatus.swift: whether a client's certificate is revoked, as its responder says,
// RFC 6960.
//
// Asked before a connection's first request is judged, and again when the answer is over; off the
// worker, unless another connection has asked already.

internal import Policy
internal import Revocation
internal import Wire

extension WorkerCore {
    /// What has to be asked about the certificate of a connection before anything it sends is
    /// judged; nil when its status is known and good, or nobody is to be asked.
    @inline(__always)
    func certificateErrand(_ client: ClientConnection) throws(Refusal) -> Errand? {
        guard client.statusUntil < clock.wallSeconds else { return nil }
        return try statusErrand(client)
    }

    @inline(never)
    private func statusErrand(_ client: ClientConnection) throws(Refusal) -> Errand? {
        guard let listener = client.listener, client.identity?.card != nil,
            let desk = generation.ways.revocation[listener], let responder = desk.responder
        else {
            // Looked at again under another configuration.
            client.statusUntil = client.identity == nil ? .max : clock.wallSeconds
            return nil
        }
        switch client.finding {
        case .certificate(let status): return try obey(status, desk, client)
        case .overloaded: throw .overloaded
        default: break
        }
        let fingerprint = client.identity?.card?.fingerprint
        guard let fingerprint,
            let belief = contexts[listener].verifier.believed(
                fingerprint, now: clock.wallSeconds)
                ?? contexts[listener].verifier.verifyAgain(client.session, now: clock.wallSeconds),
            let issuer = belief.issuer,
            let question = OCSPQuestion(certificate: belief.leaf.der, issuer: issuer.der)
        else { throw .notBelieved }
        if let known = responder.known(question, now: clock.wallSeconds) {
            return try obey(known, desk, client)
        }
        let now = clock.wallSeconds
        return Errand(lane: .recognition) {
            .certificate(responder.status(question, now: now))
        } adopt: { result in
            guard case .certificate(let status) = result else { return .unavailable }
            return .certificate(status)
        }
    }

    private func obey(
        _ status: OCSPStatus, _ desk: RevocationDesk, _ client: ClientConnection
    ) throws(Refusal) -> Errand? {
        switch status {
        case .good(let until):
            client.statusUntil = max(until, clock.wallSeconds)
        case .revoked, .unknown:
            log.certificateStatus(client.peer, "revoked or unknown to its responder")
            throw .notBelieved
        case .unavailable(let why):
            log.certificateStatus(client.peer, why.description)
            guard desk.acceptsUnavailable else { throw .revocationUnknown }
            client.statusUntil = clock.wallSeconds + Self.unavailableSeconds
        }
        return nil
    }

    /// Seconds until a responder is asked again that could not answer, where that is accepted.
    private static let unavailableSeconds: Int64 = 30
}
