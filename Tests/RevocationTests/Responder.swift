// Responder.swift: an OCSP responder and a revoking authority, by the openssl command.

import Foundation
import StubServers
import Synchronization

@testable import Revocation

/// An authority with three certificates: 1 is good, 2 revoked, 3 unknown to its responder.
final class RevokingAuthority: Sendable {
    let authority: ScratchAuthority
    private let made = Mutex(0)
    private let certificates: [Identity]

    static let revokedAt: Int64 = 1_767_225_600  // 2026-01-01T00:00:00Z

    init(_ name: String = "Authority") throws {
        authority = try ScratchAuthority(name)
        certificates = try (1...3).map { [authority] (serial: Int) in
            try authority.issue("person\(serial)", serial: serial)
        }
        try authority.folder.write(
            "index.txt",
            "V\t350101000000Z\t\t01\tunknown\t/CN=person1\n"
                + "R\t350101000000Z\t260101000000Z\t02\tunknown\t/CN=person2\n")
        try authority.folder.write(
            "ca.cnf",
            "[ca]\ndefault_ca=d\n[d]\ndatabase=\(authority.folder.file("index.txt"))\n"
                + "default_md=sha256\ndefault_crl_days=1\n")
    }

    func question(_ serial: Int) throws -> OCSPQuestion? {
        OCSPQuestion(
            certificate: try certificates[serial - 1].der(), issuer: try authority.identity.der())
    }

    private func file(_ name: String) -> String {
        let number = made.withLock { made in
            made += 1
            return made
        }
        return authority.folder.file("\(number).\(name)")
    }

    /// The answer to a request, signed by the authority unless somebody else is named.
    func respond(
        to request: [UInt8], by signer: Identity? = nil, _ options: [String] = ["-nmin", "5"]
    ) throws -> [UInt8] {
        let (asked, answer) = (file("req"), file("resp"))
        try Data(request).write(to: URL(filePath: asked))
        let signer = signer ?? authority.identity
        try openssl(
            [
                "ocsp", "-index", authority.folder.file("index.txt"),
                "-CA", authority.identity.certificate, "-rsigner", signer.certificate,
                "-rkey", signer.key, "-reqin", asked, "-respout", answer,
            ] + options)
        return Array(try Data(contentsOf: URL(filePath: answer)))
    }

    /// A request of somebody else, about one of the certificates.
    func request(_ serial: Int, nonce: Bool) throws -> [UInt8] {
        let asked = file("req")
        try openssl([
            "ocsp", "-issuer", authority.identity.certificate,
            "-cert", certificates[serial - 1].certificate, "-reqout", asked,
            nonce ? "-nonce" : "-no_nonce",
        ])
        return Array(try Data(contentsOf: URL(filePath: asked)))
    }

    /// A responder at an address; whatever it fails at is answered 500.
    func serve(
        _ respond: @escaping @Sendable (RevokingAuthority, [UInt8]) throws -> [UInt8] = {
            try $0.respond(to: $1)
        }
    ) throws -> StubServer {
        try StubServer { [self] request in
            guard request.method == "POST",
                request.fields["content-type"] == "application/ocsp-request",
                let response = try? respond(self, request.body)
            else { return .answer(500, []) }
            return .answer(
                200, fields: ["Content-Type: application/ocsp-response"], response)
        }
    }

    /// A revocation list, PEM; times as `YYYYMMDDHHMMSSZ`.
    func list(from: String = "20260101000000Z", to: String = "20360101000000Z") throws -> [UInt8] {
        let path = file("crl")
        try openssl([
            "ca", "-config", authority.folder.file("ca.cnf"), "-gencrl",
            "-keyfile", authority.identity.key, "-cert", authority.identity.certificate,
            "-crl_lastupdate", from, "-crl_nextupdate", to, "-out", path,
        ])
        return Array(try Data(contentsOf: URL(filePath: path)))
    }
}

/// PEM as DER.
func der(ofList pem: [UInt8]) throws -> [UInt8] {
    try openssl(["crl", "-outform", "DER"], input: pem)
}

/// Certificates of tests begin now, whatever time a test speaks of.
func nowInSeconds() -> Int64 { Int64(Date().timeIntervalSince1970) }
