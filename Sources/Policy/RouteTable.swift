// RouteTable.swift: which route a request meets; first match wins.
//
// Asked once per request, on the raw bytes of the path; allocates nothing.

/// What the routes say of a method and a path.
package enum RouteMatch: Equatable, Sendable {
    /// Index in `Configuration.routes`.
    case route(Int)
    /// A route has this path, none of them this method.
    case methodNotAllowed
    /// No route of this listener has this path.
    case unknown
    /// The path can be read in two ways, or comes so near to an earlier route's that a lenient
    /// server would take it for that one.
    case ambiguous
}

/// The routes of one configuration, compiled.
package struct RouteTable: Sendable {
    private struct Entry: Sendable {
        let start: Int
        let count: Int
        let isPrefix: Bool
        let methods: Methods
        let listeners: ListenerSet
        /// The first route whose path differs from this one's in case or last slash only.
        let kin: Int
    }

    private enum Comparison {
        case none
        /// The same but for the case of letters or a last slash.
        case near
        case equal
    }

    /// All paths, one after the other.
    private let bytes: [UInt8]
    private let entries: [Entry]

    package init(_ routes: [Route]) {
        var bytes: [UInt8] = []
        var kin: [[UInt8]: Int] = [:]
        entries = routes.enumerated().map { index, route in
            let path = Array(route.path.utf8)
            let first = kin[folded(path)] ?? index
            kin[folded(path)] = first
            defer { bytes += path }
            return Entry(
                start: bytes.count, count: path.count, isPrefix: path.last == UInt8(ascii: "/"),
                methods: route.methods, listeners: route.listeners, kin: first)
        }
        self.bytes = bytes
    }

    /// The route of a request.
    ///
    /// A path that matches a later route exactly and an earlier one nearly (`/FHIR/Patient/1`,
    /// `/fhir/Patient` beside `/fhir/Patient/`) is ambiguous, since it could evade the earlier
    /// route on a server that ignores case or last slashes; unless the two routes themselves
    /// differ by no more than that, when the operator has told them apart.
    package func match(path: Span<UInt8>, method: Method, listener: Int) -> RouteMatch {
        switch RequestPath.read(path) {
        case .plain, .encoded: break
        case .ambiguous:
            // `OPTIONS *` names no resource, RFC 9110 §9.3.7.
            return path.count == 1 && path[0] == UInt8(ascii: "*") ? .unknown : .ambiguous
        }
        var isPathKnown = false
        var nearKin: Int?
        var hasSeveralNear = false
        var index = 0
        while index < entries.count {
            let entry = entries[index]
            defer { index += 1 }
            guard entry.listeners.contains(index: listener) else { continue }
            switch compare(path, with: entry) {
            case .none:
                continue
            case .near:
                guard entry.methods.contains(method) else { continue }
                if let nearKin, nearKin != entry.kin { hasSeveralNear = true }
                nearKin = nearKin ?? entry.kin
            case .equal:
                guard entry.methods.contains(method) else {
                    isPathKnown = true
                    continue
                }
                let isOwn = nearKin == nil || (nearKin == entry.kin && !hasSeveralNear)
                return isOwn ? .route(index) : .ambiguous
            }
        }
        return isPathKnown ? .methodNotAllowed : .unknown
    }

    private func compare(_ path: Span<UInt8>, with entry: Entry) -> Comparison {
        var isEqual = true
        var position = 0
        var offset = 0
        while offset < entry.count {
            guard position < path.count else {
                // `/fhir` beside the prefix `/fhir/`.
                return entry.isPrefix && offset == entry.count - 1 ? .near : .none
            }
            var byte = path[position]
            if byte == UInt8(ascii: "%"), let decoded = RequestPath.decodedByte(path, at: position)
            {
                byte = decoded
                position += 3
            } else {
                position += 1
            }
            let wanted = bytes[entry.start + offset]
            if byte != wanted {
                guard lower(byte) == lower(wanted) else { return .none }
                isEqual = false
            }
            offset += 1
        }
        if entry.isPrefix || position == path.count { return isEqual ? .equal : .near }
        // `/status/` beside the path `/status`.
        return position == path.count - 1 && path[position] == UInt8(ascii: "/") ? .near : .none
    }
}

private func folded(_ path: [UInt8]) -> [UInt8] {
    let lowered = path.map(lower)
    return lowered.count > 1 && lowered.last == UInt8(ascii: "/") ? lowered.dropLast() : lowered
}

@inline(__always)
private func lower(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}
