// NoDelayPool.swift: answers leave at once instead of waiting for the peer's acknowledgement.
//
// The HTTP library writes an answer's head and body apart. On a kept connection the kernel would
// hold the body back until the head is acknowledged, some 40 ms later.

import FlyingFox
import FlyingSocks
import Glibc

/// A socket pool that sets TCP_NODELAY on whatever passes through it.
///
/// The listening socket passes first, and on Linux what it accepts inherits the option.
struct NoDelayPool: AsyncSocketPool {
    private let pool: any AsyncSocketPool = HTTPServer.defaultPool()

    private var noDelay: BoolSocketOption {
        BoolSocketOption(level: Int32(IPPROTO_TCP), name: TCP_NODELAY)
    }

    func prepare() async throws { try await pool.prepare() }

    func run() async throws { try await pool.run() }

    func suspendSocket(_ socket: Socket, untilReadyFor events: Socket.Events) async throws {
        try? socket.setValue(true, for: noDelay)
        try await pool.suspendSocket(socket, untilReadyFor: events)
    }
}
