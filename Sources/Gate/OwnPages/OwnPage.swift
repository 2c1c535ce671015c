// OwnPage.swift: requests for the gate's own pages, under `/.herse/`: who may ask, and how they
// are answered off the worker.

internal import Policy
internal import Reactor
internal import SignIn
internal import Wire

extension WorkerCore {
    /// Bytes of a form, and of a logout token, that are read.
    static let pageBodyMax: UInt64 = 65_536

    /// The request for a page of the gate's own, its body left out; nil when it is for a route.
    ///
    /// Whoever may not speak to the gate at all sees none of its pages either.
    func ownPage(
        of head: borrowing RequestHead, _ bytes: Span<UInt8>, from client: ClientConnection
    ) throws(Refusal) -> OwnRequest? {
        guard begins(bytes, head.path, "/.herse/"), let listener = client.listener,
            generation.hasOwnPages(on: listener)
        else { return nil }
        try welcome(client, wantsUpgrade: head.wantsUpgrade)
        var request = OwnRequest()
        switch head.method {
        case .get: request.method = .get
        case .head: request.method = .head
        case .post: request.method = .post
        default: throw .methodNotAllowed
        }
        request.path = asciiText(bytes.extracting(head.path))
        request.query = asciiText(bytes.extracting(head.target.query ?? 0..<0))
        func value(_ name: StaticString) -> String {
            field(name, head, bytes).map { asciiText(bytes.extracting($0)) } ?? ""
        }
        request.contentType = value("content-type")
        request.authorization = value("authorization")
        request.accept = value("accept")
        request.acceptLanguage = value("accept-language")
        request.origin = value("origin")
        request.fetchSite = value("sec-fetch-site")
        request.userAgent = value("user-agent")
        var cookies: [String] = []
        for index in 0..<head.fields.count where head.fields[index].known == .cookie {
            cookies.append(asciiText(bytes.extracting(head.fields[index].value)))
        }
        request.cookie = cookies.joined(separator: "; ")
        request.peer = client.peer.host
        request.listener = listener
        request.certificate = client.identity?.card?.fingerprint.array
        if let identity = client.identity, identity.proof == .person {
            request.certificateProfessional = String(decoding: identity.professional, as: UTF8.self)
        }
        request.now = clock.wallSeconds
        return request
    }
}

extension Exchange {
    /// The request is for a page of the gate's own: its body, if any, is held.
    func beginPage(_ request: OwnRequest, _ head: borrowing RequestHead) throws(Refusal) {
        page = request
        bodyMax = WorkerCore.pageBodyMax
        if case .length(let count) = head.framing, count > bodyMax { throw .bodyTooLarge }
        requestBody = head.framing
        requestIsWhole = head.framing.isEmpty
    }

    /// The request is whole: the page is made on an errand, since passwords and identity providers
    /// take their time.
    func makePage() {
        guard let request = page, stage == .forwarding else { return }
        let generation = self.generation
        let use = self.use
        let adopt: (ErrandResult) -> Void = { [self] result in
            worker.noteSignIns()
            guard self.use == use, case .page(let reply) = result else { return }
            deliver(reply)
        }
        let accepted: Bool
        if let receiver = generation.receiver(of: request) {
            accepted = worker.errands.run(.signals) { leave in
                receiver.takePush(request) { leave(.page($0)) }
            } done: {
                adopt($0)
            }
        } else {
            accepted = worker.errands.run(.signIn) {
                .page(generation.ownReply(to: request))
            } done: {
                adopt($0)
            }
        }
        if !accepted { refuse(.overloaded) }
    }
}

extension OwnAnswer {
    /// A page, as the desk made it.
    init(_ reply: OwnReply) {
        // INVARIANT: the desk puts nothing into a field that a line could end in; what did would
        // begin a field of a stranger's choosing, so it is left out whole.
        var fields = ""
        for (name, value) in reply.fields
        where !value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            fields += "\(name): \(value)\r\n"
        }
        self.init(status: reply.status, fields: fields, body: reply.body, closesConnection: false)
    }
}
