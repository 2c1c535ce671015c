// SigningKey.swift: private keys of the tests, made anew or from a number that is no secret.

import COpenSSL

@testable import WebAuthn

/// A private key.
///
/// Safe because it owns what OpenSSL gave it, alone, never changes it, and frees it once.
@safe final class SigningKey: @unchecked Sendable {
    let kind: SignatureKind
    private let raw: OpaquePointer

    private init(_ kind: SignatureKind, _ raw: OpaquePointer?) {
        guard let raw = unsafe raw else { preconditionFailure("OpenSSL made no key") }
        self.kind = kind
        unsafe self.raw = raw
    }

    deinit { unsafe EVP_PKEY_free(raw) }

    /// One of each kind, the same for all tests of a run: RSA takes its time.
    static let es256 = unsafe SigningKey(.es256, herse_generate_p256())
    static let rs256 = unsafe SigningKey(.rs256, herse_generate_rsa(2048))
    static let edDSA = SigningKey(seed: "Ed25519", .edDSA)

    /// The key whose number is the SHA-256 of `seed`.
    convenience init(seed: String, _ kind: SignatureKind = .es256) {
        let number = sha256(Array(seed.utf8))
        switch kind {
        case .edDSA:
            // Safe because OpenSSL copies the number.
            unsafe self.init(
                kind,
                EVP_PKEY_new_raw_private_key(
                    EVP_PKEY_ED25519, nil, number, number.count))
        case .es256, .rs256:
            // An ECPrivateKey of RFC 5915: version, number, the curve P-256.
            let curve: [UInt8] = [
                0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
            ]
            let der = [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20] + number + curve
            // Safe because OpenSSL reads within the array and copies what it keeps.
            let key = unsafe der.withUnsafeBufferPointer { buffer in
                var next = buffer.baseAddress
                return unsafe d2i_AutoPrivateKey(nil, &next, buffer.count)
            }
            unsafe self.init(.es256, key)
        }
    }

    /// As RFC 9053 signs, or FIDO: ECDSA in DER.
    func sign(_ message: [UInt8]) -> [UInt8] {
        let context = unsafe EVP_MD_CTX_new()
        // Safe because the context is freed here; OpenSSL writes no more than it was given.
        defer { unsafe EVP_MD_CTX_free(context) }
        let digest = kind == .edDSA ? nil : unsafe EVP_sha256()
        var signature = [UInt8](repeating: 0, count: 512)
        var length = signature.count
        guard unsafe EVP_DigestSignInit(context, nil, digest, nil, raw) == 1,
            unsafe EVP_DigestSign(context, &signature, &length, message, message.count) == 1
        else { preconditionFailure("OpenSSL signed nothing") }
        return Array(signature[..<length])
    }

    /// The public key: a point with its leading 4, or an Ed25519 key.
    var point: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 65)
        var length = bytes.count
        // Safe because OpenSSL writes no more than the length it is given, which the array has.
        let isRead =
            kind == .edDSA
            ? unsafe EVP_PKEY_get_raw_public_key(raw, &bytes, &length)
            : unsafe EVP_PKEY_get_octet_string_param(
                raw, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, &bytes, length, &length)
        guard isRead == 1 else { preconditionFailure("no public key") }
        return Array(bytes[..<length])
    }

    private var modulus: [UInt8] {
        var number: OpaquePointer?
        // Safe because the modulus is freed here and 256 bytes are what it takes.
        defer { unsafe BN_free(number) }
        var bytes = [UInt8](repeating: 0, count: 256)
        guard unsafe EVP_PKEY_get_bn_param(raw, OSSL_PKEY_PARAM_RSA_N, &number) == 1,
            unsafe BN_bn2binpad(number, &bytes, 256) == 256
        else { preconditionFailure("no modulus") }
        return bytes
    }

    /// The public key as COSE.
    var cose: [UInt8] {
        let algorithm = (CBOR.integer(3), CBOR.integer(kind.rawValue))
        func number(_ label: Int64, _ value: Int64) -> ([UInt8], [UInt8]) {
            (CBOR.integer(label), CBOR.integer(value))
        }
        func bytes(_ label: Int64, _ value: [UInt8]) -> ([UInt8], [UInt8]) {
            (CBOR.integer(label), CBOR.bytes(value))
        }
        switch kind {
        case .es256:
            return CBOR.map([
                number(1, 2), algorithm, number(-1, 1), bytes(-2, Array(point[1..<33])),
                bytes(-3, Array(point[33...])),
            ])
        case .edDSA:
            return CBOR.map([number(1, 1), algorithm, number(-1, 6), bytes(-2, point)])
        case .rs256:
            return CBOR.map([
                number(1, 3), algorithm, bytes(-1, modulus), bytes(-2, [1, 0, 1]),
            ])
        }
    }
}
