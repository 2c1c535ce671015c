// ClientVerifier.swift: whether a client's certificate is believed: path, purpose, revocation.
//
// A verdict is kept by fingerprint, since a professional opens many connections with one card;
// its validity in time is looked at each time. A verdict lives no longer than its verifier, and
// a reload that changes anchors or lists makes a new verifier.

internal import COpenSSL

/// A certificate that is believed, and how long: until it, its chain or a list of it ends.
package struct Belief: Sendable {
    package let leaf: LeafCertificate
    /// Seconds since 1970.
    package let until: Int64
    /// The certificate above it in the chain that was built.
    package let issuer: Certificate?
}

/// Verdicts over client certificates, for one worker.
///
/// Safe because it owns its store, and the contexts and certificates it is lent live for the
/// call: what it keeps of them is copied.
@safe package final class ClientVerifier {
    private struct Verdict {
        let leaf: LeafCertificate
        /// Seconds since 1970 between which the whole chain and its lists hold.
        let from: Int64
        let until: Int64
        let issuer: Certificate?
    }

    let store: OpaquePointer
    private let anchors: TrustAnchors
    private var verdicts: [Fingerprint: Verdict] = [:]
    /// The certificate refused last.
    private var refused: Fingerprint?

    /// Verdicts kept; past it all are forgotten, which costs each certificate one verification.
    private static let verdictsMax = 65_536

    package init?(anchors: TrustAnchors) {
        guard let store = unsafe anchors.makeStore() else { return nil }
        unsafe self.store = store
        self.anchors = anchors
    }

    deinit { unsafe X509_STORE_free(store) }

    /// The facts of a certificate that was believed and still is at `now` (seconds since 1970).
    package func believed(_ fingerprint: Fingerprint, now: Int64) -> Belief? {
        guard let verdict = verdicts[fingerprint], verdict.from <= now, now <= verdict.until
        else { return nil }
        return Belief(leaf: verdict.leaf, until: verdict.until, issuer: verdict.issuer)
    }

    /// The certificate refused since this was asked last; asked before and after the step of a
    /// handshake, it is that step's.
    package func takeRefused() -> Fingerprint? {
        defer { refused = nil }
        return refused
    }

    /// Verifies inside a full handshake; answers as OpenSSL's callback must, 1 or 0.
    func verify(_ context: OpaquePointer, now: Int64) -> Int32 {
        guard let leaf = unsafe X509_STORE_CTX_get0_cert(context),
            let fingerprint = unsafe fingerprint(of: leaf)
        else { return 0 }
        if believed(fingerprint, now: now) != nil { return 1 }
        switch anchors.expired {
        case .refuse: unsafe X509_STORE_CTX_set_verify_cb(context, whenExpiredRefuse)
        case .unsafeAccept: unsafe X509_STORE_CTX_set_verify_cb(context, whenExpiredAccept)
        }
        guard unsafe X509_verify_cert(context) == 1 else {
            refused = fingerprint
            return 0
        }
        let chain = unsafe X509_STORE_CTX_get0_chain(context)
        let facts = unsafe LeafCertificate(
            leaf, fingerprint: fingerprint, twin: twinFingerprint(of: leaf, in: chain))
        if let error = defect(of: facts) {
            unsafe X509_STORE_CTX_set_error(context, error)
            refused = fingerprint
            return 0
        }
        unsafe keep(facts, chain: chain, now: now)
        return 1
    }

    /// Verifies again a certificate seen in an earlier handshake, with what the client sent then.
    package func verifyAgain(_ session: TLSSession, now: Int64) -> Belief? {
        defer { ERR_clear_error() }
        guard let leaf = unsafe session.peerCertificate,
            let fingerprint = unsafe fingerprint(of: leaf)
        else { return nil }
        if let known = believed(fingerprint, now: now) { return known }
        guard let context = unsafe X509_STORE_CTX_new() else { return nil }
        defer { unsafe X509_STORE_CTX_free(context) }
        guard unsafe X509_STORE_CTX_init(context, store, leaf, session.peerChain) == 1,
            unsafe verify(context, now: now) == 1
        else { return nil }
        return believed(fingerprint, now: now)
    }

    /// What makes a leaf unfit although its path is sound; OpenSSL's default lets these pass.
    private func defect(of leaf: LeafCertificate) -> Int32? {
        if leaf.version != 3 { return X509_V_ERR_INVALID_EXTENSION }
        if leaf.isAuthority { return X509_V_ERR_INVALID_PURPOSE }
        if !leaf.mayAuthenticateClients { return X509_V_ERR_INVALID_PURPOSE }
        // A SEQUENCE of no RDN is two bytes: an empty subject names nobody.
        if leaf.subject.count <= 2 { return X509_V_ERR_SUBJECT_ISSUER_MISMATCH }
        if let usage = leaf.keyUsage, usage & UInt32(KU_DIGITAL_SIGNATURE) == 0 {
            return X509_V_ERR_KEYUSAGE_NO_CERTSIGN
        }
        return nil
    }

    private func keep(_ leaf: LeafCertificate, chain: OpaquePointer?, now: Int64) {
        var from = Int64.min
        var until = Int64.max
        for index in 0..<max(unsafe OPENSSL_sk_num(chain), 0) {
            guard let raw = unsafe OPENSSL_sk_value(chain, index) else { continue }
            let certificate = OpaquePointer(raw)
            from = max(from, unsafe seconds(X509_get0_notBefore(certificate)))
            until = min(until, unsafe seconds(X509_get0_notAfter(certificate)))
        }
        if anchors.expired == .refuse {
            // A list that is over already had no say in this verdict; the next to end might.
            for list in anchors.lists {
                if let end = list.nextUpdate, end > now { until = min(until, end) }
            }
        }
        if verdicts.count >= Self.verdictsMax { verdicts.removeAll(keepingCapacity: true) }
        var issuer: Certificate?
        // Safe because the chain is lent for the call, and the reference taken here is its own.
        if unsafe OPENSSL_sk_num(chain) > 1, let raw = unsafe OPENSSL_sk_value(chain, 1),
            unsafe X509_up_ref(OpaquePointer(raw)) == 1
        {
            issuer = unsafe Certificate(takingOver: OpaquePointer(raw))
        }
        verdicts[leaf.fingerprint] = Verdict(
            leaf: leaf, from: from, until: until, issuer: issuer)
    }
}

