// TrustAnchors.swift: whom a listener believes, and which lists say who is revoked.

internal import COpenSSL

/// What is done when a revocation list is past its `nextUpdate`.
package enum ExpiredListPolicy: Sendable {
    /// Every certificate of that authority is refused until a fresh list is loaded.
    case refuse
    /// The old list goes on being applied; named unsafe in the configuration.
    case unsafeAccept
}

/// The authorities and revocation lists of one listener; immutable, shared by all workers.
package struct TrustAnchors: Sendable {
    package let authorities: [Certificate]
    package let lists: [RevocationList]
    package let expired: ExpiredListPolicy
    /// The longest chain accepted, leaf and root not counted.
    package let depth: Int
    /// Whether lists are asked for, even if none is at hand: then nobody can be believed.
    package let asksForLists: Bool

    package init(
        authorities: [Certificate], lists: [RevocationList], expired: ExpiredListPolicy, depth: Int,
        asksForLists: Bool = false
    ) {
        self.asksForLists = asksForLists || !lists.isEmpty
        self.authorities = authorities
        self.lists = lists
        self.expired = expired
        self.depth = depth
    }

    /// The same with more lists.
    package func adding(_ more: [RevocationList]) -> TrustAnchors {
        TrustAnchors(
            authorities: authorities, lists: lists + more, expired: expired, depth: depth,
            asksForLists: asksForLists)
    }

    /// Whether an authority that is not self-signed stands without its own issuer: then it is
    /// itself the anchor, and a chain may end there.
    private var needsPartialChains: Bool {
        authorities.contains { authority in
            !authority.isSelfIssued && !authorities.contains { authority.isIssued(by: $0) }
        }
    }

    /// Authorities whose certificates are not checked, since no list of theirs was given although
    /// lists were.
    package var authoritiesWithoutList: [Certificate] {
        guard asksForLists else { return [] }
        return authorities.filter { authority in
            !lists.contains { $0.isIssued(by: authority) }
        }
    }

    /// Lists that no authority of the listener has signed.
    package var foreignLists: [RevocationList] {
        lists.filter { list in
            !authorities.contains { list.isIssued(by: $0) && list.isSigned(by: $0) }
        }
    }

    /// A store for one worker's contexts; the caller frees it.
    func makeStore() -> OpaquePointer? {
        // Safe because the store counts its own references to what is added.
        guard let store = unsafe X509_STORE_new() else { return nil }
        for authority in authorities { _ = unsafe X509_STORE_add_cert(store, authority.pointer) }
        for list in lists { _ = unsafe X509_STORE_add_crl(store, list.pointer) }
        // A certificate given twice leaves a harmless error behind.
        ERR_clear_error()
        var flags = UInt(X509_V_FLAG_X509_STRICT | X509_V_FLAG_POLICY_CHECK)
        if asksForLists {
            flags |= UInt(
                X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL
                    | X509_V_FLAG_EXTENDED_CRL_SUPPORT | X509_V_FLAG_USE_DELTAS)
        }
        if needsPartialChains { flags |= UInt(X509_V_FLAG_PARTIAL_CHAIN) }
        unsafe X509_STORE_set_flags(store, flags)
        unsafe X509_STORE_set_depth(store, Int32(depth))
        unsafe X509_STORE_set_purpose(store, X509_PURPOSE_SSL_CLIENT)
        return unsafe store
    }
}
