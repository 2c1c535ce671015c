// Recognition.swift: who asks: what a request shows that its route accepts.

internal import Identity
internal import Policy
internal import Tokens
internal import Wire

/// Who sends a request, as far as it is known.
enum Recognition {
    case nobody
    case somebody(ProvenIdentity)
    /// It has to be found out elsewhere first.
    case unknown(Errand)
}

extension WorkerCore {
    /// Whoever has proven, in a way that the route accepts, to send this request.
    ///
    /// A token that is there counts, and alone: one that is not believed is refused, whatever else
    /// the client shows. So does an account's password. A person's card counts before a session:
    /// it proves more.
    func recognise(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, on route: PreparedRoute,
        of client: ClientConnection
    ) throws(Refusal) -> Recognition {
        if let refusal = client.finding?.refusal(on: route.index) { throw refusal }
        if route.acceptsTokens, let shown = try bearerToken(head, bytes, route) {
            do throws(TokenRefusal) {
                return try bearer(shown, head, bytes, client)
            } catch {
                throw .tokenRefused(route: route.index, error)
            }
        }
        if route.acceptsBasic, let shown = try basicCredentials(head, bytes, route) {
            return try account(shown, bytes, on: route, of: client)
        }
        let card = route.acceptsCertificates ? client.identity : nil
        if let card, card.proof == .person { return .somebody(card) }
        if route.acceptsSessions,
            let session = try self.session(head, bytes, on: route, of: client)
        {
            return .somebody(session)
        }
        return card.map { .somebody($0) } ?? .nobody
    }
}

/// A field's value as text of ASCII; other bytes come as U+0080 and above.
func asciiText(_ bytes: Span<UInt8>) -> String {
    var text = ""
    for index in bytes.indices { text.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
    return text
}

/// Whether what lies there begins with these lower-case letters, in either case.
func begins(_ bytes: Span<UInt8>, _ range: Range<Int>, _ word: StaticString) -> Bool {
    guard range.count >= word.utf8CodeUnitCount else { return false }
    for offset in 0..<word.utf8CodeUnitCount {
        let byte = bytes[range.lowerBound + offset]
        let folded = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
        // Safe because offset is below the length of the static text.
        guard folded == (unsafe word.utf8Start[offset]) else { return false }
    }
    return true
}

/// Whether credentials are of this scheme, also when nothing follows it.
func hasScheme(_ bytes: Span<UInt8>, _ range: Range<Int>, _ scheme: StaticString) -> Bool {
    guard begins(bytes, range, scheme) else { return false }
    let end = range.lowerBound + scheme.utf8CodeUnitCount
    return end == range.upperBound || bytes[end] == 0x20
}

/// Where the value of a field that the parser has no name for lies; nil when there is none, or two:
/// readers would differ on which counts.
///
/// `name` is in lower case.
func field(
    _ name: StaticString, _ head: borrowing RequestHead, _ bytes: Span<UInt8>
) -> Range<Int>? {
    var found: Range<Int>?
    for index in 0..<head.fields.count {
        let field = head.fields[index]
        guard field.name.count == name.utf8CodeUnitCount, begins(bytes, field.name, name) else {
            continue
        }
        guard found == nil else { return nil }
        found = field.value
    }
    return found
}
