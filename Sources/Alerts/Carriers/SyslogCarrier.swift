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
        try send(syslogMessage(notice, target.facility, process: getpid()))
    }

    fileprivate func send(_ message: [UInt8]) throws(DeliveryProblem) -> String {
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

/// Sends single messages that are no alerts to a collector, on a connection that is kept; used by
/// one thread, which may wait for it.
package final class SyslogSender {
    private let target: SyslogTarget
    private let carrier: SyslogCarrier

    package init(_ target: SyslogTarget) {
        self.target = target
        carrier = SyslogCarrier(target)
    }

    /// Sends one message of `kind`, a single word; why it was not taken in words, or nil.
    ///
    /// Names of facts are words as well; their values and the sentence may be any text.
    package func send(
        _ kind: String, _ severity: AlertSeverity, facts: [(name: String, value: String)],
        _ sentence: String
    ) -> String? {
        let now = Int64(clamping: herse_clock(CLOCK_REALTIME) / 1_000_000)
        let head = SyslogHead(
            priority: target.facility.number * 8 + severity.number, at: now, host: hostName,
            process: getpid(), kind: kind)
        do throws(DeliveryProblem) {
            _ = try carrier.send(syslogMessage(head, facts: facts, sentence))
            return nil
        } catch {
            return error.text
        }
    }
}