/// Decides the two errors that are a matter of policy; every other stands.
///
/// An authority for which no list was given leaves its *intermediates* unchecked (the check
/// command says so), but a leaf without a list is refused: lists were asked for.
private func decide(_ ok: Int32, _ context: OpaquePointer?, acceptsExpired: Bool) -> Int32 {
    if ok == 1 { return 1 }
    // Safe because OpenSSL lends the context for the call.
    switch unsafe X509_STORE_CTX_get_error(context) {
    case X509_V_ERR_UNABLE_TO_GET_CRL where unsafe X509_STORE_CTX_get_error_depth(context) > 0:
        unsafe X509_STORE_CTX_set_error(context, X509_V_OK)
        return 1
    case X509_V_ERR_CRL_HAS_EXPIRED where acceptsExpired:
        unsafe X509_STORE_CTX_set_error(context, X509_V_OK)
        return 1
    default:
        return 0
    }
}

private func whenExpiredRefuse(_ ok: Int32, _ context: OpaquePointer?) -> Int32 {
    // Safe because OpenSSL lends the context for the call.
    unsafe decide(ok, context, acceptsExpired: false)
}

private func whenExpiredAccept(_ ok: Int32, _ context: OpaquePointer?) -> Int32 {
    // Safe because OpenSSL lends the context for the call.
    unsafe decide(ok, context, acceptsExpired: true)
}
