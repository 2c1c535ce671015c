// FidoLibrary.swift: libfido2, which verifies what authenticators sign.

internal import CFIDO

/// A key or an attestation, as libfido2 holds it.
///
/// Safe because it owns what libfido2 gave it, alone, and frees it once.
@safe final class FidoCredential {
    private var raw: OpaquePointer?

    /// Nil when libfido2 cannot have read the same as we did, or has no memory.
    init?(
        _ data: AuthenticatorData, key: PublicKey, party: RelyingParty, clientDataHash: [UInt8]
    ) {
        unsafe raw = fido_cred_new()
        let type = Int32(key.kind.rawValue)
        guard let raw = unsafe raw,
            // Safe because libfido2 copies what it is given; the arrays hold what is said.
            unsafe fido_cred_set_type(raw, type) == FIDO_OK,
            unsafe fido_cred_set_rp(raw, party.id, nil) == FIDO_OK,
            unsafe fido_cred_set_clientdata_hash(raw, clientDataHash, clientDataHash.count)
                == FIDO_OK,
            unsafe Self.tell(raw, extensions: data.extensions),
            unsafe fido_cred_set_authdata_raw(raw, data.bytes, data.bytes.count) == FIDO_OK,
            isSame(as: data, key: key)
        else { return nil }
    }

    deinit { unsafe fido_cred_free(&raw) }

    /// Whether the first of `certificates` signed this key (§8.2, §8.6).
    func isSigned(format: String, certificate: [UInt8], signature: [UInt8]) -> Bool {
        guard let raw = unsafe raw else { return false }
        // Safe because libfido2 copies what it is given; the arrays hold what is said.
        return unsafe fido_cred_set_fmt(raw, format) == FIDO_OK
            && fido_cred_set_x509(raw, certificate, certificate.count) == FIDO_OK
            && fido_cred_set_sig(raw, signature, signature.count) == FIDO_OK
            && fido_cred_verify(raw) == FIDO_OK
    }

    /// Whether libfido2 read the same id and key: two readers that differ are an opening.
    private func isSame(as data: AuthenticatorData, key: PublicKey) -> Bool {
        guard let raw = unsafe raw, let credential = data.credential else { return false }
        // Safe because libfido2 says how long what it points to is, and keeps it until freed.
        let id = unsafe UnsafeBufferPointer(
            start: fido_cred_id_ptr(raw), count: fido_cred_id_len(raw))
        let publicKey = unsafe UnsafeBufferPointer(
            start: fido_cred_pubkey_ptr(raw), count: fido_cred_pubkey_len(raw))
        return unsafe data.bytes[credential.id].elementsEqual(id)
            && key.raw.elementsEqual(publicKey)
            && fido_cred_flags(raw) == data.flags.rawValue
            && fido_cred_sigcount(raw) == data.counter
    }

    /// libfido2 refuses extensions it was not told of; authenticators add these unasked.
    private static func tell(_ raw: OpaquePointer, extensions: [String: Int64]) -> Bool {
        var mask: Int32 = 0
        if extensions["hmac-secret"] != nil { mask |= FIDO_EXT_HMAC_SECRET }
        if extensions["credBlob"] != nil { mask |= FIDO_EXT_CRED_BLOB }
        // Safe because these are numbers, which libfido2 judges.
        guard unsafe fido_cred_set_extensions(raw, mask) == FIDO_OK else { return false }
        if let level = extensions["credProtect"] {
            guard let level = Int32(exactly: level),
                unsafe fido_cred_set_prot(raw, level) == FIDO_OK
            else { return false }
        }
        if let length = extensions["minPinLength"] {
            guard let length = Int(exactly: length),
                unsafe fido_cred_set_pin_minlen(raw, length) == FIDO_OK
            else { return false }
        }
        return true
    }
}

extension PublicKey {
    /// Whether the bytes are a key of their kind: a point of the curve, not just of its length.
    var isUsable: Bool {
        // Safe because the key lent is not looked at.
        unsafe withKey { _ in true } ?? false
    }

    /// Whether this key signed an assertion; `data` was read before.
    func signed(
        _ data: AuthenticatorData, clientDataHash: [UInt8], signature: [UInt8],
        party: RelyingParty
    ) -> Bool {
        // Safe because the key is used for the time of the call only.
        unsafe withKey { key in
            var assertion = unsafe fido_assert_new()
            // Safe because it is freed here, whatever happens, and once.
            defer { unsafe fido_assert_free(&assertion) }
            guard let assertion = unsafe assertion else { return false }
            // Safe because libfido2 copies what it is given; the arrays hold what is said.
            return unsafe fido_assert_set_count(assertion, 1) == FIDO_OK
                && fido_assert_set_rp(assertion, party.id) == FIDO_OK
                && fido_assert_set_clientdata_hash(
                    assertion, clientDataHash, clientDataHash.count) == FIDO_OK
                && fido_assert_set_up(assertion, FIDO_OPT_TRUE) == FIDO_OK
                && fido_assert_set_authdata_raw(assertion, 0, data.bytes, data.bytes.count)
                    == FIDO_OK
                && fido_assert_set_sig(assertion, 0, signature, signature.count) == FIDO_OK
                && fido_assert_verify(assertion, 0, Int32(kind.rawValue), key) == FIDO_OK
        } ?? false
    }

    /// Lends the key as libfido2 holds it; nil when it is none.
    private func withKey<Result>(_ body: (UnsafeRawPointer) -> Result) -> Result? {
        // Safe because each key is freed where it was made, after its last use; what is converted
        // to look whether it can be is freed at once.
        switch kind {
        case .es256:
            var key = unsafe es256_pk_new()
            defer { unsafe es256_pk_free(&key) }
            guard let key = unsafe key, unsafe es256_pk_from_ptr(key, raw, raw.count) == FIDO_OK,
                unsafe isWhole(es256_pk_to_EVP_PKEY(key))
            else { return nil }
            return unsafe body(UnsafeRawPointer(key))
        case .edDSA:
            var key = unsafe eddsa_pk_new()
            defer { unsafe eddsa_pk_free(&key) }
            guard let key = unsafe key, unsafe eddsa_pk_from_ptr(key, raw, raw.count) == FIDO_OK,
                unsafe isWhole(eddsa_pk_to_EVP_PKEY(key))
            else { return nil }
            return unsafe body(UnsafeRawPointer(key))
        case .rs256:
            var key = unsafe rs256_pk_new()
            defer { unsafe rs256_pk_free(&key) }
            guard let key = unsafe key, unsafe rs256_pk_from_ptr(key, raw, raw.count) == FIDO_OK,
                unsafe isWhole(rs256_pk_to_EVP_PKEY(key))
            else { return nil }
            return unsafe body(UnsafeRawPointer(key))
        }
    }

    private func isWhole(_ key: OpaquePointer?) -> Bool {
        // Safe because the caller gives it away, and nobody else has it.
        defer { unsafe EVP_PKEY_free(key) }
        return unsafe key != nil
    }
}
