// SessionVerdict.swift: whether somebody is neutralized, by everything that they, or a session of
// theirs, can be neutralized by.

internal import Directory
internal import Identity
internal import Neutralization
internal import SignIn

extension NeutralizationState {
    /// The entry that forbids what a sign-in proves; `session` is the gate's own name for it, and
    /// `began` its age, once it has them.
    func verdict(
        on proof: SignInProof, session: String? = nil, began: Int64? = nil,
        _ directory: Directory?, now: UnixSeconds
    ) -> Neutralized? {
        // A provider that does not say when has at least vouched for it now.
        let provenAt = proof.provenAt > 0 ? proof.provenAt : began ?? now.value
        if let found = verdict(provenAt: provenAt, now: now) { return found }
        let id = Array(proof.professional.description.utf8)
        let structure = Array((proof.structure ?? "").utf8)
        let employer = Array((proof.professional.employer?.description ?? "").utf8)
        if let found = verdict(
            account: try? SubjectKey(account: id.span),
            structure: try? SubjectKey(
                structure: structure.isEmpty ? employer.span : structure.span),
            certificate: proof.certificate.flatMap { SubjectKey(sha256: $0.span) },
            address: nil, now: now)
        {
            return found
        }
        let person = directory?.person(id.span)
        let names = [proof.professional.description] + (person.map { [$0.id] + $0.aliases } ?? [])
        for account in names.compactMap({ try? AccountID($0) }) {
            if let found = verdict(on: .account(account), now: now) { return found }
        }
        func key(_ name: String?) -> SubjectKey? {
            let bytes = Array((name ?? "").utf8)
            return try? SubjectKey(name: bytes.span)
        }
        return verdict(
            session: key(session), token: nil, client: key(proof.client), now: now)
            ?? verdict(session: key(proof.providerSession), token: nil, client: nil, now: now)
    }
}

extension WorkerCore {
    /// The entry of `state` that forbids whoever an identity is; when it was proven is not asked.
    func verdict(
        on identity: ProvenIdentity, in state: NeutralizationState, _ now: UnixSeconds
    ) -> Neutralized? {
        let card = identity.card
        if let found = state.verdict(
            account: identity.accounts.first, structure: identity.structureKey,
            certificate: card?.certificate, serial: card?.serial, now: now)
        {
            return found
        }
        for alias in identity.accounts.dropFirst() {
            if let found = state.verdict(account: alias, now: now) { return found }
        }
        if identity.method != .certificate,
            let found = state.verdict(
                session: identity.sessionKey, token: identity.tokenKey,
                client: identity.clientKey, now: now)
        {
            return found
        }
        if let session = identity.providerSessionKey,
            let found = state.verdict(session: session, token: nil, client: nil, now: now)
        {
            return found
        }
        if let twin = card?.twin, let found = state.verdict(certificate: twin, now: now) {
            return found
        }
        return state.verdict(hashing: identity.accountIDs, now: now)
    }
}

extension ControlPlane {
    /// The live sessions of whoever a list forbids.
    func neutralizedSessions(by state: NeutralizationState) -> [LiveSession] {
        let directory = generation.ways.directory?.directory
        let moment = now
        return services.sessions.all().filter { session in
            state.verdict(
                on: session.proof, session: session.publicID, began: session.beganAt, directory,
                now: moment) != nil
        }
    }

    /// Ends every session of somebody who is neutralized now; returns how many.
    func endNeutralizedSessions() -> Int {
        neutralizedSessions(by: neutralization).count { services.sessions.end($0, .neutralized) }
    }
}
