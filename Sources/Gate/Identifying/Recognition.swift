// Recognition.swift: who asks: what a request shows that its route accepts.

internal import Identity
internal import Policy
internal import Wire

extension WorkerCore {
    /// Whoever has proven, in a way that the route accepts, to send this request; nil when nobody
    /// has.
    func recognise(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, on route: PreparedRoute,
        of client: ClientConnection
    ) -> ProvenIdentity? {
        client.identity
    }
}
