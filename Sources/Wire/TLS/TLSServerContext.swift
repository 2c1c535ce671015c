// TLSServerContext.swift: what one worker's TLS connections of one listener have in common.
//
// One context a worker, so that workers share no lock. Everything it is made of is shared.

internal import COpenSSL
internal import Glibc

/// Whether a client must, may or cannot show a certificate.
package enum ClientCertificateDemand: Sendable {
    case required
    case optional
    case none
}

/// A certificate chain and its key.
package struct ServerCredential: Sendable {
    package let chain: [Certificate]
    package let key: PrivateKey

    /// Loads both and makes sure they belong together.
    package init(certificate: String, privateKey: String) throws(TLSMaterialError) {
        // Safe because both objects live as long as they are compared.
        chain = try readCertificates(certificate)
        key = try readPrivateKey(privateKey)
        guard let leaf = chain.first, unsafe X509_check_private_key(leaf.pointer, key.pointer) == 1
        else {
            ERR_clear_error()
            throw TLSMaterialError(
                file: privateKey, problem: "does not belong to the certificate in `\(certificate)`",
                hint: "the first certificate of the chain must be the server's own")
        }
    }
}

/// Keys that seal session tickets: shared by all workers, replaced while the gate runs, never
/// written anywhere.
package struct TicketKeys: Sendable {
    fileprivate static let length = 80
    fileprivate let bytes: [UInt8]

    /// Fresh random keys; nil when the system has no randomness to give.
    package init?() {
        var bytes = [UInt8](repeating: 0, count: Self.length)
        // Safe because bytes has the length that is asked for.
        guard unsafe RAND_bytes(&bytes, Int32(Self.length)) == 1 else { return nil }
        self.bytes = bytes
    }
}

/// How a listener speaks TLS; immutable, shared by all workers.
package struct TLSServerSettings: Sendable {
    package let credentials: [ServerCredential]
    package let demand: ClientCertificateDemand
    package let anchors: TrustAnchors
    /// Seconds a session may be resumed after its client proved who it is; 0: never.
    package let ticketSeconds: Int
    /// What is stapled to the first certificate.
    package let staple: Staple?

    package init(
        credentials: [ServerCredential], demand: ClientCertificateDemand, anchors: TrustAnchors,
        ticketSeconds: Int, staple: Staple? = nil
    ) {
        self.staple = staple
        self.credentials = credentials
        self.demand = demand
        self.anchors = anchors
        self.ticketSeconds = ticketSeconds
    }
}

