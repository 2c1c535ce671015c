// Bundles.swift: AuditEvents many at a time, as ITI-20 has them: a FHIR batch.

internal import JSON

/// A batch of creations.
package enum Bundles {
    /// Events of one bundle.
    package static let eventsMax = 500

    /// The bundle on one line; with a condition, a repository that has an event keeps one.
    package static func batch(_ events: [AuditEvent], isConditional: Bool) -> [UInt8] {
        var out = Array(#"{"resourceType":"Bundle","type":"batch","entry":["#.utf8)
        for (index, event) in events.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            out += Array("{\"fullUrl\":\"urn:uuid:\(event.id)\",\"resource\":".utf8)
            out += event.bytes
            let condition = isConditional ? ",\"ifNoneExist\":\"\(condition(event))\"" : ""
            out += Array(
                ",\"request\":{\"method\":\"POST\",\"url\":\"AuditEvent\"\(condition)}}".utf8)
        }
        return out + Array("]}".utf8)
    }

    /// What is searched for before an event is created, FHIR R4 §3.1.0.8.1.
    ///
    /// AuditEvent has no identifier: the name of its last entity is the event's id.
    static func condition(_ event: AuditEvent) -> String { "entity-name=" + event.id }

    /// The status of each entry of a batch's answer; nil when it is none, or one of another number.
    static func statuses(_ answer: [UInt8], count: Int) -> [Int]? {
        guard
            let value = try? JSONValue(
                answer.span, depthMax: 32, valuesMax: 1 << 18, bytesMax: 16 << 20),
            value["resourceType"]?.text == "Bundle", value["type"]?.text == "batch-response",
            let entries = value["entry"]?.items, entries.count == count
        else { return nil }
        var statuses: [Int] = []
        for entry in entries {
            // `201 Created` or `201`.
            guard let text = entry["response"]?["status"]?.text, text.utf8.count >= 3,
                let status = Int(text.prefix(3)), (100...599).contains(status),
                text.utf8.count == 3 || text.dropFirst(3).hasPrefix(" ")
            else { return nil }
            statuses.append(status)
        }
        return statuses
    }
}
