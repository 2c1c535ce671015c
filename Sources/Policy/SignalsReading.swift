// SignalsReading.swift: security events from identity providers and to them, OpenID Shared Signals.

package import Signals
package import Tokens

/// The streams of security events.
package struct SignalsRule: Sendable {
    package let place: SourceLocation
    package var receivers: [ReceiverRule] = []
    package var transmitter: TransmitterRule?

    /// Streams either way.
    static let streamsMax = 64
}

/// A stream that is received.
package struct ReceiverRule: Equatable, Sendable {
    /// How the subject of an event names a professional.
    package enum ProfessionalSource: String, CaseIterable, Sendable {
        /// By the national identifier itself.
        case sub
        /// By the national identifier behind the last `:`, as Keycloak writes federated users.
        case subSuffix = "sub-suffix"
        /// By a `sub` that somebody proved themselves with since the gate started.
        case known
    }

    package let name: String
    package let place: SourceLocation
    /// `iss` of its events, and their `aud`.
    package let issuer: String
    package let audience: String
    /// Nil for those of the token issuer of the same `issuer`.
    package var keys: IssuerRule.KeySource?
    package var algorithms: Set<SignatureAlgorithm> = [.es256, .es384, .ps256, .rs256, .edDSA]
    /// Trust anchors of every https address of the stream.
    package var authorities: FileReference?
    package var push: PushRule?
    package var poll: PollRule?
    package var verification: VerificationRule?
    package var professional = ProfessionalSource.sub
    package var actions: [SignalEvent: SignalAction] = [:]

    package init(name: String, place: SourceLocation, issuer: String, audience: String) {
        self.name = name
        self.place = place
        self.issuer = issuer
        self.audience = audience
    }

    /// What is done about an event.
    package func action(on event: SignalEvent) -> SignalAction {
        actions[event] ?? event.standardAction
    }
}

/// Where events are pushed to, RFC 8935.
package struct PushRule: Equatable, Sendable {
    /// Below `/.herse/signals/`.
    package var path: String
    /// What the transmitter shows.
    package var token: FileReference
    /// Indices of the listeners it comes through; nil for all.
    package var listeners: [Int]?
}

/// Where events are fetched from, RFC 8936.
package struct PollRule: Equatable, Sendable {
    package var url: String
    package var token: FileReference
    /// Seconds between two polls.
    package var every: Int64 = 10
}

/// How it is found out that the stream lives, SSF 1.0 §8.1.4.
package struct VerificationRule: Equatable, Sendable {
    package var url: String
    package var stream: String
    package var token: FileReference
    /// Seconds between two questions; each is answered before the next.
    package var every: Int64 = 3600
}

/// What is told others of the gate's own decisions.
package struct TransmitterRule: Equatable, Sendable {
    package let place: SourceLocation
    /// `iss` of its events and of their subjects.
    package let issuer: String
    package var receivers: [SignalTargetRule] = []
    /// Seconds after which what nobody took is given up.
    package var keep: Int64 = 7 * 86_400
}

/// Somebody who is told.
package struct SignalTargetRule: Equatable, Sendable {
    package let name: String
    package let place: SourceLocation
    package let url: String
    package let audience: String
    package let token: FileReference
    package var authorities: FileReference?
}

extension Reading {
    func signals(
        _ entry: Entry?, listeners: Names, issuers: [IssuerRule]
    ) -> SignalsRule? {
        let keys = ["receivers", "transmitter"]
        guard let entry,
            let fields = Fields(entry.value, of: "`signals`", keys: keys, problems: problems)
        else { return nil }
        var rule = SignalsRule(place: entry.place)
        rule.receivers = fields.list("receivers", countMax: SignalsRule.streamsMax).compactMap {
            receiver($0, listeners, issuers)
        }
        refuseDuplicates(rule.receivers.map { ($0.name, $0.place) }, of: "receiver")
        refuseDuplicates(
            rule.receivers.compactMap { one in one.push.map { ($0.path, one.place) } }, of: "path")
        rule.transmitter = fields["transmitter"].flatMap { transmitter($0) }
        return rule
    }

