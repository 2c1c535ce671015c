// Digests.swift: hashes, random bytes, and a comparison that takes as long whatever it finds.

internal import COpenSSL

/// A hash function of the SHA-2 family.
enum DigestAlgorithm: Sendable {
    case sha256
    case sha384
    case sha512

    /// Safe because OpenSSL's own tables live for ever.
    var method: OpaquePointer? {
        switch self {
        case .sha256: unsafe EVP_sha256()
        case .sha384: unsafe EVP_sha384()
        case .sha512: unsafe EVP_sha512()
        }
    }

    func digest(_ bytes: Span<UInt8>) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 64)
        var length: UInt32 = 0
        let done = unsafe bytes.withUnsafeBufferPointer { bytes in
            // Safe because no digest of the family is longer than 64 bytes.
            unsafe EVP_Digest(bytes.baseAddress, bytes.count, &out, &length, method, nil)
        }
        precondition(done == 1 && length <= 64, "OpenSSL has SHA-2")
        out.removeLast(64 - Int(length))
        return out
    }
}

/// SHA-256, 32 bytes.
package func sha256(_ bytes: Span<UInt8>) -> [UInt8] { DigestAlgorithm.sha256.digest(bytes) }

package func sha256(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    return sha256(bytes.span)
}

/// HMAC with SHA-256, RFC 2104, 32 bytes.
package func hmacSHA256(key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
    var out = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    // Safe because the result has the 32 bytes that SHA-256 gives, and all outlive the call.
    let done = unsafe HMAC(
        EVP_sha256(), key, Int32(clamping: key.count), bytes, bytes.count, &out, &length)
    // A zero result would be the same for every key.
    guard unsafe done != nil, length == 32 else { preconditionFailure("OpenSSL has HMAC") }
    return out
}

/// Bytes nobody can foresee.
package func randomBytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    // Safe because there are as many bytes as are asked for.
    let done = unsafe RAND_bytes(&bytes, Int32(clamping: count))
    precondition(done == 1, "a process without random bytes can keep no secret")
    return bytes
}

/// Whether two secrets are the same, in a time that tells nothing but their lengths.
package func areSame(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    guard one.count == other.count else { return false }
    // Safe because both have the length that is compared.
    return unsafe CRYPTO_memcmp(one, other, one.count) == 0
}

/// Whether two texts are the same byte by byte; to Swift's `==` some that differ are.
package func areSame(_ one: String, _ other: String) -> Bool {
    one.utf8.count == other.utf8.count && one.utf8.elementsEqual(other.utf8)
}
