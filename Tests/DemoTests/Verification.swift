// Verification.swift: what OpenSSL says of a chain, under the strictest flags it has.

import COpenSSL
import Foundation
import Glibc
import Identity

/// A folder that goes away with what is in it.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/herse-demo-tests-XXXXXX".utf8CString)
        // Safe because mkdtemp writes within the terminated template it is given.
        guard unsafe mkdtemp(&template) != nil else { throw Unexpected.noFolder }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

enum Unexpected: Error { case noFolder, notReadable }

/// A certificate read back from a file.
///
/// Safe because `pointer` is owned by this object alone and freed with it.
@safe final class ReadCertificate {
    let pointer: OpaquePointer

    init(path: String) throws {
        let bio = unsafe BIO_new_file(path, "r")
        defer { unsafe BIO_free(bio) }
        guard let certificate = unsafe PEM_read_bio_X509(bio, nil, nil, nil) else {
            throw Unexpected.notReadable
        }
        unsafe pointer = certificate
    }

    deinit { unsafe X509_free(pointer) }

    var subject: [UInt8] {
        var start: UnsafePointer<UInt8>?
        var count = 0
        // Safe because the bytes live as long as the certificate, and are copied here.
        guard unsafe X509_NAME_get0_der(X509_get_subject_name(pointer), &start, &count) == 1
        else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: start, count: count))
    }

    var facts: CertificateFacts {
        let usage = unsafe X509_get_key_usage(pointer)
        let extended = unsafe X509_get_extended_key_usage(pointer)
        return unsafe CertificateFacts(
            version: X509_get_version(pointer) + 1, isAuthority: X509_check_ca(pointer) != 0,
            keyUsage: usage == .max ? nil : KeyUsage(rawValue: usage),
            extendedKeyUsage: extended == .max ? nil : ExtendedKeyUsage(rawValue: extended),
            serial: [], issuer: nil, fingerprint: [], notBefore: 0, notAfter: .max)
    }

    func holder(_ rule: CertificateRule = CertificateRule()) throws -> Holder {
        try Identity.holder(
            of: CertificateSubject(der: subject.span), facts: facts, rule: rule)
    }
}

/// OpenSSL's verdict on the first certificate of `path`, `X509_V_OK` when it is good; `files` are
/// trust anchors, intermediates and revocation lists, all in PEM.
func verdict(on path: String, purpose: Int32, files: [String]) throws -> Int32 {
    let certificate = try ReadCertificate(path: path)
    // Safe because the store and the context are freed here, in this order, and borrow only the
    // certificate, which outlives them.
    guard let store = unsafe X509_STORE_new() else { throw Unexpected.notReadable }
    defer { unsafe X509_STORE_free(store) }
    for file in files {
        guard unsafe X509_STORE_load_file(store, file) == 1 else { throw Unexpected.notReadable }
    }
    guard let context = unsafe X509_STORE_CTX_new() else { throw Unexpected.notReadable }
    defer { unsafe X509_STORE_CTX_free(context) }
    guard unsafe X509_STORE_CTX_init(context, store, certificate.pointer, nil) == 1 else {
        throw Unexpected.notReadable
    }
    let flags =
        X509_V_FLAG_X509_STRICT | X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL
        | X509_V_FLAG_EXTENDED_CRL_SUPPORT | X509_V_FLAG_CHECK_SS_SIGNATURE
    let parameters = unsafe X509_STORE_CTX_get0_param(context)
    unsafe X509_VERIFY_PARAM_set_flags(parameters, UInt(flags))
    unsafe X509_VERIFY_PARAM_set_purpose(parameters, purpose)
    unsafe X509_VERIFY_PARAM_set_auth_level(parameters, 2)
    let answer = unsafe X509_verify_cert(context)
    let error = unsafe X509_STORE_CTX_get_error(context)
    return answer == 1 ? X509_V_OK : error
}
