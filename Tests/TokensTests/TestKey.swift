// TestKey.swift: private keys of every kind, made by OpenSSL itself.

import COpenSSL
import Testing

@testable import Tokens

/// A private key of any kind, for tests alone.
///
/// Safe because it owns its key alone.
@safe final class TestKey {
    let publicKey: PublicKey
    private let pointer: OpaquePointer

    init(_ algorithm: SignatureAlgorithm) throws {
        // Safe because the key is owned from here on.
        let made =
            switch algorithm {
            case .es256: unsafe keyOnCurve("P-256")
            case .es384: unsafe keyOnCurve("P-384")
            case .es512: unsafe keyOnCurve("P-521")
            case .edDSA: unsafe newKey(EVP_PKEY_ED25519)
            default: unsafe herse_generate_rsa(2048)
            }
        unsafe pointer = try #require(made)
        publicKey = try #require(unsafe Self.publicKey(made, algorithm))
    }

    deinit { unsafe EVP_PKEY_free(pointer) }

    private static func publicKey(
        _ key: OpaquePointer?, _ algorithm: SignatureAlgorithm
    ) -> PublicKey? {
        // Safe because each read is told how much room there is.
        func octets(_ name: String) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: 1024)
            var count = 0
            guard unsafe EVP_PKEY_get_octet_string_param(key, name, &bytes, 1024, &count) == 1
            else { return [] }
            return Array(bytes.prefix(count))
        }
        func number(_ name: String) -> [UInt8] {
            var number: OpaquePointer?
            guard unsafe EVP_PKEY_get_bn_param(key, name, &number) == 1 else { return [] }
            defer { unsafe BN_free(number) }
            var bytes = [UInt8](repeating: 0, count: 1024)
            let count = unsafe BN_bn2bin(number, &bytes)
            return Array(bytes.prefix(Int(count)))
        }
        switch algorithm {
        case .es256, .es384, .es512:
            let point = octets(OSSL_PKEY_PARAM_PUB_KEY).dropFirst()
            let kind: PublicKey.Kind =
                algorithm == .es256 ? .p256 : algorithm == .es384 ? .p384 : .p521
            return .onCurve(
                kind, x: Array(point.prefix(point.count / 2)),
                y: Array(point.suffix(point.count / 2)))
        case .edDSA: return .ed25519(octets(OSSL_PKEY_PARAM_PUB_KEY))
        default:
            return .rsa(
                modulus: number(OSSL_PKEY_PARAM_RSA_N), exponent: number(OSSL_PKEY_PARAM_RSA_E))
        }
    }

    func sign(_ message: [UInt8], _ algorithm: SignatureAlgorithm) throws -> [UInt8] {
        // Safe because the context lives for the call, and signature and message have the lengths
        // that are passed with them.
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        var options: OpaquePointer?
        let method = unsafe algorithm == .edDSA ? nil : algorithm.digest.method
        try #require(unsafe EVP_DigestSignInit(context, &options, method, nil, pointer) == 1)
        if algorithm.isPSS {
            try #require(unsafe EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1)
            try #require(
                unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1)
        }
        var signature = [UInt8](repeating: 0, count: 1024)
        var count = signature.count
        try #require(
            unsafe EVP_DigestSign(context, &signature, &count, message, message.count) == 1)
        signature = Array(signature.prefix(count))
        let size = publicKey.kind.coordinateBytes
        guard size > 0, algorithm != .edDSA else { return signature }
        return try raw(signature, size)
    }

    /// By OpenSSL: `rawSignature` is for P-256 alone.
    private func raw(_ der: [UInt8], _ size: Int) throws -> [UInt8] {
        // Safe because the start moves over a copy that outlives the call, and both halves have
        // the room that is said.
        try unsafe der.withUnsafeBufferPointer { der in
            var start = der.baseAddress
            let pair = unsafe d2i_ECDSA_SIG(nil, &start, der.count)
            defer { unsafe ECDSA_SIG_free(pair) }
            try #require(unsafe pair != nil)
            var raw = [UInt8](repeating: 0, count: 2 * size)
            unsafe raw.withUnsafeMutableBufferPointer { raw in
                guard let base = raw.baseAddress else { return }
                _ = unsafe BN_bn2binpad(ECDSA_SIG_get0_r(pair), base, Int32(size))
                _ = unsafe BN_bn2binpad(ECDSA_SIG_get0_s(pair), base + size, Int32(size))
            }
            return raw
        }
    }
}

private func keyOnCurve(_ curve: String) -> OpaquePointer? {
    // Safe because the context is freed at the end, and the key is the caller's.
    let context = unsafe EVP_PKEY_CTX_new_from_name(nil, "EC", nil)
    defer { unsafe EVP_PKEY_CTX_free(context) }
    var key: OpaquePointer?
    guard unsafe EVP_PKEY_keygen_init(context) == 1,
        unsafe EVP_PKEY_CTX_set_group_name(context, curve) == 1,
        unsafe EVP_PKEY_keygen(context, &key) == 1
    else { return nil }
    return unsafe key
}

private func newKey(_ type: Int32) -> OpaquePointer? {
    // Safe because the context is freed at the end, and the key is the caller's.
    let context = unsafe EVP_PKEY_CTX_new_id(type, nil)
    defer { unsafe EVP_PKEY_CTX_free(context) }
    var key: OpaquePointer?
    guard unsafe EVP_PKEY_keygen_init(context) == 1, unsafe EVP_PKEY_keygen(context, &key) == 1
    else { return nil }
    return unsafe key
}
