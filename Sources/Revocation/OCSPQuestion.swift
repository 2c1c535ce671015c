// OCSPQuestion.swift: one certificate to be asked about, and how an answer about it is read.

internal import COpenSSL
internal import Glibc

/// A certificate and its issuer, as responders name them; read once, asked about often.
///
/// Safe because it owns its certificate and its identifier alone, and nothing here changes them.
@safe package final class OCSPQuestion: @unchecked Sendable {
    /// Names the question in a cache: SHA-256 of issuer name, issuer key and serial, as hashed.
    package let key: [UInt8]
    private let issuer: OpaquePointer
    private let identifier: OpaquePointer

    /// Seconds by which clocks may differ.
    static let skew: Int64 = 300

    /// Nil when one of them cannot be read, or the second did not issue the first.
    ///
    /// - Parameters:
    ///   - certificate: DER.
    ///   - issuer: DER of the certificate above it.
    package init?(certificate: [UInt8], issuer: [UInt8]) {
        guard let subject = unsafe x509(certificate) else { return nil }
        // Safe because each pointer is freed once, on whatever way out.
        defer { unsafe X509_free(subject) }
        guard let authority = unsafe x509(issuer) else { return nil }
        guard unsafe X509_check_issued(authority, subject) == X509_V_OK,
            // RFC 5019 §2.1.1: SHA-1 is what every responder knows; it names, and proves nothing.
            let identifier = unsafe OCSP_cert_to_id(EVP_sha1(), subject, authority)
        else {
            unsafe X509_free(authority)
            ERR_clear_error()
            return nil
        }
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_OCSP_CERTID(identifier, &encoded)
        var digest = [UInt8](repeating: 0, count: 32)
        if count > 0 { _ = unsafe SHA256(encoded, Int(count), &digest) }
        unsafe CRYPTO_free(encoded, #fileID, #line)
        guard count > 0 else {
            unsafe X509_free(authority)
            unsafe OCSP_CERTID_free(identifier)
            return nil
        }
        key = digest
        unsafe self.issuer = authority
        unsafe self.identifier = identifier
    }

    deinit {
        unsafe X509_free(issuer)
        unsafe OCSP_CERTID_free(identifier)
    }

    /// A request for the status, with a nonce or without.
    func request(nonce: Bool) -> OCSPAsked? { unsafe OCSPAsked(identifier, nonce: nonce) }

    /// What a response says, if it may speak for the issuer at this time.
    func read(
        _ response: [UInt8], to asked: OCSPAsked, requiresNonce: Bool, now: Int64
    ) throws(OCSPProblem) -> OCSPAnswer {
        defer { ERR_clear_error() }
        let basic = try unsafe basicResponse(response)
        // Safe because it is ours, and used for this call.
        defer { unsafe OCSP_BASICRESP_free(basic) }
        guard unsafe !isWeak(basic) else { throw .weakSignature }
        guard unsafe isSigned(basic, now: now) else { throw .signature }
        switch unsafe OCSP_check_nonce(asked.pointer, basic) {
        case 1, 2: break
        // Not repeated, or there without being asked for.
        case -1, 3: if requiresNonce { throw .nonce }
        default: throw .nonce
        }
        var status: Int32 = -1
        var reason: Int32 = -1
        var revoked: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var this: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var next: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        // Safe because the times belong to the response, and are read before it is freed.
        guard
            unsafe OCSP_resp_find_status(
                basic, identifier, &status, &reason, &revoked, &this, &next) == 1
        else { throw .otherCertificate }
        guard let thisUpdate = unsafe seconds(this) else { throw .malformed }
        var answer = OCSPAnswer(
            verdict: .unknown, thisUpdate: thisUpdate, nextUpdate: unsafe seconds(next))
        if unsafe next != nil, answer.nextUpdate == nil { throw .malformed }
        switch status {
        case V_OCSP_CERTSTATUS_GOOD: answer.verdict = .good
        case V_OCSP_CERTSTATUS_REVOKED:
            answer.verdict = .revoked(at: unsafe seconds(revoked) ?? thisUpdate)
        default: answer.verdict = .unknown
        }
        return answer
    }

    private func basicResponse(_ bytes: [UInt8]) throws(OCSPProblem) -> OpaquePointer {
        let parsed: OpaquePointer? = unsafe bytes.withUnsafeBufferPointer { bytes in
            var start = bytes.baseAddress
            // Safe because at most as many bytes as there are are read.
            return unsafe d2i_OCSP_RESPONSE(nil, &start, bytes.count)
        }
        guard let response = unsafe parsed else { throw .malformed }
        defer { unsafe OCSP_RESPONSE_free(response) }
        let status = unsafe OCSP_response_status(response)
        guard status == OCSP_RESPONSE_STATUS_SUCCESSFUL else { throw .refused(Int(status)) }
        guard let basic = unsafe OCSP_response_get1_basic(response) else { throw .malformed }
        return unsafe basic
    }

    /// Whether the signature's digest is one that can be forged.
    private func isWeak(_ basic: OpaquePointer) -> Bool {
        // Safe because the response outlives what it lends.
        guard let algorithm = unsafe OCSP_resp_get0_tbs_sigalg(basic) else { return true }
        var object: OpaquePointer?
        unsafe X509_ALGOR_get0(&object, nil, nil, algorithm)
        var digest: Int32 = NID_undef
        let known = unsafe OBJ_find_sigid_algs(OBJ_obj2nid(object), &digest, nil)
        return known != 1 || [NID_md5, NID_md5_sha1, NID_sha1].contains(digest)
    }

    /// Whether the issuer signed the response, or somebody it gave leave to by `OCSPSigning`.
    private func isSigned(_ basic: OpaquePointer, now: Int64) -> Bool {
        // Safe because store and stack count their own references, and are freed here.
        guard let store = unsafe X509_STORE_new() else { return false }
        defer { unsafe X509_STORE_free(store) }
        guard let stack = unsafe OPENSSL_sk_new_null() else { return false }
        defer { unsafe OPENSSL_sk_free(stack) }
        guard unsafe X509_STORE_add_cert(store, issuer) == 1,
            unsafe OPENSSL_sk_push(stack, UnsafeRawPointer(issuer)) > 0,
            let parameters = unsafe X509_STORE_get0_param(store)
        else { return false }
        unsafe X509_VERIFY_PARAM_set_time(parameters, time_t(now))
        // The issuer alone is trusted, whoever signed it; and no explicit trust counts.
        let flags = UInt(OCSP_PARTIAL_CHAIN | OCSP_NOEXPLICIT)
        return unsafe OCSP_basic_verify(basic, stack, store, flags) == 1
    }
}

/// A request that was made, kept to compare the answer with.
///
/// Safe because one thread uses it, and it owns its request alone.
@safe final class OCSPAsked {
    let pointer: OpaquePointer
    /// DER.
    let bytes: [UInt8]

    init?(_ identifier: OpaquePointer, nonce: Bool) {
        guard let request = unsafe OCSP_REQUEST_new() else { return nil }
        guard let copy = unsafe OCSP_CERTID_dup(identifier) else {
            unsafe OCSP_REQUEST_free(request)
            return nil
        }
        guard unsafe OCSP_request_add0_id(request, copy) != nil else {
            unsafe OCSP_CERTID_free(copy)
            unsafe OCSP_REQUEST_free(request)
            return nil
        }
        if nonce { _ = unsafe OCSP_request_add1_nonce(request, nil, 16) }
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_OCSP_REQUEST(request, &encoded)
        guard count > 0, let start = unsafe encoded else {
            unsafe OCSP_REQUEST_free(request)
            return nil
        }
        bytes = unsafe Array(UnsafeBufferPointer(start: start, count: Int(count)))
        unsafe CRYPTO_free(encoded, #fileID, #line)
        unsafe pointer = request
    }

    deinit { unsafe OCSP_REQUEST_free(pointer) }
}

/// What a response says of one certificate; times are not judged yet.
struct OCSPAnswer: Equatable {
    enum Verdict: Equatable {
        case good
        case revoked(at: Int64)
        case unknown
    }

    var verdict: Verdict
    var thisUpdate: Int64
    var nextUpdate: Int64?

    /// Until when it counts, at most `cache` seconds from now.
    func until(cache: Int64, now: Int64) throws(OCSPProblem) -> Int64 {
        let skew = OCSPQuestion.skew
        guard thisUpdate <= now + skew else { throw .fromTheFuture }
        guard let nextUpdate else {
            // Newer ones are always to be had, RFC 6960 §4.2.2.1: an old one is kept by somebody.
            guard thisUpdate >= now - cache - skew else { throw .expired }
            return now + cache
        }
        guard nextUpdate >= now - skew, nextUpdate >= thisUpdate else { throw .expired }
        return max(now, min(now + cache, nextUpdate))
    }
}

/// Safe because at most as many bytes as there are are read; the caller frees what is returned.
func x509(_ der: [UInt8]) -> OpaquePointer? {
    unsafe der.withUnsafeBufferPointer { der in
        let first = der.baseAddress
        var start = unsafe first
        guard let certificate = unsafe d2i_X509(nil, &start, der.count) else {
            ERR_clear_error()
            return nil
        }
        // Bytes behind it would be of something else.
        guard unsafe first.map({ unsafe $0 + der.count }) == start else {
            unsafe X509_free(certificate)
            return nil
        }
        return unsafe certificate
    }
}

/// Seconds since 1970 of an ASN.1 time; nil when there is none, or it cannot be read.
func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
    // Safe because the parts are a local, filled before they are read.
    var parts = unsafe tm()
    guard unsafe time != nil, unsafe ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
    return Int64(unsafe timegm(&parts))
}
