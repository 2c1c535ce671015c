// SignInAddress.swift: where a browser is sent that has to prove who it asks for, or prove more.

internal import Identity
internal import Limits
internal import Policy
internal import Wire

extension WorkerCore {
    /// Bytes of a path and query that come back after signing in; longer ones begin anew.
    private static let returnMax = 1024

    /// The sign-in page for a refused request that a better proof would let pass, and what it is to
    /// ask for; nil when there is none.
    func signInAddress(
        _ refusal: Refusal, to path: String, _ generation: Generation
    ) -> String? {
        guard !path.isEmpty, let index = refusal.route else { return nil }
        let route = generation.configuration.routes[index]
        var wish = "?to=" + path
        switch refusal {
        case .unproven: break
        case .levelTooLow: wish += "&level=\(route.levelMin.rawValue)"
        case .proofTooOld:
            wish += "&max_age=\(route.ageMax ?? 0)"
            if route.levelMin > .low { wish += "&level=\(route.levelMin.rawValue)" }
        case .stepUp(_, let reached):
            let prepared = generation.limits[reached.set]
            if case .stepUp(let seconds) = prepared.set.windows[reached.limit].enforcement {
                wish += "&max_age=\(seconds)"
            }
            wish += "&level=\(prepared.stepUpLevel.rawValue)"
        default: return nil
        }
        return "/.herse/sign-in" + wish
    }

    /// What a browser asks for, as the value of a query's field; empty where it could not sign in.
    func returnPath(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, on route: Int,
        of client: ClientConnection
    ) -> String {
        guard head.method == .get || head.method == .head, let listener = client.listener,
            generation.signsIn(on: listener), generation.routes[route].acceptsSessions
        else { return "" }
        let path = head.target.path
        let query = head.target.query
        let count = path.count + (query.map { $0.count + 1 } ?? 0)
        guard count <= Self.returnMax else { return "/" }
        var text = escaped(bytes.extracting(path))
        if let query { text += "%3F" + escaped(bytes.extracting(query)) }
        return text
    }
}

/// Bytes as they may stand in a query's value: what is not unreserved (RFC 3986 §2.3) is escaped.
private func escaped(_ bytes: Span<UInt8>) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    for index in bytes.indices {
        let byte = bytes[index]
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E, 0x2F: out.append(byte)
        default: out += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: out, as: UTF8.self)
}
