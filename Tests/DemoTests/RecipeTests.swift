// RecipeTests.swift: the recipe of certs/ makes what the gate accepts, and what it refuses.

import COpenSSL
import Foundation
import Glibc
import Identity
import Testing

private let recipe = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "certs/make-throw-away").path()
private let openSSLPaths = ["/usr/bin/openssl", "/usr/local/bin/openssl", "/bin/openssl"]
private let hasOpenSSL = openSSLPaths.contains(where: FileManager.default.isExecutableFile)

/// Runs the recipe with these arguments, none of which holds a quote; returns its exit status.
private func run(_ arguments: String...) throws -> Int32 {
    let words = ([recipe] + arguments).map { "'\($0)'" }.joined(separator: " ")
    // Safe because system reads the terminated text for the time of the call only.
    let status = unsafe system(words + " 2>/dev/null")
    return status >> 8
}

@Suite(.enabled(if: hasOpenSSL, "the recipe needs the openssl command"))
struct `The recipe for throw-away certificates` {
    @Test func `makes cards that pass or fail as their names say`() throws {
        let temporary = try TemporaryFolder()
        let folder = temporary.path + "/pki"
        #expect(try run(folder) == 0)
        func card(_ name: String) -> String { "\(folder)/cards/\(name).pem" }
        func verdict(_ name: String) throws -> Int32 {
            try DemoTests.verdict(
                on: card(name), purpose: X509_PURPOSE_SSL_CLIENT,
                files: ["client-authorities.pem", "crl/root.crl", "crl/persons.crl"].map {
                    "\(folder)/\($0)"
                })
        }
        for name in ["physician", "pharmacist", "employee", "organisation", "service"] {
            #expect(try verdict(name) == X509_V_OK, "card \(name)")
        }
        #expect(try verdict("expired") == X509_V_ERR_CERT_HAS_EXPIRED)
        #expect(try verdict("signature") == X509_V_ERR_INVALID_PURPOSE)

        #expect(
            try ReadCertificate(path: card("physician")).holder()
                == .professional(try ProfessionalID("899700218896"), structure: nil))
        #expect(
            try ReadCertificate(path: card("employee")).holder()
                == .professional(
                    try ProfessionalID("500000000029751/CPAT0001"),
                    structure: try StructureID("300000000029751")))
        #expect(throws: IdentityRefusal.organisation) {
            try ReadCertificate(path: card("organisation")).holder()
        }
        #expect(throws: IdentityRefusal.nonNominative) {
            try ReadCertificate(path: card("service")).holder()
        }

        #expect(try run(folder, "revoke", "physician") == 0)
        #expect(try verdict("physician") == X509_V_ERR_CERT_REVOKED)
        #expect(try verdict("pharmacist") == X509_V_OK)
    }

    @Test func `refuses a folder in use, a card it has not, and misuse`() throws {
        let temporary = try TemporaryFolder()
        let kept = temporary.path + "/kept"
        try "kept".write(toFile: kept, atomically: true, encoding: .utf8)
        #expect(try run(temporary.path) == 1)
        #expect(try String(contentsOfFile: kept, encoding: .utf8) == "kept")
        #expect(try run(temporary.path, "revoke", "nobody") == 1)
        #expect(try run() == 64)
        #expect(try run(temporary.path + "/other", "bake") == 64)
    }
}
