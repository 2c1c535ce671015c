// SessionProof.swift: sessions of the gate's own, by the cookie that a request shows.
//
// A cookie is looked up once for a connection: the bytes that came last are compared, and the
// session itself says, in a load or two, whether it still lives.

internal import Identity
internal import Policy
internal import SignIn
internal import Wire

/// A session as a connection showed it.
struct ShownSession {
    let cookie: [UInt8]
    let identity: ProvenIdentity
}

extension WorkerCore {
    /// Whom the session of a request proves; nil when it shows none that lives.
    func session(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, on route: PreparedRoute,
        of client: ClientConnection
    ) throws(Refusal) -> ProvenIdentity? {
        guard let identity = liveSession(head, bytes, of: client) else { return nil }
        guard route.accepts(identity.method) else { return nil }
        // A page of somebody else's must not act in the name of whoever looks at it.
        if !head.method.isSafe, !isFromOurPages(head, bytes) {
            throw .otherOrigin(route: route.index)
        }
        return identity
    }

    /// Whoever is signed in, as the cookie says.
    func liveSession(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, of client: ClientConnection
    ) -> ProvenIdentity? {
        guard let value = sessionCookie(of: head, bytes) else { return nil }
        let now = clock.wallSeconds
        if let shown = client.shownSession, isSame(shown.cookie, bytes.extracting(value)),
            let live = shown.identity.credential.live,
            shown.identity.credential.generation == generation.number, live.use(now: now)
        {
            return shown.identity
        }
        let certificate = client.session.peerFingerprint?.array
        let found =
            certificate.map {
                sessionStore.session(bytes.extracting(value), certificate: $0.span, now: now)
            }
            ?? sessionStore.session(bytes.extracting(value), certificate: nil, now: now)
        guard let found else { return nil }
        let identity = identity(of: found)
        client.shownSession = ShownSession(
            cookie: copy(bytes.extracting(value)), identity: identity)
        return identity
    }

    /// Where the session's cookie lies; nil when there is none, or more than one.
    private func sessionCookie(
        of head: borrowing RequestHead, _ bytes: Span<UInt8>
    ) -> Range<Int>? {
        var found: Range<Int>?
        for index in 0..<head.fields.count where head.fields[index].known == .cookie {
            let field = head.fields[index].value
            guard let value = SignIn.sessionCookie(in: bytes.extracting(field)) else { continue }
            guard found == nil else { return nil }
            found = field.lowerBound + value.lowerBound..<field.lowerBound + value.upperBound
        }
        return found
    }

    private func identity(of session: LiveSession) -> ProvenIdentity {
        let name = Registry.Name.session(session.publicID)
        if let known = registry.identity(name), known.credential.live === session,
            known.credential.generation == generation.number
        {
            return known
        }
        var credential = Credential()
        credential.method = session.method
        credential.level = session.level
        let issuers = generation.configuration.authentication.issuers
        credential.issuerName = issuers.first { $0.issuer == session.issuer }?.name ?? ""
        credential.session = session.publicID
        credential.providerSession = session.providerSession
        credential.account = session.account
        credential.client = session.client
        credential.provenAt = session.provenAt
        credential.issuedAt = session.beganAt
        credential.live = session
        credential.generation = generation.number
        let who = who(session.professional.description, structure: session.structure ?? "")
        return registry.put(
            ProvenIdentity(who, card: nil, credential: credential, limits: limits), as: name)
    }

    /// Whether a request that changes something was made by one of the pages under our address.
    private func isFromOurPages(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Bool {
        guard let url = generation.configuration.authentication.signIn?.url else { return false }
        if let origin = field("origin", head, bytes) {
            return asciiText(bytes.extracting(origin)) == url
        }
        guard let site = field("sec-fetch-site", head, bytes) else { return false }
        return asciiText(bytes.extracting(site)) == "same-origin"
    }
}

/// Whether bytes kept are those there, in the same time wherever they differ.
func isSame(_ kept: [UInt8], _ bytes: Span<UInt8>) -> Bool {
    guard kept.count == bytes.count else { return false }
    var difference: UInt8 = 0
    for index in bytes.indices { difference |= kept[index] ^ bytes[index] }
    return difference == 0
}

/// Bytes as an array of their own.
func copy(_ bytes: Span<UInt8>) -> [UInt8] {
    var copy: [UInt8] = []
    copy.reserveCapacity(bytes.count)
    for index in bytes.indices { copy.append(bytes[index]) }
    return copy
}
