// Staple.swift: what a responder said of the gate's own certificate, for clients that ask.

internal import Synchronization

/// An OCSP response to staple, RFC 6066 §8; replaced while the gate runs, read by all workers.
package final class Staple: Sendable {
    private let kept = Mutex<(response: [UInt8], until: Int64)?>(nil)

    package init() {}

    /// Staples this from now on, until its time (seconds since 1970) is over.
    package func replace(_ response: [UInt8], until: Int64) {
        kept.withLock { $0 = (response, until) }
    }

    /// What is stapled at this time; clients refuse a response that is over.
    func response(now: Int64) -> [UInt8]? {
        kept.withLock { kept in kept.flatMap { now < $0.until ? $0.response : nil } }
    }
}
