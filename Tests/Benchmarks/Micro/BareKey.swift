// BareKey.swift: a key pair of OpenSSL's, and what verifying takes with nothing around it.

internal import COpenSSL
internal import Glibc

/// A key that signs, and verifies with no more than OpenSSL itself.
///
/// Safe because it owns its key alone.
@safe final class BareKey {
    private let pointer: OpaquePointer
    let isRSA: Bool

    init(isRSA: Bool) {
        self.isRSA = isRSA
        guard let made = unsafe isRSA ? herse_generate_rsa(2048) : herse_generate_p256() else {
            exit(70)
        }
        unsafe pointer = made
    }

    deinit { unsafe EVP_PKEY_free(pointer) }

    /// As OpenSSL writes it: ECDSA in DER.
    func sign(_ message: [UInt8]) -> [UInt8] {
        // Safe because the context lives for the call, and all have the lengths that are passed.
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: 512)
        var count = signature.count
        guard unsafe EVP_DigestSignInit(context, nil, EVP_sha256(), nil, pointer) == 1,
            unsafe EVP_DigestSign(context, &signature, &count, message, message.count) == 1
        else { exit(70) }
        return Array(signature.prefix(count))
    }

    func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        // Safe because the context lives for the call, and all have the lengths that are passed.
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        return unsafe EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, pointer) == 1
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    /// A number of the public half, the highest byte first.
    func number(_ name: String) -> [UInt8] {
        var number: OpaquePointer?
        // Safe because no number of these keys is longer than the room there is.
        guard unsafe EVP_PKEY_get_bn_param(pointer, name, &number) == 1 else { exit(70) }
        defer { unsafe BN_free(number) }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = unsafe BN_bn2bin(number, &bytes)
        return Array(bytes.prefix(Int(count)))
    }
}
