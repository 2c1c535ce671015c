// ShownProof.swift: what somebody shows, told in the configuration's words, and what it is worth.
//
// For whoever asks without a gate: policy tests and `explain`. Only what the configuration alone
// decides is judged; whether a token verifies is for who has one.

package import Identity

/// What is shown for a request, as far as somebody says.
package struct ShownProof: Equatable, Sendable {
    package var proof: Proof
    package var method: ProofMethod
    /// Name of the issuer of a token, or of the provider of a session; the only one unless said.
    package var issuer: String?
    /// The software a token was given to.
    package var client: String?
    /// What the proof is worth; what the configuration says of it unless said.
    package var level: AssuranceLevel?
    /// Seconds since it was proven.
    package var ageSeconds: UInt32
    package var standing: Standing

    package init(
        _ proof: Proof, by method: ProofMethod = .certificate, issuer: String? = nil,
        client: String? = nil, level: AssuranceLevel? = nil, ageSeconds: UInt32 = 0,
        standing: Standing = .unchecked
    ) {
        self.proof = proof
        self.method = method
        self.issuer = issuer
        self.client = client
        self.level = level
        self.ageSeconds = ageSeconds
        self.standing = standing
    }
}

/// What is shown, weighed.
package struct Weighed: Equatable, Sendable {
    package var evidence: Evidence
    /// Why what is shown proves nothing here; nil when it does.
    package var why: String?
}

/// An issuer is named that the configuration does not have.
package struct UnknownIssuer: Error, Equatable {
    package let message: String
    package let hint: String
}

extension Authentication {
    /// What `shown` is worth under this configuration.
    package func weigh(_ shown: ShownProof) throws(UnknownIssuer) -> Weighed {
        let relevant = try issuers(for: shown)
        if let why = refusal(of: shown, relevant) {
            return Weighed(evidence: Evidence(.none, by: nil), why: why)
        }
        let level: AssuranceLevel =
            switch shown.method {
            case .certificate: .high
            // Of several that it could be, the one that makes least sure.
            case .token, .session: relevant.map { issuers[$0].level }.min() ?? .low
            case .pamTOTP: accounts?.totpLevel ?? .low
            case .pamWebAuthn: accounts?.webAuthnLevel ?? .low
            }
        let evidence = Evidence(
            shown.proof, by: shown.method, level: shown.level ?? level,
            ageSeconds: shown.ageSeconds, standing: shown.standing)
        return Weighed(evidence: evidence)
    }

    /// Indices of the issuers it may come from.
    private func issuers(for shown: ShownProof) throws(UnknownIssuer) -> [Int] {
        let relevant = issuers.indices.filter { index in
            switch shown.method {
            case .token: issuers[index].tokens != nil
            case .session: signIn?.providers.contains { $0.issuer == index } ?? false
            case .certificate, .pamTOTP, .pamWebAuthn: false
            }
        }
        guard let name = shown.issuer else { return relevant }
        let names = issuers.map(\.name)
        guard names.contains(name) else {
            throw UnknownIssuer(
                message: "unknown issuer \(quoted(name))",
                hint: names.isEmpty ? "none is declared" : hint(for: name, among: names))
        }
        return relevant.filter { issuers[$0].name == name }
    }

    private func refusal(of shown: ShownProof, _ relevant: [Int]) -> String? {
        guard shown.proof != .none else { return nil }
        switch shown.method {
        case .certificate:
            return nil
        case .token:
            let whose = shown.issuer.map { "of \(quoted($0)) " } ?? ""
            guard !relevant.isEmpty else { return "no token \(whose)is accepted" }
            guard let client = shown.client else { return nil }
            let isAccepted = relevant.contains { index in
                issuers[index].tokens?.accepts(client: client) ?? false
            }
            return isAccepted ? nil : "no token \(whose)for client \(quoted(client)) is accepted"
        case .session:
            guard relevant.isEmpty else { return nil }
            return "nobody can sign in" + (shown.issuer.map { " at \(quoted($0))" } ?? "")
        case .pamTOTP, .pamWebAuthn:
            return accounts == nil ? "there are no local accounts" : nil
        }
    }
}