    private static let receiverKeys = [
        "name", "issuer", "audience", "keys", "algorithms", "authorities", "push", "poll",
        "verify_every", "verification_url", "verification_token_file", "stream_id",
        "professional_id", "actions",
    ]

    private func receiver(
        _ value: Value, _ listeners: Names, _ issuers: [IssuerRule]
    ) -> ReceiverRule? {
        guard
            let fields = Fields(
                value, of: "a receiver", keys: Self.receiverKeys, problems: problems),
            let name = fields.required(
                "name", { (scalar) throws(Complaint) in try scalar.name() }),
            let issuer = fields.required(
                "issuer", { (scalar) throws(Complaint) in try scalar.token(lengthMax: 512) }),
            let audience = fields.required(
                "audience", { (scalar) throws(Complaint) in try scalar.token(lengthMax: 512) })
        else { return nil }
        var rule = ReceiverRule(
            name: name, place: value.place, issuer: issuer, audience: audience)
        if fields["algorithms"] != nil { rule.algorithms = algorithms(fields) }
        rule.keys = fields.optional("keys") {
            (scalar) throws(Complaint) -> IssuerRule.KeySource in
            let isAddress = scalar.text.hasPrefix("http://") || scalar.text.hasPrefix("https://")
            return isAddress ? .url(try scalar.webAddress().text) : .file(try file(scalar))
        }
        if fields["keys"] == nil, !issuers.contains(where: { $0.issuer == issuer }) {
            problems.error(
                value.place, "a receiver needs `keys`",
                hint: "no issuer of tokens has this `issuer`, whose keys would do")
        }
        rule.professional = fields.optional("professional_id", default: rule.professional) {
            (scalar) throws(Complaint) in try scalar.word(ReceiverRule.ProfessionalSource.self)
        }
        rule.push = fields["push"].flatMap { push($0, listeners) }
        rule.poll = fields["poll"].flatMap { poll($0) }
        if fields["push"] == nil, fields["poll"] == nil {
            problems.error(value.place, "a receiver needs `push` or `poll`")
        }
        readVerification(fields, &rule)
        readActions(fields, &rule)
        var addresses = [rule.poll?.url, rule.verification?.url]
        if case .url(let url) = rule.keys { addresses.append(url) }
        rule.authorities = authorities(fields, addresses)
        return rule
    }

    private func push(_ entry: Entry, _ listeners: Names) -> PushRule? {
        let keys = ["path", "bearer_token_file", "listeners"]
        guard let fields = Fields(entry.value, of: "`push`", keys: keys, problems: problems),
            let path = fields.required(
                "path",
                { (scalar) throws(Complaint) -> String in
                    let start = "/.herse/signals/"
                    guard scalar.text.hasPrefix(start), scalar.text.utf8.count > start.utf8.count
                    else {
                        throw Complaint(
                            "\(quoted(scalar.text)) is not below `\(start)`",
                            hint: "such as `\(start)idp`")
                    }
                    let end = Scalar(
                        text: String(scalar.text.dropFirst(start.count)), isQuoted: false,
                        place: scalar.place)
                    _ = try end.name()
                    return scalar.text
                }),
            let token = fields.required(
                "bearer_token_file", { (scalar) throws(Complaint) in try secretFile(scalar) })
        else { return nil }
        var rule = PushRule(path: path, token: token)
        if let entry = fields["listeners"] {
            refuseEmpty(entry, hint: "leave it out for all of them")
            rule.listeners = fields.texts("listeners", countMax: 64) {
                (scalar) throws(Complaint) in try listeners.index(of: scalar.text, kind: "listener")
            }.map(\.value)
        }
        return rule
    }

    private func poll(_ entry: Entry) -> PollRule? {
        let keys = ["url", "bearer_token_file", "every"]
        guard let fields = Fields(entry.value, of: "`poll`", keys: keys, problems: problems),
            let url = fields.required(
                "url", { (scalar) throws(Complaint) in try scalar.webAddress().text }),
            let token = fields.required(
                "bearer_token_file", { (scalar) throws(Complaint) in try secretFile(scalar) })
        else { return nil }
        var rule = PollRule(url: url, token: token)
        rule.every = fields.optional("every", default: rule.every) { (scalar) throws(Complaint) in
            try scalar.seconds(1...3600)
        }
        return rule
    }

