// Digest.swift: SHA-256 of what comes in pieces.

internal import COpenSSL

/// SHA-256 of what comes in pieces.
///
/// Safe because the context is made and freed here, and never given out.
@safe final class Digest {
    private let context: OpaquePointer?

    init() {
        // Safe because a nil context is refused by every call, which then gives the hash of nothing.
        unsafe context = unsafe EVP_MD_CTX_new()
        _ = unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil)
    }

    // Safe because nobody else has the context.
    deinit { unsafe EVP_MD_CTX_free(context) }

    func take(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { bytes in
            // Safe because the bytes are only read, within the call.
            _ = unsafe EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        }
    }

    /// The 32 bytes; nothing may be taken afterwards.
    func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe digest.withUnsafeMutableBufferPointer { output in
            // Safe because 32 bytes are what SHA-256 writes.
            _ = unsafe EVP_DigestFinal_ex(context, output.baseAddress, nil)
        }
        return digest
    }
}

/// SHA-256 of a text in UTF-8.
func sha256(of text: String) -> [UInt8] {
    let digest = Digest()
    digest.take(Array(text.utf8))
    return digest.finish()
}

/// Bytes in hexadecimal digits.
func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}
