// Ticket.swift: a sign-in under way, sealed into the browser's own cookie.
//
// The gate keeps nothing of a sign-in that has proven nothing yet, so no number of strangers who
// begin one costs it memory, nor pushes anybody else's out.

internal import Identity
internal import JSON
internal import WebAuthn

/// What one browser has begun.
struct Ticket: Equatable, Sendable {
    var stage: Stage
    var wish = Wish()
    /// Seconds since 1970 from which on it is worth nothing.
    var endsAt: Int64
    /// SHA-256 of the certificate of the connection it was begun on.
    var certificate: [UInt8]?

    /// How far it has come.
    enum Stage: Equatable, Sendable {
        /// The browser was sent to an identity provider.
        case provider(name: String, state: String, nonce: String, verifier: String)
        /// The password was right.
        case password(account: String, epoch: UInt64, challenge: Challenge?)
        /// A security key is to be registered by the link with this digest.
        case enrolment(link: String, challenge: Challenge)
    }

    /// Seconds for a sign-in at a provider, a card's PIN and its reader's troubles included.
    static let seconds: Int64 = 600
    /// Seconds between the password and the second factor.
    static let passwordSeconds: Int64 = 180
    static let enrolmentSeconds: Int64 = 600

    private static let purpose = "sign-in"

    /// The cookie's value; nil when OpenSSL is out of memory.
    func sealed(_ seal: Seal) -> String? {
        var object: JSONObject = ["end": JSONValue(integer: endsAt), "to": .string(wish.to.text)]
        object["level"] = wish.level.map { .string($0.rawValue) }
        object["age"] = wish.ageMax.map(JSONValue.init(integer:))
        object["lang"] = wish.language.map { .string($0.rawValue) }
        object["cert"] = certificate.map { .string(hexadecimal($0)) }
        switch stage {
        case .provider(let name, let state, let nonce, let verifier):
            object["at"] = .string("provider")
            object["name"] = .string(name)
            object["state"] = .string(state)
            object["nonce"] = .string(nonce)
            object["verifier"] = .string(verifier)
        case .password(let account, let epoch, let challenge):
            object["at"] = .string("password")
            object["name"] = .string(account)
            object["epoch"] = .string(String(epoch))
            object["challenge"] = challenge.map { .string($0.text) }
        case .enrolment(let link, let challenge):
            object["at"] = .string("enrolment")
            object["name"] = .string(link)
            object["challenge"] = .string(challenge.text)
        }
        return seal.close(JSONValue.object(object).encoded, for: Self.purpose)
    }

    init(stage: Stage, wish: Wish = Wish(), endsAt: Int64, certificate: [UInt8]?) {
        self.stage = stage
        self.wish = wish
        self.endsAt = endsAt
        self.certificate = certificate
    }

    /// The ticket of a request, if it holds one of ours that is still good on this connection.
    init?(_ request: OwnRequest, seal: Seal) {
        let field = Array(request.cookie.utf8)
        guard let place = cookie(CookieName.signIn, in: field.span),
            let text = seal.open(String(decoding: field[place], as: UTF8.self), for: Self.purpose),
            let object = try? JSONValue(text.span),
            let endsAt = object["end"]?.integer, request.now < endsAt,
            let to = object["to"]?.text.flatMap(LocalPath.init),
            object["cert"]?.text == request.certificate.map(hexadecimal),
            let stage = Stage(object)
        else { return nil }
        self.init(stage: stage, endsAt: endsAt, certificate: request.certificate)
        wish.to = to
        wish.level = object["level"]?.text.flatMap(AssuranceLevel.init(rawValue:))
        wish.ageMax = object["age"]?.integer
        wish.language = object["lang"]?.text.flatMap(Language.init(rawValue:))
    }
}

extension Ticket.Stage {
    fileprivate init?(_ object: JSONValue) {
        guard let name = object["name"]?.text else { return nil }
        let challenge = object["challenge"]?.text.flatMap(Challenge.init(text:))
        switch object["at"]?.text {
        case "provider":
            guard let state = object["state"]?.text, let nonce = object["nonce"]?.text,
                let verifier = object["verifier"]?.text
            else { return nil }
            self = .provider(name: name, state: state, nonce: nonce, verifier: verifier)
        case "password":
            guard let epoch = object["epoch"]?.text.flatMap({ UInt64($0) }) else { return nil }
            self = .password(account: name, epoch: epoch, challenge: challenge)
        case "enrolment":
            guard let challenge else { return nil }
            self = .enrolment(link: name, challenge: challenge)
        default: return nil
        }
    }
}
