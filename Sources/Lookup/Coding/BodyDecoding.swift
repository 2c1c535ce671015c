// BodyDecoding.swift: undoes the content codings gzip and deflate, within a bound.

internal import CZlib

/// A whole body without its content coding, RFC 9110 §8.4.1.
///
/// gzip (and x-gzip) of one member or several, and deflate with zlib's wrapper or, as some send it,
/// without. What grows beyond `max` bytes is not decoded, and neither is any other coding, nor two
/// of them.
package func decoded(
    _ body: Span<UInt8>, coding: Span<UInt8>, max: Int
) throws(Unparsed) -> [UInt8] {
    let name = coding.extracting(withoutBlanks(coding))
    if name.isEmpty || spellsFolded(name, "identity") {
        guard body.count <= max else { throw .coding }
        return body.indices.map { body[$0] }
    }
    if spellsFolded(name, "gzip") || spellsFolded(name, "x-gzip") {
        return try inflated(body, window: 15 + 16, max: max)
    }
    guard spellsFolded(name, "deflate"), body.count >= 2 else { throw .coding }
    // RFC 1950: method 8, and a check of the first two bytes together.
    let isWrapped =
        body[0] & 0x0F == 8 && (Int(body[0]) << 8 | Int(body[1])) % 31 == 0
    return try inflated(body, window: isWrapped ? 15 : -15, max: max)
}

private func inflated(
    _ body: Span<UInt8>, window: Int32, max: Int
) throws(Unparsed) -> [UInt8] {
    guard max >= 0, body.count <= Int(UInt32.max) else { throw .coding }
    // Safe because zlib reads the stream below while body and piece live, and ends it here.
    var stream = unsafe z_stream()
    guard unsafe herse_inflate_begin(&stream, window) == Z_OK else { throw .coding }
    defer { unsafe inflateEnd(&stream) }
    var out: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    let isGood = unsafe body.withUnsafeBufferPointer { input -> Bool in
        // Safe because zlib does not write to its input, whatever its type says.
        unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        unsafe stream.avail_in = UInt32(input.count)
        while true {
            let count = piece.count
            let status = unsafe piece.withUnsafeMutableBufferPointer { room in
                unsafe stream.next_out = room.baseAddress
                unsafe stream.avail_out = UInt32(count)
                return unsafe inflate(&stream, Z_NO_FLUSH)
            }
            let made = count - Int(unsafe stream.avail_out)
            guard made <= max - out.count else { return false }
            out.append(contentsOf: piece[..<made])
            switch status {
            case Z_OK: if unsafe made == 0 && stream.avail_in == 0 { return false }
            case Z_STREAM_END:
                if unsafe stream.avail_in == 0 { return true }
                // Another member of gzip's; nothing may follow the other two.
                guard window > 15, unsafe inflateReset(&stream) == Z_OK else { return false }
            default: return false
            }
        }
    }
    guard isGood else { throw .coding }
    return out
}
