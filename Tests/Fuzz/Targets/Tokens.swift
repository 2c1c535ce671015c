// Tokens.swift: whole JSON texts, and tokens, proofs, keys and claims of every kind.

import JSON
import Lookup
import Tokens

extension FuzzTarget {
    static let token = FuzzTarget(name: "token") { bytes in fuzzTokens(bytes) }

    /// What is read as a value is what the other reader takes for JSON, too, and reads back.
    static let jsonValue = FuzzTarget(name: "json-value") { bytes in
        guard let value = try? JSONValue(bytes) else { return }
        precondition(depth(value) <= 16, "no deeper than is allowed")
        let text = value.encoded
        precondition((try? JSONValue(text.span)) == value, "a value reads back")
        var reader = JSONReader()
        do {
            while try reader.next(bytes, isWhole: true) != .end {}
        } catch {
            preconditionFailure("two readers agree on what is JSON")
        }
    }

    private static func depth(_ value: JSONValue) -> Int {
        _ = value.integer
        _ = value.wholePart
        _ = value.texts
        return switch value {
        case .object(let object): 1 + (object.members.map { depth($0.value) }.max() ?? 0)
        case .array(let values): 1 + (values.map(depth).max() ?? 0)
        default: 0
        }
    }
}
