// Seal.swift: what a browser keeps for the gate, and can neither read nor change: AES-256-GCM.

internal import COpenSSL
internal import Tokens

/// A key that seals texts, made when the process begins and never written anywhere.
///
/// What is sealed for one purpose opens for no other. At most some 2^32 texts may be sealed with
/// random nonces under one key (NIST SP 800-38D §8.3): a sign-in storm of 1,000 a second would
/// take 49 days to get there, and the errands shed long before that.
struct Seal: Sendable {
    private let key = randomBytes(32)

    private static let nonceLength = 12
    private static let tagLength = 16
    /// Bytes that are opened at most: a cookie's 4,096 hold less.
    private static let lengthMax = 4096

    /// `text` sealed, as base64url; nil when OpenSSL is out of memory.
    func close(_ text: [UInt8], for purpose: String) -> String? {
        let nonce = randomBytes(Self.nonceLength)
        guard let sealed = run(text, nonce: nonce, purpose: purpose, tag: nil) else { return nil }
        return encodeBase64URL(nonce + sealed)
    }

    /// What was sealed for this purpose; nil for anything else.
    func open(_ sealed: String, for purpose: String) -> [UInt8]? {
        guard sealed.utf8.count <= Self.lengthMax, let bytes = decodeBase64URL(sealed),
            bytes.count >= Self.nonceLength + Self.tagLength
        else { return nil }
        return run(
            Array(bytes[Self.nonceLength..<bytes.count - Self.tagLength]),
            nonce: Array(bytes.prefix(Self.nonceLength)), purpose: purpose,
            tag: Array(bytes.suffix(Self.tagLength)))
    }

    /// Seals when there is no tag, and appends one; opens and checks it otherwise.
    private func run(
        _ input: [UInt8], nonce: [UInt8], purpose: String, tag: [UInt8]?
    ) -> [UInt8]? {
        // Safe because the context is freed at the end and OpenSSL reads and writes no more bytes
        // than the arrays have: GCM writes exactly as many as it reads, the tag has 16.
        guard let context = unsafe EVP_CIPHER_CTX_new() else { return nil }
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        let bound = Array(purpose.utf8)
        var output = [UInt8](repeating: 0, count: input.count)
        var written: Int32 = 0
        let direction: Int32 = tag == nil ? 1 : 0
        guard
            unsafe EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce, direction) == 1,
            unsafe EVP_CipherUpdate(context, nil, &written, bound, Int32(clamping: bound.count))
                == 1,
            unsafe EVP_CipherUpdate(
                context, &output, &written, input, Int32(clamping: input.count)) == 1
        else { return nil }
        if var tag {
            guard
                unsafe EVP_CIPHER_CTX_ctrl(
                    context, EVP_CTRL_GCM_SET_TAG, Int32(Self.tagLength), &tag) == 1
            else { return nil }
        }
        var rest = [UInt8](repeating: 0, count: 16)
        guard unsafe EVP_CipherFinal_ex(context, &rest, &written) == 1 else {
            ERR_clear_error()
            return nil
        }
        guard tag == nil else { return output }
        var made = [UInt8](repeating: 0, count: Self.tagLength)
        guard
            unsafe EVP_CIPHER_CTX_ctrl(
                context, EVP_CTRL_GCM_GET_TAG, Int32(Self.tagLength), &made) == 1
        else { return nil }
        return output + made
    }
}
