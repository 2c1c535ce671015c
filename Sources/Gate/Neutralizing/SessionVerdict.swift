// SessionVerdict.swift: whether somebody who signs in, or has, is neutralized: asked off the
// workers, by everything a session stands for.

internal import Directory
internal import Identity
internal import Neutralization
internal import SignIn

extension NeutralizationState {
    /// The entry that forbids what a sign-in proves; `session` is the gate's own name for it, once
    /// it has one.
    func verdict(
        on proof: SignInProof, session: String? = nil, _ directory: Directory?, now: UnixSeconds
    ) -> Neutralized? {
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
        if let person = directory?.person(id.span) {
            for other in [person.id] + person.aliases {
                let bytes = Array(other.utf8)
                if let key = try? SubjectKey(account: bytes.span),
                    let found = verdict(account: key, now: now)
                {
                    return found
                }
            }
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

extension ControlPlane {
    /// The live sessions of whoever a list forbids.
    func neutralizedSessions(by state: NeutralizationState) -> [LiveSession] {
        let directory = generation.ways.directory?.directory
        let moment = now
        return services.sessions.all().filter { session in
            state.verdict(
                on: session.proof, session: session.publicID, directory, now: moment) != nil
        }
    }

    /// Ends every session of somebody who is neutralized now; returns how many.
    func endNeutralizedSessions() -> Int {
        neutralizedSessions(by: neutralization).count { services.sessions.end($0, .neutralized) }
    }
}
