// SyslogCarrier.swift: a collector of syslog, on a connection that is kept.

internal import CSystem
internal import Glibc
internal import Outbound

/// Speaks to one collector.
final class SyslogCarrier: AlertCarrier {
    private let target: SyslogTarget
    private var stream: ByteStream?

    /// Milliseconds for one message, the connection aside.
    private static let deadline = 10_000

    init(_ target: SyslogTarget) { self.target = target }

    func deliver(_ notice: AlertNotice) throws(DeliveryProblem) -> String {
        let message = syslogMessage(notice, target.facility, process: getpid())
        if target.transport == .udp {
            try send(datagram: message)
            return "sent; UDP tells nothing more"
        }
        do throws(FetchError) {
            // A connection that ended meanwhile would swallow the message.
            if stream?.isOpen != true { stream = try ByteStream(target.stream) }
            try stream?.send(octetCounted(message), deadline: Self.deadline)
            return "received; syslog tells nothing more"
        } catch {
            stream = nil
            throw DeliveryProblem(error.description)
        }
    }

    private func send(datagram message: [UInt8]) throws(DeliveryProblem) {
        let place = target.stream.address
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        // Safe because the resolver's list is freed below, once, and only read meanwhile.
        guard
            unsafe getaddrinfo(target.stream.host, String(target.stream.port), &hints, &list) == 0,
            let first = unsafe list
        else { throw DeliveryProblem("\(place): the host's name is unknown") }
        defer { unsafe freeaddrinfo(list) }
        let family = unsafe first.pointee.ai_family
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, type, 0)
        guard descriptor >= 0 else { throw DeliveryProblem("\(place): no socket") }
        defer { close(descriptor) }
        let isConnected =
            unsafe connect(
                descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0
        let count = unsafe Glibc.send(descriptor, message, message.count, Int32(MSG_NOSIGNAL))
        guard isConnected, count == message.count else {
            throw DeliveryProblem("\(place): cannot be sent to")
        }
    }
}
