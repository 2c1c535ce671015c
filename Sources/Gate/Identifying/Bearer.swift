// Bearer.swift: tokens in `Authorization`: whom they prove, RFC 6750, RFC 8705, RFC 9449.
//
// A token is verified once for a connection: the bytes that came last are compared, which costs a
// few nanoseconds; only what may change since (its time, the list, the configuration) is looked at
// again. A worker knows the tokens of its other connections by their digest.

internal import Identity
internal import Issuers
internal import Policy
internal import Signals
internal import Tokens
internal import Wire

/// A token that was believed on a connection.
struct Bearer {
    let token: [UInt8]
    let identity: ProvenIdentity
}

/// A token as it stands in a request.
struct ShownToken {
    let range: Range<Int>
    /// Whether it came with the scheme `DPoP`, whose proof is then wanted.
    let isProven: Bool
}

extension WorkerCore {
    /// The token of a request; nil when there is none, or another scheme's credentials.
    func bearerToken(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ route: PreparedRoute
    ) throws(Refusal) -> ShownToken? {
        var found: ShownToken?
        for index in 0..<head.fields.count where head.fields[index].known == .authorization {
            let value = head.fields[index].value
            let isProven = hasScheme(bytes, value, "dpop")
            guard isProven || hasScheme(bytes, value, "bearer") else { continue }
            // Two of them, and each reader would choose its own.
            guard found == nil else { throw .tokenRefused(route: route.index, .malformed) }
            var start = value.lowerBound + (isProven ? 4 : 6)
            while start < value.upperBound, bytes[start] == 0x20 { start += 1 }
            found = ShownToken(range: start..<value.upperBound, isProven: isProven)
        }
        return found
    }

    /// Whom a token proves, on this connection and for this request.
    func bearer(
        _ shown: ShownToken, _ head: borrowing RequestHead, _ bytes: Span<UInt8>,
        _ client: ClientConnection
    ) throws(TokenRefusal) -> Recognition {
        let token = bytes.extracting(shown.range)
        if let known = client.bearer, isSame(known.token, token), isBelieved(known.identity) {
            if known.identity.credential.verified?.keyThumbprint != nil || shown.isProven {
                try checkHolding(known.identity, shown, head, bytes, client)
            }
            return .somebody(known.identity)
        }
        let identity: ProvenIdentity
        if case .somebody(let found)? = client.finding {
            identity = found
        } else {
            switch try self.identity(of: token) {
            case .somebody(let known): identity = known
            case let other: return other
            }
        }
        try checkHolding(identity, shown, head, bytes, client)
        client.bearer = Bearer(token: copy(token), identity: identity)
        return .somebody(identity)
    }

    /// Whether what was verified once still is: its time is not over, its rules are in force.
    private func isBelieved(_ identity: ProvenIdentity) -> Bool {
        identity.credential.generation == generation.number
            && identity.credential.until > clock.wallSeconds
    }

    /// Whom a token proves, wherever it comes from; what it is tied to is still to be checked.
    private func identity(of token: Span<UInt8>) throws(TokenRefusal) -> Recognition {
        let digest = sha256(token)
        let name = Registry.Name.credential(Fingerprint(digest.span))
        if let known = registry.identity(name) {
            if isBelieved(known) { return .somebody(known) }
            registry.forget(name)
        }
        let issuers = generation.configuration.authentication.issuers
        let now = clock.wallSeconds
        guard let written = issuer(ofUnverified: token) else {
            let candidates = issuers.indices.filter {
                issuers[$0].tokens != nil && issuers[$0].introspection != .never
            }
            guard !candidates.isEmpty else { throw .issuer }
            return .unknown(inquiry(token, candidates, as: name, isOpaque: true))
        }
        guard let index = issuers.firstIndex(where: { $0.issuer == written }),
            let rules = issuers[index].tokens
        else { throw .issuer }
        let desk = generation.ways.issuers[index]
        guard issuers[index].introspection != .always, let keys = desk.keys(now: now) else {
            return .unknown(inquiry(token, [index], as: name, isOpaque: false))
        }
        do throws(TokenRefusal) {
            let verified = try verifyAccessToken(token, keys: keys, rules: rules, now: now)
            return .somebody(try adopt(verified, of: index, as: name))
        } catch {
            guard error == .unknownKey, desk.mayLearn(now: now) else { throw error }
            return .unknown(inquiry(token, [index], as: name, isOpaque: false))
        }
    }

