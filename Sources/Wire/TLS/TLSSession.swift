// TLSSession.swift: one TLS connection on a socket: handshake, read, write, close.

internal import COpenSSL
internal import Glibc

/// What came of reading, writing or shaking hands without blocking.
package enum TLSProgress: Equatable, Sendable {
    /// Bytes moved; for a handshake, 0 when it is done.
    case done(Int)
    case wantsRead
    case wantsWrite
    /// The peer said it sends no more (`close_notify`); we may still send.
    case finished
    /// The connection is of no further use.
    case failed
}

/// One side of a TLS connection; not shared between threads.
///
/// Safe because it owns its session and is used by one thread, and OpenSSL reads and writes at
/// most the bytes whose count it is given.
@safe package final class TLSSession {
    private let pointer: OpaquePointer

    /// A server's session on `descriptor`, which stays the caller's.
    package init?(server context: TLSServerContext, descriptor: Int32) {
        guard let pointer = unsafe SSL_new(context.pointer) else { return nil }
        unsafe self.pointer = pointer
        guard unsafe SSL_set_fd(pointer, descriptor) == 1 else { return nil }
        unsafe SSL_set_accept_state(pointer)
    }

    /// A client's session on `descriptor` towards `context`'s server.
    package init?(client context: TLSClientContext, descriptor: Int32) {
        guard let pointer = unsafe SSL_new(context.pointer) else { return nil }
        unsafe self.pointer = pointer
        guard unsafe SSL_set_fd(pointer, descriptor) == 1, unsafe context.prepare(pointer) else {
            return nil
        }
        unsafe SSL_set_connect_state(pointer)
    }

    deinit { unsafe SSL_free(pointer) }

    package func handshake() -> TLSProgress {
        let step = unsafe progress(SSL_do_handshake(pointer), handshaking: true)
        // What verification left behind must not be taken for an error of a later read.
        if case .done = step { ERR_clear_error() }
        return step
    }

    /// Reads into `room` once.
    @inline(__always)
    package func read(into room: UnsafeMutableRawBufferPointer) -> TLSProgress {
        let count = Int32(clamping: room.count)
        return unsafe progress(SSL_read(pointer, room.baseAddress, count), handshaking: false)
    }

    /// Writes some of `bytes`, which must not be empty.
    @inline(__always)
    package func write(_ bytes: UnsafeRawBufferPointer) -> TLSProgress {
        let count = Int32(clamping: bytes.count)
        return unsafe progress(SSL_write(pointer, bytes.baseAddress, count), handshaking: false)
    }

    @inline(__always)
    private func progress(_ result: Int32, handshaking: Bool) -> TLSProgress {
        if result > 0 { return .done(handshaking ? 0 : Int(result)) }
        return slowProgress(result)
    }

    @inline(never)
    private func slowProgress(_ result: Int32) -> TLSProgress {
        switch unsafe SSL_get_error(pointer, result) {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        case SSL_ERROR_ZERO_RETURN: return .finished
        default:
            refusal = unsafe refusalOfCertificate(ERR_peek_last_error(), pointer)
            failure = takeOpenSSLError()
            return .failed
        }
    }

    /// Why the last step failed, as OpenSSL words it; without anything the peer sent.
    package private(set) var failure: String?

    /// Why the client's certificate was refused, when that is why the handshake failed; one word.
    package private(set) var refusal: StaticString?

    /// Whether bytes wait inside the session that no readiness event will announce.
    package var hasPending: Bool { unsafe SSL_has_pending(pointer) == 1 }

    /// Says that nothing more is sent; best effort, never waits.
    package func sayGoodbye() {
        if unsafe SSL_shutdown(pointer) < 0 { ERR_clear_error() }
    }

    package var isResumed: Bool { unsafe SSL_session_reused(pointer) == 1 }

    /// When the client of a resumed session showed its certificate, in seconds since 1970; nil when
    /// the session is not resumed, or does not say.
    package var provenAt: Int64? {
        guard isResumed, let state = unsafe SSL_get_session(pointer) else { return nil }
        return unsafe timeOfProof(state)
    }

    /// `TLSv1.2` or `TLSv1.3`.
    package var version: StaticString {
        unsafe SSL_version(pointer) == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2"
    }

    /// The cipher suite: its number in OpenSSL, and its name in the IANA registry; nil before the
    /// handshake.
    package var cipherSuite: (number: UInt32, name: String)? {
        guard let suite = unsafe SSL_get_current_cipher(pointer) else { return nil }
        // Safe because OpenSSL's names live for ever.
        guard let name = unsafe SSL_CIPHER_standard_name(suite) else { return nil }
        return unsafe (SSL_CIPHER_get_id(suite), String(cString: name))
    }

    /// Whether the key schedule binds the whole handshake (RFC 7627); always so in TLS 1.3.
    package var bindsHandshake: Bool {
        unsafe SSL_version(pointer) == TLS1_3_VERSION
            || SSL_ctrl(pointer, SSL_CTRL_GET_EXTMS_SUPPORT, 0, nil) == 1
    }

    var peerCertificate: OpaquePointer? { unsafe SSL_get0_peer_certificate(pointer) }
    var peerChain: OpaquePointer? { unsafe SSL_get_peer_cert_chain(pointer) }

    /// The fingerprint of the client's certificate, if it showed one.
    package var peerFingerprint: Fingerprint? {
        guard let certificate = unsafe peerCertificate else { return nil }
        return unsafe fingerprint(of: certificate)
    }
}

/// Why a server ended a handshake over the client's certificate, or nil when that is not why.
private func refusalOfCertificate(_ error: UInt, _ session: OpaquePointer) -> StaticString? {
    guard ERR_GET_LIB(error) == ERR_LIB_SSL else { return nil }
    switch ERR_GET_REASON(error) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return "no-certificate"
    case SSL_R_CERTIFICATE_VERIFY_FAILED: break
    default: return nil
    }
    // Safe because the session is the caller's.
    switch Int32(clamping: unsafe SSL_get_verify_result(session)) {
    case X509_V_ERR_CERT_REVOKED: return "revoked"
    case X509_V_ERR_CERT_HAS_EXPIRED: return "expired"
    case X509_V_ERR_CERT_NOT_YET_VALID: return "not-yet-valid"
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
        X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
        X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return "unknown-authority"
    case X509_V_ERR_UNABLE_TO_GET_CRL, X509_V_ERR_CRL_HAS_EXPIRED,
        X509_V_ERR_CRL_NOT_YET_VALID:
        return "revocation-unknown"
    default: return "certificate-refused"
    }
}
