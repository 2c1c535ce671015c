// Polling.swift: what a poll asks and what is answered, RFC 8936 §2.

package import JSON

/// What is told the transmitter in a poll of the events that came before.
package struct PollRequest: Equatable, Sendable {
    /// Taken, and carried out.
    package var acknowledged: [String] = []
    /// Refused, each by its `jti`.
    package var refused: [(id: String, error: DeliveryError)] = []
    package var eventsMax = 100

    package init() {}

    package static func == (one: PollRequest, other: PollRequest) -> Bool {
        one.json == other.json
    }

    package var json: JSONValue {
        var errors: JSONObject = [:]
        for (id, error) in refused { errors[id] = error.json }
        var object: JSONObject = [
            "maxEvents": JSONValue(integer: Int64(eventsMax)), "returnImmediately": .boolean(true),
        ]
        if !acknowledged.isEmpty { object["ack"] = .array(acknowledged.map { .string($0) }) }
        if !refused.isEmpty { object["setErrs"] = .object(errors) }
        return .object(object)
    }
}

/// The events of an answer.
package struct PollAnswer: Equatable, Sendable {
    /// An event under the `jti` its sender gave it.
    package struct Item: Equatable, Sendable {
        package let id: String
        package let token: [UInt8]
    }

    /// Whether there are more is not asked: whoever sent some is polled again at once, to hear what
    /// became of them.
    package let items: [Item]

    /// Bytes of an answer; 100 events of the largest size.
    package static let bytesMax = 8 << 20
    /// Events that are read of one answer, whatever was asked for.
    static let itemsMax = 1000

    /// Nil for what is no answer to a poll.
    package init?(json: Span<UInt8>) {
        let value = try? JSONValue(json, depthMax: 4, valuesMax: 4096, bytesMax: Self.bytesMax)
        // Both members may be left out when there is nothing to say.
        guard let value, let members = value.members else { return nil }
        var items: [Item] = []
        if let sets = members["sets"] {
            guard let written = sets.members?.members, written.count <= Self.itemsMax else {
                return nil
            }
            for member in written {
                guard let text = member.value.text else { return nil }
                items.append(Item(id: member.key, token: Array(text.utf8)))
            }
        }
        self.items = items
    }
}
