// Recognition.swift: who asks: what a request shows that its route accepts.

internal import Identity
internal import Policy
internal import Tokens
internal import Wire

extension WorkerCore {
    /// Whoever has proven, in a way that the route accepts, to send this request; nil when nobody
    /// has.
    ///
    /// A token that is there counts, and alone: one that is not believed is refused, whatever else
    /// the client shows.
    func recognise(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, on route: PreparedRoute,
        of client: ClientConnection
    ) throws(Refusal) -> ProvenIdentity? {
        if route.acceptsTokens, let shown = try bearerToken(head, bytes, route) {
            do throws(TokenRefusal) {
                return try bearer(shown, head, bytes, client)
            } catch {
                throw .tokenRefused(route: route.index, error)
            }
        }
        return route.acceptsCertificates ? client.identity : nil
    }
}
