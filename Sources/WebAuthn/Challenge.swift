// Challenge.swift: what a key signs to prove that it is there now, WebAuthn Level 3 §13.4.3.

internal import COpenSSL

/// Random bytes that one ceremony is about.
///
/// INVARIANT: good for one ceremony. Whoever keeps it forgets it before the answer is verified;
/// that, and nothing in an answer, is what stops a replay of authenticators without a counter.
package struct Challenge: Hashable, Sendable {
    package let bytes: [UInt8]

    /// Bytes of a challenge; §13.4.3 asks for at least 16.
    package static let length = 32

    /// A new one; nil when the system has no randomness to give.
    package init?() {
        var bytes = [UInt8](repeating: 0, count: Self.length)
        // Safe because OpenSSL writes `length` bytes, which is what the array holds.
        guard unsafe RAND_bytes(&bytes, Int32(Self.length)) == 1 else { return nil }
        self.bytes = bytes
    }

    /// One that was kept as `text`.
    package init?(text: String) {
        guard let bytes = WebAuthn.bytes(ofBase64URL: text), bytes.count >= 16, bytes.count <= 64
        else { return nil }
        self.bytes = bytes
    }

    /// As options and client data have it, in base64url.
    package var text: String { base64URL(bytes) }
}

/// SHA-256.
func sha256(_ bytes: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    // Safe because OpenSSL reads `count` bytes and writes 32, which is what the arrays hold.
    _ = unsafe SHA256(bytes, bytes.count, &digest)
    return digest
}

/// Leaves nothing for whoever next asks OpenSSL on this thread why something failed.
func forgetErrors() { ERR_clear_error() }
