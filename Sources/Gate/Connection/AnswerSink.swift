// AnswerSink.swift: where an exchange's answer goes, whatever carries it.
//
// An HTTP/1.1 connection is one now; a stream of HTTP/2 will be another. The exchange decides
// what is staged and when it may leave; the sink knows how it is framed.

internal import Wire

/// The client's side of one exchange.
protocol AnswerSink: AnyObject {
    /// Bytes staged or not yet taken by the network.
    var stagedCount: Int { get }
    /// Bytes of the answer's body that the client's connection has taken, framing left out.
    var bodySentCount: UInt64 { get }

    /// Stages the head of an identity server's answer; `bytes` are those it was parsed from.
    func stageHead(_ head: borrowing ResponseHead, _ bytes: Span<UInt8>)
    func stageBody(_ bytes: Span<UInt8>)
    func stageEnd()

    /// Stages the head of an answer whose body is held elsewhere, all but how it is framed.
    func stageHeadOfHeld(_ head: borrowing ResponseHead, _ bytes: Span<UInt8>, isDecoded: Bool)
    /// Stages the body of that answer, whole.
    func stageHeld(_ body: Span<UInt8>)

    /// Stages a whole answer of the gate's own.
    func stage(_ answer: OwnAnswer)

    /// Drops what was staged and has not left.
    func unstage()

    /// Lets everything staged leave; tells the exchange when it is all gone.
    func release()

    /// Ends without a clean end, so that the client cannot take what it has for the whole.
    func cut()

    /// Lets more of the request's body come, which was held up by the identity server.
    func resumeBody()
}
