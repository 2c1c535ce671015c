// AuditID.swift: an id that the same event has whenever it is made anew.

internal import COpenSSL
internal import RecordReading

/// The id of one event, a UUID of version 8 (RFC 9562 §5.8).
///
/// Made of the record's name, the entry and its time, and which of the entry's events it is: two
/// entries never share one, even where a crash had the record give a number twice.
func auditID(_ origin: String, _ entry: borrowing RecordedEntry, _ index: Int) -> String {
    let text =
        "herse audit event v1\n\(origin)\n\(entry.segment)\n\(entry.sequence)\n\(entry.time)\n"
        + "\(entry.request)\n\(index)\n"
    let bytes = Array(text.utf8)
    // Safe because the bytes are only read, within this call.
    let hash = unsafe bytes.withUnsafeBufferPointer {
        unsafe herse_sha256($0.baseAddress, $0.count)
    }
    // Version and variant, as RFC 9562 §4 has them.
    let high = hash.a & 0xFFFF_FFFF_FFFF_0FFF | 0x8000
    let low = hash.b & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
    let digits = Array((spelled(high) + spelled(low)).utf8)
    let parts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map {
        String(decoding: digits[$0], as: UTF8.self)
    }
    return parts.joined(separator: "-")
}
