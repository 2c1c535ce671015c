// TextStore.swift: the texts of a list, one after another, each after a byte that gives its length.

/// Collects the texts of a list while it is read; equal notes in a row of lines are kept once.
struct TextStore {
    private(set) var bytes: [UInt8]
    /// Where notes seen lately lie, by hash; 0 is the empty note, and also "none yet".
    private var recent = [UInt32](repeating: 0, count: 1024)

    init() {
        bytes = [0, 0]
    }

    /// Keeps an account or a structure upper-cased; at most 64 bytes, checked before.
    mutating func identifier(_ source: Span<UInt8>, _ range: Range<Int>) -> UInt32 {
        let offset = UInt32(bytes.count)
        bytes.append(UInt8(range.count))
        for index in range { bytes.append(upperCased(source[index])) }
        return offset
    }

    /// Keeps a name as it was written; it has at most 255 bytes.
    mutating func name(_ source: Span<UInt8>, _ range: Range<Int>) -> UInt32 {
        let offset = UInt32(bytes.count)
        keep(source, range)
        return offset
    }

    /// Keeps a number and, after it, its issuer; neither takes more than 255 bytes.
    mutating func serial(_ serial: CertificateSerial) -> UInt32 {
        let offset = UInt32(bytes.count)
        bytes.append(UInt8(clamping: serial.number.count))
        bytes += serial.number
        bytes.append(UInt8(clamping: serial.issuerBytes.count))
        bytes += serial.issuerBytes
        return offset
    }

    /// Reads the hexadecimal digits that follow an algorithm's name; gives the key that the first 16
    /// bytes make, and keeps the other 16.
    mutating func digest(
        _ source: Span<UInt8>, _ digits: Range<Int>, nameLength: Int
    ) throws(SubjectError) -> (SubjectKey, UInt32) {
        let offset = bytes.count
        bytes.append(16)
        var count = 0
        var halves = (high: UInt64(0), low: UInt64(0))
        do {
            try readFingerprint(source.extracting(digits)) { byte in
                if count < 8 {
                    halves.high = halves.high << 8 | UInt64(byte)
                } else if count < 16 {
                    halves.low = halves.low << 8 | UInt64(byte)
                } else {
                    bytes.append(byte)
                }
                count += 1
            }
        } catch { throw error.moved(by: nameLength) }
        return (SubjectKey(high: halves.high, low: halves.low), UInt32(offset))
    }

    /// Keeps a reason and a ticket, each at most 64 bytes, checked before.
    mutating func note(
        _ source: Span<UInt8>, _ reason: Range<Int>?, _ ticket: Range<Int>?
    ) -> UInt32 {
        if reason == nil, ticket == nil { return 0 }
        let start = bytes.count
        keep(source, reason ?? 0..<0)
        keep(source, ticket ?? 0..<0)
        var hash: UInt64 = 0
        for index in start..<bytes.count { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
        let place = Int(hash >> 32 & 1023)
        let known = Int(recent[place])
        if known > 0, isSame(known, start) {
            bytes.removeLast(bytes.count - start)
            return UInt32(known)
        }
        recent[place] = UInt32(start)
        return UInt32(start)
    }

    private mutating func keep(_ source: Span<UInt8>, _ range: Range<Int>) {
        bytes.append(UInt8(range.count))
        for index in range { bytes.append(source[index]) }
    }

    /// Whether the text from `start` to the end also lies at `known`, which is before it.
    private func isSame(_ known: Int, _ start: Int) -> Bool {
        for index in 0..<bytes.count - start where bytes[known + index] != bytes[start + index] {
            return false
        }
        return true
    }
}
