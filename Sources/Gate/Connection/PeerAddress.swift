// PeerAddress.swift: where a client's connection comes from, as a value and as text.

internal import CSystem
internal import Glibc
internal import Record
internal import Wire

/// An IPv4 or IPv6 address and port.
package struct PeerAddress: Sendable, Hashable {
    /// Sixteen bytes; an IPv4 address is mapped (`::ffff:a.b.c.d`), so that one form is compared.
    package let high: UInt64
    package let low: UInt64
    package let port: UInt16
    package let isIPv4: Bool

    /// Reads what `accept` gave; nil for a family the gate does not listen on.
    init?(_ storage: sockaddr_storage) {
        var storage = storage
        switch Int32(storage.ss_family) {
        case AF_INET:
            // Safe because the family says that the storage holds a sockaddr_in.
            let address = unsafe withUnsafeBytes(of: &storage) {
                unsafe $0.loadUnaligned(as: sockaddr_in.self)
            }
            let host = UInt64(UInt32(bigEndian: address.sin_addr.s_addr))
            self.init(
                high: 0, low: 0xFFFF_0000_0000 | host, port: UInt16(bigEndian: address.sin_port))
        case AF_INET6:
            // Safe because the family says that the storage holds a sockaddr_in6.
            let (address, high, low) = unsafe withUnsafeBytes(of: &storage) { raw in
                let address = unsafe raw.loadUnaligned(as: sockaddr_in6.self)
                let offset = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr) ?? 8
                let high = unsafe raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                let low = unsafe raw.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
                return (address, UInt64(bigEndian: high), UInt64(bigEndian: low))
            }
            self.init(high: high, low: low, port: UInt16(bigEndian: address.sin6_port))
        default:
            return nil
        }
    }

    package init(high: UInt64, low: UInt64, port: UInt16) {
        self.high = high
        self.low = low
        self.port = port
        isIPv4 = high == 0 && low >> 32 == 0xFFFF
    }

    /// The address without port, such as `192.0.2.7` or `2001:db8::1`.
    package var host: String {
        if isIPv4 {
            let parts = [24, 16, 8, 0].map { String((low >> UInt64($0)) & 0xFF) }
            return parts.joined(separator: ".")
        }
        var bytes = [UInt8](repeating: 0, count: 16)
        for index in 0..<8 {
            bytes[index] = UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * index))
            bytes[index + 8] = UInt8(truncatingIfNeeded: low >> UInt64(56 - 8 * index))
        }
        var text = [CChar](repeating: 0, count: 64)
        // Safe because bytes has sixteen bytes and text the room that is announced.
        guard unsafe inet_ntop(AF_INET6, &bytes, &text, 64) != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// `192.0.2.7:443`, `[2001:db8::1]:443`.
    package var description: String { isIPv4 ? "\(host):\(port)" : "[\(host)]:\(port)" }

    /// Appends the address without port; IPv4, the usual case, without allocating.
    func appendHost(to out: Buffer) {
        guard isIPv4 else {
            out.append(host)
            return
        }
        for shift: UInt64 in [24, 16, 8, 0] {
            out.append(decimal: (low >> shift) & 0xFF)
            if shift > 0 { out.append(0x2E) }
        }
    }

    /// Writes address and port into a line of the record.
    func write(to writer: borrowing LineWriter) {
        if isIPv4 {
            for shift: UInt64 in [24, 16, 8, 0] {
                writer.number((low >> shift) & 0xFF)
                if shift > 0 { writer.byte(0x2E) }
            }
        } else {
            writer.byte(0x5B)
            writer.plain(Array(host.utf8).span)
            writer.byte(0x5D)
        }
        writer.byte(0x3A)
        writer.number(UInt64(port))
    }
}