    private func readVerification(_ fields: Fields, _ rule: inout ReceiverRule) {
        guard fields["verification_url"] != nil else {
            for key in ["verify_every", "verification_token_file", "stream_id"] {
                guard let entry = fields[key] else { continue }
                problems.error(entry.place, "`\(key)` needs `verification_url`")
            }
            return
        }
        let url = fields.optional("verification_url") { (scalar) throws(Complaint) in
            try scalar.webAddress().text
        }
        let stream = fields.required("stream_id") { (scalar) throws(Complaint) in
            try scalar.token()
        }
        let token = fields.optional("verification_token_file") { (scalar) throws(Complaint) in
            try secretFile(scalar)
        }
        guard let token = token ?? rule.poll?.token else {
            if fields["verification_token_file"] == nil, fields["poll"] == nil {
                problems.error(
                    fields.place(of: "verification_url"),
                    "`verification_url` needs `verification_token_file`",
                    hint: "what the gate shows there")
            }
            return
        }
        guard let url, let stream else { return }
        var verification = VerificationRule(url: url, stream: stream, token: token)
        verification.every = fields.optional("verify_every", default: verification.every) {
            (scalar) throws(Complaint) in try scalar.seconds(1...7 * 86_400)
        }
        rule.verification = verification
    }

    private func readActions(_ fields: Fields, _ rule: inout ReceiverRule) {
        guard let entry = fields["actions"],
            let actions = Fields(
                entry.value, of: "`actions`", keys: SignalEvent.allCases.map(\.rawValue),
                problems: problems)
        else { return }
        for event in SignalEvent.allCases {
            rule.actions[event] = actions.optional(event.rawValue) { (scalar) throws(Complaint) in
                let action = try scalar.word(SignalAction.self)
                guard action != .reinstate || event == .accountEnabled else {
                    throw Complaint(
                        "nobody is reinstated by this event", hint: "`account-enabled` alone does")
                }
                guard event != .accountEnabled || [.reinstate, .ignore, .alert].contains(action)
                else {
                    throw Complaint(
                        "nobody is cut off by this event", hint: "`reinstate`, `alert` or `ignore`")
                }
                return action
            }
        }
    }

    private func transmitter(_ entry: Entry) -> TransmitterRule? {
        let keys = ["issuer", "receivers", "keep"]
        guard
            let fields = Fields(
                entry.value, of: "`transmitter`", keys: keys, problems: problems),
            let issuer = fields.required(
                "issuer", { (scalar) throws(Complaint) in try scalar.token(lengthMax: 512) })
        else { return nil }
        var rule = TransmitterRule(place: entry.place, issuer: issuer)
        if let receivers = fields.required("receivers") { refuseEmpty(receivers) }
        rule.receivers = fields.list("receivers", countMax: SignalsRule.streamsMax)
            .compactMap(target)
        refuseDuplicates(rule.receivers.map { ($0.name, $0.place) }, of: "receiver")
        rule.keep = fields.optional("keep", default: rule.keep) { (scalar) throws(Complaint) in
            try scalar.seconds(1...30 * 86_400)
        }
        return rule
    }

    private func target(_ value: Value) -> SignalTargetRule? {
        let keys = ["name", "url", "audience", "bearer_token_file", "authorities"]
        guard
            let fields = Fields(
                value, of: "a receiver of the transmitter", keys: keys, problems: problems),
            let name = fields.required(
                "name", { (scalar) throws(Complaint) in try scalar.name() }),
            let url = fields.required(
                "url", { (scalar) throws(Complaint) in try scalar.webAddress().text }),
            let audience = fields.required(
                "audience", { (scalar) throws(Complaint) in try scalar.token(lengthMax: 512) }),
            let token = fields.required(
                "bearer_token_file", { (scalar) throws(Complaint) in try secretFile(scalar) })
        else { return nil }
        let authorities = authorities(fields, [url])
        return SignalTargetRule(
            name: name, place: value.place, url: url, audience: audience, token: token,
            authorities: authorities)
    }
}