    /// What finds out about a token that cannot be judged here and now.
    private func inquiry(
        _ token: Span<UInt8>, _ issuers: [Int], as name: Registry.Name, isOpaque: Bool
    ) -> Errand {
        let rules = generation.configuration.authentication.issuers
        let inquiry = TokenInquiry(
            token: copy(token),
            candidates: issuers.compactMap { index in
                rules[index].tokens.map {
                    TokenInquiry.Candidate(
                        index: index, desk: generation.ways.issuers[index], rules: $0,
                        introspection: rules[index].introspection,
                        cache: rules[index].introspectionCache)
                }
            }, isOpaque: isOpaque, now: clock.wallSeconds)
        let asked = generation.number
        return Errand(lane: .recognition) {
            inquiry.find()
        } adopt: { [self] result in
            guard generation.number == asked else { return .outdated }
            guard case .token(let found) = result else { return .unavailable }
            do throws(TokenRefusal) {
                let found = try found.get()
                return .somebody(
                    try adopt(found.token, of: found.index, as: name, until: found.until))
            } catch {
                return .token(error)
            }
        }
    }

    /// Whom a verified token of an issuer proves, known by `name` from now on.
    func adopt(
        _ verified: VerifiedToken, of index: Int, as name: Registry.Name, until: Int64 = .max
    ) throws(TokenRefusal) -> ProvenIdentity {
        let who = who(verified.professional)
        guard who.proof == .person else { throw .professional }
        let rule = generation.configuration.authentication.issuers[index]
        if !generation.ways.signals.receivers.isEmpty {
            signals.book.learn(
                issuer: verified.issuer, subject: verified.subject, professional: who.professional)
        }
        var credential = Credential()
        credential.method = .token
        credential.level = rule.level(of: verified.context)
        credential.issuer = index
        credential.issuerName = rule.name
        credential.token = verified.id
        credential.session = verified.session
        credential.client = verified.client
        // Not when the token was made: one that was renewed proves nothing fresh.
        credential.provenAt = verified.authenticatedAt
        credential.issuedAt = verified.issuedAt
        let (end, overflows) = verified.expiresAt.addingReportingOverflow(rule.leeway)
        credential.until = min(until, overflows ? .max : end)
        credential.verified = verified
        credential.generation = generation.number
        let identity = ProvenIdentity(who, card: nil, credential: credential, limits: limits)
        return registry.put(identity, as: name)
    }

    /// Whoever sends a token must hold what it is tied to.
    private func checkHolding(
        _ identity: ProvenIdentity, _ shown: ShownToken, _ head: borrowing RequestHead,
        _ bytes: Span<UInt8>, _ client: ClientConnection
    ) throws(TokenRefusal) {
        guard let token = identity.credential.verified, let issuer = identity.credential.issuer,
            let rules = generation.configuration.authentication.issuers[issuer].tokens
        else { throw .issuer }
        var proof: VerifiedProof?
        if shown.isProven { proof = try self.proof(shown, head, bytes, client) }
        if let card = client.identity?.card {
            let digest = card.fingerprint.array
            try checkBinding(token, rules: rules, certificate: digest.span, proof: proof)
        } else {
            try checkBinding(token, rules: rules, certificate: nil, proof: proof)
        }
        // Asked last: else strangers could fill what remembers them.
        if let proof, !proofs.replays.use(proof, now: clock.wallSeconds) { throw .proof }
    }

    /// The proof that came with a request; whether it was used before is still to be asked.
    private func proof(
        _ shown: ShownToken, _ head: borrowing RequestHead, _ bytes: Span<UInt8>,
        _ client: ClientConnection
    ) throws(TokenRefusal) -> VerifiedProof {
        guard let found = field("dpop", head, bytes), let host = head.host,
            let listener = client.listener,
            // Else whoever serves another name could bring here what was made for it.
            generation.listeners[listener].isNamed(asciiText(bytes.extracting(host)))
        else { throw .proof }
        let address =
            "https://" + asciiText(bytes.extracting(host))
            + asciiText(bytes.extracting(head.target.path))
        do throws(TokenRefusal) {
            return try verifyProof(
                bytes.extracting(found), method: bytes.extracting(head.methodName),
                address: address, token: bytes.extracting(shown.range), rules: proofs.rules,
                now: clock.wallSeconds)
        } catch {
            // Whatever is wrong with it: the client is told how to prove, not how it failed.
            throw error == .proofNonce ? error : .proof
        }
    }
}
