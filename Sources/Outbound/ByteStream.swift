// ByteStream.swift: a connection that only carries bytes away, as syslog has it.

internal import CCurl
internal import CSystem
internal import Glibc

/// Where a stream goes.
package struct StreamTarget: Equatable, Sendable {
    /// A name, or an address without brackets.
    package var host: String
    package var port: UInt16
    package var isTLS = true
    /// The name its certificate must bear, if not `host`.
    package var serverName: String?
    package var tls = FetchTLS()

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// As an operator wrote it.
    package var address: String { "\(bracketed(host)):\(port)" }
}

/// A connection to one target, used by one thread; closed with the object.
package final class ByteStream {
    private let target: StreamTarget
    private let handle: CurlHandle
    private let descriptor: Int32
    private var isFresh = true

    /// Milliseconds until a connection stands, TLS included.
    package static let connectDeadline = 5_000
    /// Milliseconds in which a server that does not like our certificate says so: in TLS 1.3 it
    /// judges it when the handshake is already over for us.
    private static let settling = 250

    /// Connects, and waits for it.
    package init(_ target: StreamTarget) throws(FetchError) {
        if target.isTLS, !target.tls.hasAuthorities {
            throw FetchError(target.address, .noAuthorities)
        }
        guard let handle = CurlHandle() else {
            throw FetchError(target.address, .other(Int(CURLE_FAILED_INIT.rawValue)))
        }
        let scheme = target.isTLS ? "https" : "http"
        let name = bracketed(target.serverName ?? target.host)
        // libcurl makes the connection and the handshake, and speaks no HTTP then.
        handle.prepare(
            "\(scheme)://\(name):\(target.port)/", protocols: scheme,
            connectDeadline: Self.connectDeadline, deadline: Self.connectDeadline)
        handle.set(CURLOPT_CONNECT_ONLY, 1)
        handle.set(CURLOPT_SSL_ENABLE_ALPN, 0)
        handle.set(CURLOPT_FRESH_CONNECT, 1)
        if target.serverName != nil {
            handle.set(CURLOPT_CONNECT_TO, ["::\(bracketed(target.host)):\(target.port)"])
        }
        handle.prepareTLS(target.tls)
        guard handle.isPrepared else {
            throw FetchError(target.address, .other(Int(CURLE_OUT_OF_MEMORY.rawValue)))
        }
        let code = handle.perform()
        guard code == CURLE_OK, let descriptor = handle.descriptor else {
            let problem = handle.problem(code, deadline: Self.connectDeadline)
            throw FetchError(target.address, code == CURLE_OK ? .closed : problem)
        }
        self.target = target
        self.handle = handle
        self.descriptor = descriptor
    }

    /// Whether the other side has not ended it, as far as is known here; forgets what it says.
    package var isOpen: Bool {
        // Nobody who takes syslog has much to say: 64 KiB at once is a fault of theirs.
        for _ in 0..<16 {
            let (code, count) = handle.skip()
            if code == CURLE_AGAIN { return true }
            guard code == CURLE_OK, count > 0 else { return false }
        }
        return false
    }

    /// Sends all of it, and waits until the other side's system has acknowledged every byte.
    ///
    /// That is as much as can be known: nothing in syslog says that a message was kept.
    package func send(_ bytes: [UInt8], deadline: Int) throws(FetchError) {
        do throws(FetchProblem) {
            let end = milliseconds() + UInt64(max(1, deadline))
            var sent = 0
            while sent < bytes.count {
                let (code, count) = handle.send(bytes, from: sent)
                if code == CURLE_OK {
                    sent += count
                } else if code == CURLE_AGAIN {
                    try wait(POLLOUT | POLLIN, until: end, deadline)
                    guard isOpen else { throw .closed }
                } else {
                    throw .closed
                }
            }
            try waitForAcknowledgement(until: end, deadline)
            if isFresh { try settle() }
        } catch {
            throw FetchError(target.address, error)
        }
    }

    private func waitForAcknowledgement(until end: UInt64, _ deadline: Int) throws(FetchProblem) {
        while herse_unacknowledged(descriptor) > 0 {
            guard milliseconds() < end else { throw .tooSlow(milliseconds: deadline) }
            // Nothing announces an acknowledgement: it is looked for.
            _ = pollOnce(POLLIN, 5)
            guard isOpen else { throw .closed }
        }
        guard isOpen else { throw .closed }
    }

    private func settle() throws(FetchProblem) {
        let end = milliseconds() + UInt64(Self.settling)
        while milliseconds() < end {
            _ = pollOnce(POLLIN, Int32(clamping: end - min(end, milliseconds())))
            guard isOpen else { throw .closed }
        }
        isFresh = false
    }

    private func wait(
        _ events: Int32, until end: UInt64, _ deadline: Int
    ) throws(FetchProblem) {
        let now = milliseconds()
        guard now < end, pollOnce(events, Int32(clamping: end - now)) else {
            throw .tooSlow(milliseconds: deadline)
        }
    }

    private func pollOnce(_ events: Int32, _ milliseconds: Int32) -> Bool {
        var state = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        // Safe because one descriptor is given, and it is a local.
        return unsafe poll(&state, 1, milliseconds) != 0
    }
}

private func milliseconds() -> UInt64 { herse_clock(CLOCK_MONOTONIC) / 1_000_000 }

private func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }
