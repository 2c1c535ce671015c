// Digest.swift: SHA-256, as a value that fits a table's key.

internal import COpenSSL

/// A SHA-256 digest.
struct Digest: Hashable, Sendable {
    private let a: UInt64
    private let b: UInt64
    private let c: UInt64
    private let d: UInt64

    /// Of the bytes; nil when OpenSSL cannot, which it only says when memory is out.
    init?(of bytes: Span<UInt8>) {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        // Safe because SHA-256 writes exactly the 32 bytes of `words`, and reads as many as it is
        // told there are.
        let done = unsafe bytes.withUnsafeBufferPointer { input in
            unsafe withUnsafeMutableBytes(of: &words) { output in
                unsafe EVP_Digest(
                    input.baseAddress, input.count,
                    output.baseAddress?.assumingMemoryBound(to: UInt8.self), nil, EVP_sha256(), nil)
            }
        }
        guard done == 1 else { return nil }
        (a, b, c, d) = words
    }

    init?(of text: String) {
        let bytes = Array(text.utf8)
        self.init(of: bytes.span)
    }

    /// Takes 32 bytes for a digest.
    init?(taking bytes: Span<UInt8>) {
        guard bytes.count == 32 else { return nil }
        func word(_ start: Int) -> UInt64 {
            var word: UInt64 = 0
            // The lowest byte first, as the digest of bytes is laid out in memory here.
            for index in (start..<start + 8).reversed() { word = word << 8 | UInt64(bytes[index]) }
            return UInt64(littleEndian: word)
        }
        (a, b, c, d) = (word(0), word(8), word(16), word(24))
    }

    /// The 32 bytes.
    var bytes: [UInt8] {
        [a, b, c, d].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: UInt64(littleEndian: word) >> (8 * $0)) }
        }
    }

    /// Picks one of a power of two of places, evenly.
    func place(among count: Int) -> Int { Int(truncatingIfNeeded: a & UInt64(count - 1)) }
}
