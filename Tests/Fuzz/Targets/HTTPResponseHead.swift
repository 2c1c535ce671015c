// HTTPResponseHead.swift: heads of answers, and what is delivered of them.

import Wire

extension FuzzTarget {
    static let httpResponseHead = FuzzTarget(name: "http-response-head") { bytes in
        let limits = HeadLimits(headLengthMax: 1024, fieldsMax: 16)
        for method in [Method.get, .head] {
            var head = ResponseHead()
            guard let length = try? head.parse(bytes, answering: method, limits: limits)
            else { continue }
            precondition(length <= bytes.count && length <= limits.headLengthMax, "ends within")
            precondition((100...599).contains(head.status) && head.status != 101, "has a status")
            precondition(method == .get || head.framing == .none, "HEAD has no body")

            let delivered = Buffer(capacity: 16)
            delivered.appendStatusLine(head.status)
            delivered.appendEndToEndFields(of: head, in: bytes)
            delivered.append("\r\n")
            delivered.withBytes { copy in
                var again = ResponseHead()
                let end = try? again.parse(copy, answering: method, limits: HeadLimits())
                precondition(end == copy.count, "what is delivered is a head")
                precondition(again.status == head.status, "the status stays")
                for field in again.fields {
                    precondition(!FieldSet.hopByHop.contains(field.known), "hop-by-hop fields go")
                }
            }
        }
    }
}