/// One worker's OpenSSL contexts for one listener, and its verdicts over client certificates.
///
/// Safe because it owns its contexts, and OpenSSL counts its own references to the store,
/// certificates and keys that are put into them; callbacks are lent theirs for the call.
@safe package final class TLSServerContext {
    package let verifier: ClientVerifier
    private let settings: TLSServerSettings
    private var contexts: [OpaquePointer]
    var pointer: OpaquePointer { unsafe contexts[0] }

    /// A context for `settings`, or what keeps OpenSSL from using them.
    package init(_ settings: TLSServerSettings, tickets: TicketKeys) throws(TLSMaterialError) {
        guard let verifier = ClientVerifier(anchors: settings.anchors),
            !settings.credentials.isEmpty
        else { throw TLSMaterialError(file: nil, problem: "no certificate to show") }
        self.verifier = verifier
        self.settings = settings
        unsafe contexts = []
        for credential in settings.credentials {
            unsafe contexts.append(try makeContext(credential))
        }
        replaceTicketKeys(tickets)
    }

    deinit { unsafe contexts.forEach { unsafe SSL_CTX_free($0) } }

    /// Seals new tickets with `keys`; those sealed before are no longer accepted.
    package func replaceTicketKeys(_ keys: TicketKeys) {
        var bytes = keys.bytes
        // Safe because OpenSSL copies the keys.
        unsafe contexts.forEach {
            _ = unsafe herse_ctx_set_ticket_keys($0, &bytes, Int32(bytes.count))
        }
    }

    private func makeContext(
        _ credential: ServerCredential
    ) throws(TLSMaterialError) -> OpaquePointer {
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else {
            throw TLSMaterialError(file: nil, problem: "out of memory", hint: takeOpenSSLError())
        }
        do throws(TLSMaterialError) {
            try unsafe TLSProfile.apply(to: context)
            try unsafe use(credential, in: context)
        } catch {
            unsafe SSL_CTX_free(context)
            throw error
        }
        unsafe askForCertificate(context)
        unsafe configureTickets(context)
        unsafe SSL_CTX_set_alpn_select_cb(context, selectProtocol, nil)
        if settings.staple != nil, unsafe contexts.isEmpty {
            _ = unsafe herse_ctx_set_status_callback(context, giveStaple, opaque)
        }
        if settings.credentials.count > 1 {
            _ = unsafe herse_ctx_set_server_name_callback(context, selectCertificate, opaque)
        }
        return unsafe context
    }

    /// Handed to OpenSSL's callbacks.
    ///
    /// Safe because the contexts, and with them every callback, end with this object: sessions
    /// hold their context, and connections hold this object as long as their session.
    private var opaque: UnsafeMutableRawPointer { unsafe Unmanaged.passUnretained(self).toOpaque() }

    private func use(
        _ credential: ServerCredential, in context: OpaquePointer
    ) throws(TLSMaterialError) {
        guard let leaf = credential.chain.first,
            unsafe SSL_CTX_use_certificate(context, leaf.pointer) == 1,
            unsafe SSL_CTX_use_PrivateKey(context, credential.key.pointer) == 1
        else {
            throw TLSMaterialError(
                file: nil, problem: "this OpenSSL refuses the certificate or its key",
                hint: takeOpenSSLError())
        }
        for certificate in credential.chain.dropFirst() {
            _ = unsafe herse_ctx_add_chain_certificate(context, certificate.pointer)
        }
    }

    private func askForCertificate(_ context: OpaquePointer) {
        unsafe X509_STORE_up_ref(verifier.store)
        unsafe SSL_CTX_set_cert_store(context, verifier.store)
        switch settings.demand {
        case .none: unsafe SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
        case .optional: unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        case .required:
            unsafe SSL_CTX_set_verify(
                context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        }
        unsafe SSL_CTX_set_cert_verify_callback(context, verifyClient, opaque)
        // Browsers show only the cards these names issued.
        for authority in settings.anchors.authorities {
            _ = unsafe SSL_CTX_add_client_CA(context, authority.pointer)
        }
    }

    private func configureTickets(_ context: OpaquePointer) {
        // No cache on our side: what resumes is in the ticket alone.
        _ = unsafe herse_ctx_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        _ = unsafe SSL_CTX_set_session_id_context(context, [0x48, 0x65], 2)
        guard settings.ticketSeconds > 0 else {
            _ = unsafe SSL_CTX_set_options(context, HERSE_OP_NO_TICKET)
            _ = unsafe SSL_CTX_set_num_tickets(context, 0)
            return
        }
        _ = unsafe SSL_CTX_set_timeout(context, settings.ticketSeconds)
        _ = unsafe SSL_CTX_set_num_tickets(context, 1)
        _ = unsafe SSL_CTX_set_session_ticket_cb(context, sealTicket, openTicket, opaque)
    }

    /// The response to staple now, if there is one.
    fileprivate var staple: [UInt8]? { settings.staple?.response(now: Int64(time(nil))) }

    fileprivate func verify(_ context: OpaquePointer?) -> Int32 {
        guard let context = unsafe context else { return 0 }
        return unsafe verifier.verify(context, now: Int64(time(nil)))
    }

    /// Whether a ticket may resume: its client proved itself less than `ticketSeconds` ago, and its
    /// certificate is still believed.
    ///
    /// Else the handshake goes on as a full one.
    fileprivate func accepts(_ session: OpaquePointer) -> Bool {
        let now = Int64(time(nil))
        guard let provenAt = unsafe timeOfProof(session) else { return false }
        // A clock that stepped back is no reason to trust a ticket from the future.
        guard provenAt <= now, now - provenAt < Int64(settings.ticketSeconds) else { return false }
        guard let peer = unsafe SSL_SESSION_get0_peer(session) else {
            return settings.demand != .required
        }
        guard let fingerprint = unsafe fingerprint(of: peer) else { return false }
        return verifier.believed(fingerprint, now: now) != nil
    }

    /// The context whose certificate carries `name`, if another than the first does.
    fileprivate func context(for name: UnsafePointer<CChar>) -> OpaquePointer? {
        let length = unsafe strlen(name)
        for (index, credential) in settings.credentials.enumerated() {
            guard let leaf = credential.chain.first else { continue }
            if unsafe X509_check_host(leaf.pointer, name, length, 0, nil) == 1 {
                return unsafe contexts[index]
            }
        }
        return nil
    }
}

private func owner(_ argument: UnsafeMutableRawPointer?) -> TLSServerContext? {
    // Safe because the argument is the object that installed the callback (see `opaque`).
    unsafe argument.map { unsafe Unmanaged<TLSServerContext>.fromOpaque($0).takeUnretainedValue() }
}

private func verifyClient(_ context: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> Int32
{
    // Safe because OpenSSL lends the context for the call.
    unsafe owner(argument)?.verify(context) ?? 0
}

/// Staples what a responder said of our certificate, RFC 6066 §8, to a client that asks for it.
private func giveStaple(
    _ session: OpaquePointer?, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let session = unsafe session, let response = unsafe owner(argument)?.staple else {
        return SSL_TLSEXT_ERR_NOACK
    }
    // Safe because the shim copies the bytes into memory that OpenSSL then owns.
    let given = unsafe herse_set_stapled_response(session, response, response.count)
    return given == 1 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK
}

private func selectCertificate(
    _ session: OpaquePointer?, _ alert: UnsafeMutablePointer<Int32>?,
    _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    // Safe because OpenSSL lends the session, and the name in it, for the call.
    guard let session = unsafe session,
        let name = unsafe SSL_get_servername(session, TLSEXT_NAMETYPE_host_name),
        let context = unsafe owner(argument)?.context(for: name)
    else { return SSL_TLSEXT_ERR_OK }
    _ = unsafe SSL_set_SSL_CTX(session, context)
    return SSL_TLSEXT_ERR_OK
}

/// HTTP/1.1 is what is spoken; a client that offers only something else gets the alert of
/// RFC 7301 §3.2.
private func selectProtocol(
    _ session: OpaquePointer?, _ out: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ outLength: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?,
    _ offeredLength: UInt32, _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let out = unsafe out, let outLength = unsafe outLength, let offered = unsafe offered
    else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    // Safe because OpenSSL has checked the list, and the answer points into it.
    let list = unsafe UnsafeBufferPointer(start: offered, count: Int(offeredLength))
    let wanted: StaticString = "http/1.1"
    var index = 0
    while index < list.count {
        let length = Int(unsafe list[index])
        if index + 1 + length > list.count { break }
        if length == wanted.utf8CodeUnitCount,
            unsafe memcmp(offered + index + 1, wanted.utf8Start, length) == 0
        {
            unsafe out.pointee = offered + index + 1
            unsafe outLength.pointee = UInt8(length)
            return SSL_TLSEXT_ERR_OK
        }
        index += 1 + length
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}

/// Stamps a ticket with the time its client proved itself; a ticket given out on resumption
/// keeps the first time, so that no chain of resumptions outlives the proof.
private func sealTicket(_ session: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> Int32 {
    // Safe because OpenSSL lends the session for the call and copies the time it is given.
    guard let session = unsafe session, let state = unsafe SSL_get_session(session) else {
        return 0
    }
    if unsafe SSL_session_reused(session) == 1 { return 1 }
    var now = Int64(time(nil))
    return unsafe SSL_SESSION_set1_ticket_appdata(state, &now, MemoryLayout<Int64>.size)
}

/// The time a session's client proved itself, as its ticket was stamped.
func timeOfProof(_ session: OpaquePointer) -> Int64? {
    var data: UnsafeMutableRawPointer?
    var length = 0
    // Safe because OpenSSL lends its own copy, which is read at once.
    guard unsafe SSL_SESSION_get0_ticket_appdata(session, &data, &length) == 1,
        let data = unsafe data, length == MemoryLayout<Int64>.size
    else { return nil }
    return unsafe data.loadUnaligned(as: Int64.self)
}

private func openTicket(
    _ session: OpaquePointer?, _ state: OpaquePointer?, _ keyName: UnsafePointer<UInt8>?,
    _ keyNameLength: Int, _ status: SSL_TICKET_STATUS, _ argument: UnsafeMutableRawPointer?
) -> SSL_TICKET_RETURN {
    // Safe because OpenSSL lends the opened state for the call.
    guard status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW,
        let state = unsafe state, unsafe owner(argument)?.accepts(state) == true
    else { return SSL_TICKET_RETURN_IGNORE_RENEW }
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW
}
