// PrivateKey.swift: a throw-away key on the curve P-256.

import COpenSSL

/// A key pair; the private half leaves memory only through `pem()`.
///
/// Safe because `pointer` is owned by this object alone and freed with it.
@safe final class PrivateKey {
    let pointer: OpaquePointer

    init() throws(PKIError) {
        unsafe pointer = try made(herse_generate_p256(), "make a key")
    }

    deinit { unsafe EVP_PKEY_free(pointer) }

    /// PKCS#8, not encrypted: the file's mode is what protects it.
    func pem() throws(PKIError) -> [UInt8] {
        try unsafe pemBytes("write a key") { bio in
            unsafe PEM_write_bio_PrivateKey(bio, pointer, nil, nil, 0, nil, nil)
        }
    }
}
