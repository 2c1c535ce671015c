// Bearer.swift: tokens in `Authorization`: whom they prove, RFC 6750, RFC 8705, RFC 9449.
//
// A token is verified once for a connection: the bytes that came last are compared, which costs a
// few nanoseconds; only what may change since (its time, the list, the configuration) is looked at
// again. A worker knows the tokens of its other connections by their digest.

internal import Identity
internal import Policy
internal import Tokens
internal import Wire

/// A token that was believed on a connection.
struct Bearer {
    let token: [UInt8]
    let identity: ProvenIdentity

    func isSame(_ bytes: Span<UInt8>) -> Bool {
        guard token.count == bytes.count else { return false }
        for index in bytes.indices where token[index] != bytes[index] { return false }
        return true
    }
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
    ) throws(TokenRefusal) -> ProvenIdentity {
        let token = bytes.extracting(shown.range)
        if let known = client.bearer, known.isSame(token), isBelieved(known.identity) {
            if known.identity.credential.verified?.keyThumbprint != nil || shown.isProven {
                try checkHolding(known.identity, shown, head, bytes, client)
            }
            return known.identity
        }
        let identity = try identity(of: token)
        try checkHolding(identity, shown, head, bytes, client)
        var copy: [UInt8] = []
        copy.reserveCapacity(token.count)
        for index in token.indices { copy.append(token[index]) }
        client.bearer = Bearer(token: copy, identity: identity)
        return identity
    }

    /// Whether what was verified once still is: its time is not over, its rules are in force.
    private func isBelieved(_ identity: ProvenIdentity) -> Bool {
        identity.credential.generation == generation.number
            && identity.credential.until > clock.wallSeconds
    }

    /// Whom a token proves, wherever it comes from; what it is tied to is still to be checked.
    private func identity(of token: Span<UInt8>) throws(TokenRefusal) -> ProvenIdentity {
        let digest = sha256(token)
        let name = Registry.Name.credential(Fingerprint(digest.span))
        if let known = registry.identity(name) {
            if isBelieved(known) { return known }
            registry.forget(name)
        }
        let issuers = generation.configuration.authentication.issuers
        guard let written = issuer(ofUnverified: token),
            let index = issuers.firstIndex(where: { $0.issuer == written }),
            let rules = issuers[index].tokens
        else { throw .issuer }
        let verified = try verifyAccessToken(
            token, keys: generation.keys[index], rules: rules, now: clock.wallSeconds)
        let who = Who(professional: verified.professional)
        guard who.proof == .person else { throw .professional }
        let rule = issuers[index]
        var credential = Credential()
        credential.method = .token
        credential.level = rule.level(of: verified.context)
        credential.issuer = index
        credential.issuerName = rule.name
        credential.token = verified.id
        credential.session = verified.session
        credential.client = verified.client
        credential.provenAt = verified.authenticatedAt ?? verified.issuedAt
        credential.until = verified.expiresAt.addingReportingOverflow(rule.leeway).partialValue
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
        if shown.isProven { proof = try self.proof(shown, head, bytes) }
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
        _ shown: ShownToken, _ head: borrowing RequestHead, _ bytes: Span<UInt8>
    ) throws(TokenRefusal) -> VerifiedProof {
        var found: Range<Int>?
        for index in 0..<head.fields.count {
            let field = head.fields[index]
            guard field.name.count == 4, begins(bytes, field.name, "dpop") else { continue }
            guard found == nil else { throw .proof }
            found = field.value
        }
        guard let found, let host = head.host else { throw .proof }
        let address =
            "https://" + text(bytes.extracting(host)) + text(bytes.extracting(head.target.path))
        return try verifyProof(
            bytes.extracting(found), method: bytes.extracting(head.methodName), address: address,
            token: bytes.extracting(shown.range), rules: proofs.rules, now: clock.wallSeconds)
    }
}

/// A text of ASCII.
private func text(_ bytes: Span<UInt8>) -> String {
    var text = ""
    for index in bytes.indices { text.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
    return text
}

/// Whether credentials are of this scheme, also when nothing follows it.
private func hasScheme(_ bytes: Span<UInt8>, _ range: Range<Int>, _ scheme: StaticString) -> Bool {
    guard begins(bytes, range, scheme) else { return false }
    let end = range.lowerBound + scheme.utf8CodeUnitCount
    return end == range.upperBound || bytes[end] == 0x20
}

/// Whether what lies there begins with these lower-case letters, in either case.
private func begins(_ bytes: Span<UInt8>, _ range: Range<Int>, _ word: StaticString) -> Bool {
    guard range.count >= word.utf8CodeUnitCount else { return false }
    for offset in 0..<word.utf8CodeUnitCount {
        let byte = bytes[range.lowerBound + offset]
        let folded = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
        // Safe because offset is below the length of the static text.
        guard folded == (unsafe word.utf8Start[offset]) else { return false }
    }
    return true
}
