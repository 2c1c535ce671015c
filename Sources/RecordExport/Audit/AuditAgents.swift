// AuditAgents.swift: who took part in an event: client, gate, professional, software, structure.

internal import JSON
internal import RecordReading

/// The agents of one event.
struct AuditAgents {
    private(set) var all: [JSONValue] = []

    private static let sourceRole = AuditCode.dicom(110153, "Source Role ID")
    private static let destinationRole = AuditCode.dicom(110152, "Destination Role ID")
    private static let application = AuditCode.dicom(110150, "Application")
    private static let recipient = AuditCode.terminology(
        "v3-ParticipationType", "IRCP", "information recipient")
    private static let author = AuditCode.terminology(
        "v3-ParticipationType", "AUT", "author (originator)")
    private static let human = AuditCode.terminology(
        "extra-security-role-type", "humanuser", "human user")
    private static let provider = AuditCode.terminology(
        "v3-RoleClass", "PROV", "healthcare provider")
    private static let tokenUser = AuditCode(
        system: "https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes",
        code: "UserOauthAgent", display: "User OAuth Agent participant")

    init(
        _ entry: borrowing RecordedEntry, _ description: AuditDescription, _ source: AuditSource
    ) {
        // Who reads is where a resource goes; who asks is where the query comes from.
        let isRead = description.pattern == .read
        if description.pattern != .event || !entry.peer.isEmpty {
            let client = isRead ? Self.destinationRole : Self.sourceRole
            add([client], who: clientWho(entry), network: clientNetwork(entry))
        }
        add(
            [isRead ? Self.sourceRole : Self.destinationRole], who: source.who,
            network: .object(["address": .string(source.host), "type": .string("1")]))
        addUser(entry, description)
        if !entry.client.isEmpty {
            add(
                [Self.application], who: who(AuditName(system: "", value: entry.client)),
                network: clientNetwork(entry))
        }
        if !entry.structure.isEmpty {
            add(
                [Self.provider],
                who: who(AuditName(system: AuditName.structures, value: entry.structure)))
        }
    }

    /// One agent is both the user of BALP's Query and the token's: two requestors would be two
    /// people.
    private mutating func addUser(
        _ entry: borrowing RecordedEntry, _ description: AuditDescription
    ) {
        var name: AuditName
        if !entry.professional.isEmpty {
            name = AuditName(system: AuditName.professionals, value: entry.professional)
        } else if !entry.account.isEmpty {
            name = AuditName(system: "", value: entry.account)
        } else if !entry.by.isEmpty {
            name = AuditName(system: "", value: entry.by)
        } else {
            return
        }
        if name.value.isEmpty { name.value = "unknown" }
        var types =
            switch description.pattern {
            case .query, .read: [Self.recipient]
            case .change: [Self.author]
            case .event: [Self.human]
            }
        var agent: JSONObject = [:]
        if !entry.token.isEmpty { types.append(Self.tokenUser) }
        agent["type"] = concept(types)
        var identifier = identifier(name)
        if !entry.issuer.isEmpty {
            identifier["assigner"] = .object(["display": .string(entry.issuer)])
        }
        agent["who"] = .object(["identifier": .object(identifier)])
        if !entry.account.isEmpty, entry.account != name.value {
            agent["altId"] = .string(entry.account)
        }
        agent["requestor"] = .boolean(true)
        if !entry.token.isEmpty {
            agent["policy"] = .array([.string("urn:ietf:params:oauth:jti:" + entry.token)])
        }
        if entry.breakGlass != nil {
            agent["purposeOfUse"] = .array([
                concept([.terminology("v3-ActReason", "BTG", "break the glass")])
            ])
        }
        all.append(.object(agent))
    }

    private mutating func add(
        _ types: [AuditCode], who: JSONValue, network: JSONValue? = nil
    ) {
        var agent: JSONObject = [
            "type": concept(types), "who": who, "requestor": .boolean(false),
        ]
        if let network { agent["network"] = network }
        all.append(.object(agent))
    }
}

extension AuditSource {
    /// The gate as a reference: the same wherever it stands, since profiles compare.
    var who: JSONValue {
        .object([
            "type": .string("Device"),
            "identifier": .object(identifier(AuditName(system: "", value: site))),
            "display": .string("Herse gate"),
        ])
    }
}

private func clientWho(_ entry: borrowing RecordedEntry) -> JSONValue {
    if !entry.client.isEmpty { return who(AuditName(system: "", value: entry.client)) }
    let address = address(ofPeer: entry.peer)
    return .object(["display": .string(address.isEmpty ? "unknown" : address)])
}

private func clientNetwork(_ entry: borrowing RecordedEntry) -> JSONValue {
    let address = address(ofPeer: entry.peer)
    guard !address.isEmpty else {
        return .object(["address": .string("unknown"), "type": .string("1")])
    }
    return .object(["address": .string(address), "type": .string("2")])
}

func identifier(_ name: AuditName) -> JSONObject {
    var identifier: JSONObject = [:]
    if !name.system.isEmpty { identifier["system"] = .string(name.system) }
    identifier["value"] = .string(name.value)
    return identifier
}

func who(_ name: AuditName) -> JSONValue { .object(["identifier": .object(identifier(name))]) }

private func concept(_ codes: [AuditCode]) -> JSONValue {
    .object(["coding": .array(codes.map(\.json))])
}
