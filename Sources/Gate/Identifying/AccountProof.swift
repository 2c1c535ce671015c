// AccountProof.swift: a local account's password and code in each request, RFC 7617.
//
// Only where a route says `basic: true`. The password is followed by the six digits of the moment,
// which count once: what was found right is kept with the connection, and nowhere else.

internal import Accounts
internal import Identity
internal import Policy
internal import SignIn
internal import Wire

/// An account's credentials as a connection showed them.
struct ShownAccount {
    let credentials: [UInt8]
    let identity: ProvenIdentity
    /// Seconds since 1970 after which they must be shown to be right again.
    let until: Int64
}

extension WorkerCore {
    /// Where the credentials of a request lie, still encoded; nil when it has none of this scheme.
    func basicCredentials(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ route: PreparedRoute
    ) throws(Refusal) -> Range<Int>? {
        var found: Range<Int>?
        for index in 0..<head.fields.count where head.fields[index].known == .authorization {
            let value = head.fields[index].value
            guard hasScheme(bytes, value, "basic") else { continue }
            guard found == nil else { throw .accountRefused(route: route.index) }
            var start = value.lowerBound + 5
            while start < value.upperBound, bytes[start] == 0x20 { start += 1 }
            found = start..<value.upperBound
        }
        return found
    }

    /// Whom an account's credentials prove.
    func account(
        _ shown: Range<Int>, _ bytes: Span<UInt8>, on route: PreparedRoute,
        of client: ClientConnection
    ) throws(Refusal) -> Recognition {
        let credentials = bytes.extracting(shown)
        if let known = client.shownAccount, isSame(known.credentials, credentials),
            known.until > clock.wallSeconds,
            known.identity.credential.generation == generation.number,
            isLive(known.identity)
        {
            return .somebody(known.identity)
        }
        if case .somebody(let found)? = client.finding {
            let absolute = generation.configuration.authentication.signIn?.absolute ?? 0
            client.shownAccount = ShownAccount(
                credentials: copy(credentials), identity: found,
                until: clock.wallSeconds + absolute)
            return .somebody(found)
        }
        guard let desk = generation.ways.signIn else { throw .accountRefused(route: route.index) }
        var request = OwnRequest()
        request.peer = client.peer.host
        request.listener = client.listener ?? 0
        request.certificate = client.identity?.card?.fingerprint.array
        request.now = clock.wallSeconds
        let (asked, encoded) = (generation.number, copy(credentials))
        return .unknown(
            Errand(lane: .signIn) { [request] in
                .account(desk.basic(encoded, request))
            } adopt: { [self] result in
                noteSignIns()
                guard generation.number == asked else { return .outdated }
                guard case .account(let verdict) = result else { return .unavailable }
                switch verdict {
                case .proven(let proof): return .somebody(identity(of: proof))
                case .wrong: return .account
                case .neutralized: return .neutralized
                case .unavailable: return .unavailable
                }
            })
    }

    /// Whether the account of an identity has not changed since, as was known a second ago.
    private func isLive(_ identity: ProvenIdentity) -> Bool {
        guard let name = identity.credential.account.flatMap({ AccountName($0) }),
            let epoch = identity.credential.accountEpoch
        else { return false }
        return generation.ways.accounts?.store.isLive(name, epoch: epoch) == true
    }

    /// Whoever an account's credentials prove, on one connection.
    private func identity(of proof: SignInProof) -> ProvenIdentity {
        var credential = Credential()
        credential.method = proof.method
        credential.level = proof.level
        credential.account = proof.account
        credential.accountEpoch = proof.accountEpoch
        credential.provenAt = proof.provenAt
        credential.generation = generation.number
        let who = who(proof.professional.description, structure: proof.structure ?? "")
        // Another connection has to prove it anew: nobody would look for it by a name.
        let name = Registry.Name.account(proof.account ?? "", nextRequestID().text)
        return registry.put(
            ProvenIdentity(who, card: nil, credential: credential, limits: limits), as: name)
    }
}
