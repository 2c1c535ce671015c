// WorkerCounters.swift: what a worker counts for `herse status`; no name of anybody in it.

internal import Wire

/// Counts since the gate's start.
package struct WorkerCounters: Sendable, Codable, Equatable {
    package var connections: UInt64 = 0
    package var connectionsCut: UInt64 = 0
    package var connectionsShed: UInt64 = 0
    package var handshakes: UInt64 = 0
    package var resumptions: UInt64 = 0
    package var handshakesFailed: UInt64 = 0
    package var requests: UInt64 = 0
    package var refusals: [String: UInt64] = [:]

    mutating func count(_ refusal: Refusal) { refusals[refusal.word.description, default: 0] += 1 }

    package static func + (one: WorkerCounters, other: WorkerCounters) -> WorkerCounters {
        var sum = one
        sum.connections += other.connections
        sum.connectionsCut += other.connectionsCut
        sum.connectionsShed += other.connectionsShed
        sum.handshakes += other.handshakes
        sum.resumptions += other.resumptions
        sum.handshakesFailed += other.handshakesFailed
        sum.requests += other.requests
        sum.refusals.merge(other.refusals, uniquingKeysWith: +)
        return sum
    }
}
