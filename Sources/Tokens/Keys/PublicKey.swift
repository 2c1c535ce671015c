// PublicKey.swift: a public key and the signatures it made.

internal import COpenSSL

/// A key that verifies; immutable, so safe to share between threads.
///
/// Safe because it owns its key alone, and nothing here changes the value.
@safe package final class PublicKey: @unchecked Sendable {
    /// What a key is, as far as the choice of an algorithm goes.
    package enum Kind: Equatable, Sendable {
        case rsa
        case p256
        case p384
        case p521
        case ed25519

        /// Bytes of a coordinate, and so of each half of a signature.
        var coordinateBytes: Int {
            switch self {
            case .rsa: 0
            case .p256, .ed25519: 32
            case .p384: 48
            case .p521: 66
            }
        }
    }

    package let kind: Kind
    /// RFC 7638, with SHA-256, as base64url: 43 letters.
    package let thumbprint: String
    private let pointer: OpaquePointer

    /// Bits an RSA key has at least and at most: a larger one costs more than a stranger may ask.
    static let rsaBits = 2048...8192

    /// Takes over the key at `pointer`.
    private init(_ kind: Kind, takingOver pointer: OpaquePointer, thumbprint: String) {
        self.kind = kind
        self.thumbprint = thumbprint
        unsafe self.pointer = pointer
    }

    deinit { unsafe EVP_PKEY_free(pointer) }

    /// Its size, as cryptographers count: of an RSA key, the modulus.
    ///
    /// Safe because the key is this one's as long as it lives.
    var bits: Int { Int(unsafe EVP_PKEY_get_bits(pointer)) }

    /// A key on a NIST curve; nil when the point is not on it.
    static func onCurve(_ kind: Kind, x: [UInt8], y: [UInt8]) -> PublicKey? {
        let names: (jose: String, openSSL: String)
        switch kind {
        case .p256: names = ("P-256", "P-256")
        case .p384: names = ("P-384", "P-384")
        case .p521: names = ("P-521", "P-521")
        case .rsa, .ed25519: return nil
        }
        guard x.count == kind.coordinateBytes, y.count == kind.coordinateBytes else { return nil }
        var point = [0x04] + x + y
        // Safe because the point and the name outlive the call; OpenSSL keeps copies.
        guard let pointer = unsafe herse_public_ec_key(names.openSSL, &point, point.count) else {
            ERR_clear_error()
            return nil
        }
        let members =
            #"{"crv":"\#(names.jose)","kty":"EC","x":"\#(encodeBase64URL(x))","#
            + #""y":"\#(encodeBase64URL(y))"}"#
        return unsafe PublicKey(
            kind, takingOver: pointer, thumbprint: encodeBase64URL(sha256(members)))
    }

    /// An RSA key, from numbers whose first byte is the highest; nil when too small, too large, or
    /// with an exponent that nobody chooses.
    static func rsa(modulus: [UInt8], exponent: [UInt8]) -> PublicKey? {
        let modulus = Array(modulus.drop { $0 == 0 })
        let exponent = Array(exponent.drop { $0 == 0 })
        guard let first = modulus.first, let last = modulus.last, last & 1 == 1,
            rsaBits.contains(modulus.count * 8 - first.leadingZeroBitCount),
            let low = exponent.last, low & 1 == 1, exponent.count <= 4, exponent != [1]
        else { return nil }
        var machineModulus = inMachineOrder(modulus)
        var machineExponent = inMachineOrder(exponent)
        // Safe because both numbers outlive the call; OpenSSL keeps copies.
        let made = unsafe herse_public_rsa_key(
            &machineModulus, machineModulus.count, &machineExponent, machineExponent.count)
        guard let pointer = unsafe made else {
            ERR_clear_error()
            return nil
        }
        let members =
            #"{"e":"\#(encodeBase64URL(exponent))","kty":"RSA","n":"\#(encodeBase64URL(modulus))"}"#
        return unsafe PublicKey(
            .rsa, takingOver: pointer, thumbprint: encodeBase64URL(sha256(members)))
    }

    private static func inMachineOrder(_ number: [UInt8]) -> [UInt8] {
        UInt16(1).littleEndian == 1 ? number.reversed() : number
    }

    /// A key of RFC 8032.
    static func ed25519(_ x: [UInt8]) -> PublicKey? {
        guard x.count == 32 else { return nil }
        // Safe because there are the 32 bytes that are read.
        let made = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, x, 32)
        guard let pointer = unsafe made else {
            ERR_clear_error()
            return nil
        }
        let members = #"{"crv":"Ed25519","kty":"OKP","x":"\#(encodeBase64URL(x))"}"#
        return unsafe PublicKey(
            .ed25519, takingOver: pointer, thumbprint: encodeBase64URL(sha256(members)))
    }

    /// Whether this key made the signature, written as JWS has it, of the message.
    func verifies(
        _ signature: [UInt8], of message: Span<UInt8>, _ algorithm: SignatureAlgorithm
    ) -> Bool {
        guard algorithm.fits(kind) else { return false }
        var signature = signature
        switch kind {
        case .p256, .p384, .p521:
            guard let der = derSignature(signature, coordinateBytes: kind.coordinateBytes) else {
                return false
            }
            signature = der
        case .ed25519:
            guard signature.count == 64 else { return false }
        case .rsa: break
        }
        let isGood = check(signature, message, algorithm)
        if !isGood { ERR_clear_error() }
        return isGood
    }

    private func check(
        _ signature: [UInt8], _ message: Span<UInt8>, _ algorithm: SignatureAlgorithm
    ) -> Bool {
        guard let context = unsafe EVP_MD_CTX_new() else { return false }
        defer { unsafe EVP_MD_CTX_free(context) }
        var options: OpaquePointer?
        let method = unsafe algorithm == .edDSA ? nil : algorithm.digest.method
        // Safe because the context owns `options`, and the key outlives the call.
        guard unsafe EVP_DigestVerifyInit(context, &options, method, nil, pointer) == 1 else {
            return false
        }
        if algorithm.isPSS {
            guard unsafe EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1,
                unsafe EVP_PKEY_CTX_set_rsa_mgf1_md(options, method) == 1,
                unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1
            else { return false }
        }
        return unsafe message.withUnsafeBufferPointer { message in
            // Safe because message and signature have the lengths they are passed with.
            unsafe EVP_DigestVerify(
                context, signature, signature.count, message.baseAddress, message.count) == 1
        }
    }
}
