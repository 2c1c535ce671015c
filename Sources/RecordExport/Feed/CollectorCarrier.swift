// CollectorCarrier.swift: audit messages to a collector, IHE ITI-20: syslog over TLS.

internal import Glibc
internal import Outbound

/// Sends to one collector, on a connection that is kept.
///
/// What its system has acknowledged counts as taken: syslog tells nothing more.
final class CollectorCarrier: FeedCarrier {
    private let target: StreamTarget
    private var stream: ByteStream?

    let parcelsMax = 200
    /// Bytes that go out before their acknowledgement is waited for.
    private static let burst = 1 << 16
    /// Milliseconds for one burst, the connection aside.
    private static let deadline = 30_000

    init(host: String, port: UInt16, _ settings: FeedSettings) {
        var target = StreamTarget(host: host, port: port)
        target.tls.authorities = settings.authorities
        target.tls.certificate = settings.certificate
        target.tls.privateKey = settings.privateKey
        self.target = target
    }

    func send(_ parcels: [FeedParcel]) throws(ExportError) -> [FeedVerdict] {
        var verdicts: [FeedVerdict] = []
        var burst: [UInt8] = []
        var count = 0
        for (index, parcel) in parcels.enumerated() {
            // Its length before it, RFC 5425 §4.3.1.
            burst += Array("\(parcel.bytes.count) ".utf8) + parcel.bytes
            count += 1
            guard burst.count >= Self.burst || index == parcels.count - 1 else { continue }
            do throws(FetchError) {
                // A connection that ended meanwhile would swallow them.
                if stream?.isOpen != true { stream = try ByteStream(target) }
                try stream?.send(burst, deadline: Self.deadline)
            } catch {
                stream = nil
                if let end = error.end { throw end }
                return verdicts + [.later(error.description)]
            }
            verdicts += repeatElement(.taken, count: count)
            burst.removeAll(keepingCapacity: true)
            count = 0
        }
        return verdicts
    }
}

/// A syslog message, RFC 5424, as ITI TF-2 §3.20.4.1.2 has it: PRI 85, no structured data, and no
/// byte order mark before the XML, which says its encoding itself.
func syslogMessage(_ xml: String, time: String, host: String, process: Int32) -> [UInt8] {
    let printable = host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    let host = printable && (1...255).contains(host.utf8.count) ? host : "-"
    return Array(
        ("<85>1 \(time) \(host) herse \(process) IHE+RFC-3881 - "
            + "<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + xml).utf8)
}
