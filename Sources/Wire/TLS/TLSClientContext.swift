// TLSClientContext.swift: how Herse proves and checks identities towards an identity server.

internal import COpenSSL

/// How an identity server is reached over TLS; immutable, shared by all workers.
package struct TLSClientSettings: Sendable {
    package let authorities: [Certificate]
    package let credential: ServerCredential?
    /// The name or address its certificate must carry.
    package let serverName: String
    package let isAddress: Bool

    package init(
        authorities: [Certificate], credential: ServerCredential?, serverName: String,
        isAddress: Bool
    ) {
        self.authorities = authorities
        self.credential = credential
        self.serverName = serverName
        self.isAddress = isAddress
    }
}

/// One worker's OpenSSL context towards one identity server.
///
/// Safe because it owns its context, and OpenSSL counts its own references to the store,
/// certificates and keys that are put into it.
@safe package final class TLSClientContext {
    let pointer: OpaquePointer
    private let settings: TLSClientSettings

    package init(_ settings: TLSClientSettings) throws(TLSMaterialError) {
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else {
            throw TLSMaterialError(file: nil, problem: "out of memory", hint: takeOpenSSLError())
        }
        unsafe pointer = context
        self.settings = settings
        try unsafe TLSProfile.apply(to: context)
        guard let store = unsafe X509_STORE_new() else {
            throw TLSMaterialError(file: nil, problem: "out of memory", hint: takeOpenSSLError())
        }
        for authority in settings.authorities {
            _ = unsafe X509_STORE_add_cert(store, authority.pointer)
        }
        ERR_clear_error()
        _ = unsafe X509_STORE_set_flags(
            store, UInt(X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN))
        unsafe SSL_CTX_set_cert_store(context, store)
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        _ = unsafe herse_ctx_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        guard let credential = settings.credential, let leaf = credential.chain.first else {
            return
        }
        guard unsafe SSL_CTX_use_certificate(context, leaf.pointer) == 1,
            unsafe SSL_CTX_use_PrivateKey(context, credential.key.pointer) == 1
        else {
            throw TLSMaterialError(
                file: nil, problem: "this OpenSSL refuses the client certificate or its key",
                hint: takeOpenSSLError())
        }
        for certificate in credential.chain.dropFirst() {
            _ = unsafe herse_ctx_add_chain_certificate(context, certificate.pointer)
        }
    }

    deinit { unsafe SSL_CTX_free(pointer) }

    /// Sets whom the session must find at the other end; false when that cannot be demanded.
    func prepare(_ session: OpaquePointer) -> Bool {
        let parameters = unsafe SSL_get0_param(session)
        if settings.isAddress {
            return unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, settings.serverName) == 1
        }
        return unsafe X509_VERIFY_PARAM_set1_host(parameters, settings.serverName, 0) == 1
            && herse_ssl_set_server_name(session, settings.serverName) == 1
    }
}
