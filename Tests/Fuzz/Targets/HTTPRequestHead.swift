// HTTPRequestHead.swift: request heads, whole and in pieces, and what is forwarded of them.

import Wire

extension FuzzTarget {
    static let httpRequestHead = FuzzTarget(name: "http-request-head") { bytes in
        let limits = HeadLimits(headLengthMax: 1024, fieldsMax: 16)
        var head = RequestHead()
        let whole: Int?
        do throws(HeadError) {
            whole = try head.parse(bytes, limits: limits)
        } catch {
            precondition(arrives(bytes, limits) == .refused(error), "pieces are refused alike")
            return
        }
        guard let length = whole else {
            precondition(arrives(bytes, limits) == .incomplete, "pieces are as incomplete")
            return
        }
        precondition(arrives(bytes, limits) == .whole(length), "pieces are as whole")
        precondition(
            length <= bytes.count && length <= limits.headLengthMax, "ends within its bytes")
        guard head.target.form != .authority else { return }

        // What is forwarded is understood in the same way, and forwarded in turn as it stands.
        let first = forward(head, bytes)
        let second = first.withBytes { copy in
            var again = RequestHead()
            guard let end = try? again.parse(copy, limits: HeadLimits()), end == copy.count else {
                preconditionFailure("what is forwarded is a head")
            }
            precondition(again.method == head.method, "the method stays")
            precondition(again.fields.count <= head.fields.count + 1, "no field is added")
            for field in again.fields where field.known != .host {
                precondition(!FieldSet.hopByHop.contains(field.known), "hop-by-hop fields go")
                precondition(!FieldSet.identity.contains(field.known), "forged fields go")
            }
            return forward(again, copy)
        }
        precondition(equal(first, second), "what is forwarded stays as it is")
    }

    /// The request that an identity server would get, without a body.
    private static func forward(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Buffer {
        let buffer = Buffer(capacity: 16)
        buffer.append(bytes.extracting(head.methodName))
        buffer.append(" ")
        buffer.appendOriginTarget(of: head, in: bytes)
        buffer.append(" HTTP/1.1\r\nHost: ")
        if let host = head.host {
            buffer.append(bytes.extracting(host))
        } else {
            buffer.append("a")
        }
        buffer.append("\r\n")
        buffer.appendEndToEndFields(of: head, in: bytes)
        buffer.append("\r\n")
        return buffer
    }

    private static func equal(_ one: Buffer, _ other: Buffer) -> Bool {
        guard one.count == other.count else { return false }
        return one.withBytes { left in
            other.withBytes { right in
                for index in 0..<left.count where left[index] != right[index] { return false }
                return true
            }
        }
    }

    private enum Outcome: Equatable {
        case whole(Int)
        case incomplete
        case refused(HeadError)
    }

    /// What becomes of the bytes when they come a few at a time.
    private static func arrives(_ bytes: Span<UInt8>, _ limits: HeadLimits) -> Outcome {
        var search = HeadSearch()
        var head = RequestHead()
        let step = bytes.count % 7 + 1
        var count = 0
        while count < bytes.count {
            count = min(count + step, bytes.count)
            let arrived = bytes.extracting(0..<count)
            guard search.isWorthParsing(arrived, limits: limits) else { continue }
            do {
                if let length = try head.parse(arrived, limits: limits) { return .whole(length) }
            } catch {
                return .refused(error)
            }
        }
        // The search may find a few last bytes not worth parsing: refused later, or never whole.
        do {
            let length = try head.parse(bytes, limits: limits)
            precondition(length == nil, "a whole head is found when it ends")
            return .incomplete
        } catch {
            return .refused(error)
        }
    }
}
