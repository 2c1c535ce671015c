// ListenerSocket.swift: one worker's share of a listening port.

internal import CSystem
internal import Glibc
internal import Policy
internal import Reactor
internal import Wire

/// An IPv4 or IPv6 socket address, as the system takes it.
struct SocketAddress: Sendable, Hashable {
    /// The bytes of a sockaddr_in or sockaddr_in6.
    private let bytes: [UInt8]
    let family: Int32

    init(ipv4: [UInt8], port: UInt16) {
        var bytes = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_in>.size)
        family = AF_INET
        Self.put(family, port, in: &bytes)
        for (index, byte) in ipv4.prefix(4).enumerated() { bytes[4 + index] = byte }
        self.bytes = bytes
    }

    init(ipv6: [UInt8], port: UInt16) {
        var bytes = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_in6>.size)
        family = AF_INET6
        Self.put(family, port, in: &bytes)
        for (index, byte) in ipv6.prefix(16).enumerated() { bytes[8 + index] = byte }
        self.bytes = bytes
    }

    /// Family in the host's order, then the port in the network's: the head of both structures.
    private static func put(_ family: Int32, _ port: UInt16, in bytes: inout [UInt8]) {
        bytes[0] = UInt8(truncatingIfNeeded: family)
        bytes[1] = UInt8(truncatingIfNeeded: family >> 8)
        bytes[2] = UInt8(truncatingIfNeeded: port >> 8)
        bytes[3] = UInt8(truncatingIfNeeded: port)
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        unsafe bytes.withUnsafeBytes { raw in
            // Safe because bytes has the size of the structure its family says.
            guard let base = raw.baseAddress else { preconditionFailure("never empty") }
            return unsafe body(base.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
        }
    }
}

/// Listens on one address in one worker; the kernel spreads connections over the workers.
final class ListenerSocket {
    let descriptor: Int32
    /// Index in the configuration's listeners.
    var index: Int
    let port: UInt16
    var token: UInt64 = 0

    /// Connections taken in one turn: more wait in the kernel, so that a storm of handshakes does
    /// not hold up the exchanges under way.
    static let acceptsMax = 2
    /// Connections the kernel keeps waiting.
    private static let backlog: Int32 = 4096

    init(index: Int, address: SocketAddress) throws(SystemError) {
        self.index = index
        let type =
            Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
            | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = Glibc.socket(address.family, type, 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        do throws(SystemError) {
            try Self.prepare(descriptor, address)
            port = try Self.boundPort(descriptor)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Fails when anybody listens on `address`: with SO_REUSEPORT, which workers need, another
    /// gate of the same user would share the port unnoticed and take half of the clients.
    static func expectFree(_ address: SocketAddress) throws(SystemError) {
        let descriptor = Glibc.socket(
            address.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        defer { close(descriptor) }
        _ = herse_set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        if address.family == AF_INET6 {
            _ = herse_set_option(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1)
        }
        // Safe because the address outlives the call, and its length is given.
        let bound = unsafe address.withPointer { unsafe bind(descriptor, $0, $1) }
        guard bound == 0, listen(descriptor, 1) == 0 else { throw SystemError("bind") }
    }

    private static func prepare(
        _ descriptor: Int32, _ address: SocketAddress
    ) throws(SystemError) {
        guard herse_set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1) == 0,
            herse_set_option(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) == 0
        else { throw SystemError("setsockopt") }
        if address.family == AF_INET6 {
            _ = herse_set_option(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1)
        }
        // A client that connects and says nothing costs no accept.
        _ = herse_set_option(descriptor, Int32(IPPROTO_TCP), TCP_DEFER_ACCEPT, 5)
        // Safe because the address outlives the call, and its length is given.
        let bound = unsafe address.withPointer { unsafe bind(descriptor, $0, $1) }
        guard bound == 0 else { throw SystemError("bind") }
        guard listen(descriptor, backlog) == 0 else { throw SystemError("listen") }
    }

    private static func boundPort(_ descriptor: Int32) throws(SystemError) -> UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // Safe because the storage is as long as announced.
        let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        guard result == 0, let address = PeerAddress(storage) else {
            throw SystemError("getsockname")
        }
        return address.port
    }
}

/// A socket on which nothing more is sent or received, whatever was queued.
///
/// SO_LINGER of zero makes close() reset the connection and throw away what the kernel still had
/// to send: bytes that a neutralized person must not get.
func cutSocket(_ descriptor: Int32) {
    _ = herse_linger_zero(descriptor)
    close(descriptor)
}
