// Samples.swift: configurations the tests begin with.

import Testing

@testable import Policy

/// A valid configuration of few lines; line numbers of the tests count in it.
let sample = """
    listeners:
      - name: professionals
        address: 127.0.0.1:8443
        tls:
          certificate: server.pem
          private_key: server.key
          client_authorities: [persons-ca.pem]
    identity_servers:
      - name: mpi
        endpoints: ["http://127.0.0.1:9000"]
    routes:
      - name: fhir
        path: /fhir/
        identity_server: mpi
        lookups: fhir
        require: [certificate]
        limits: standard
    limits:
      standard:
        - {count: requests, limit: 600, per: 1m}
        - {count: patients, limit: 60, per: 1h}

    """

/// Loads a text; only what it says, as printed.
func diagnostics(_ text: String) -> [String] {
    ConfigurationLoader.load(text: Array(text.utf8), name: "h").diagnostics.map(\.description)
}

/// Loads a text that must be valid.
func configuration(_ text: String = sample) throws -> Configuration {
    let loaded = ConfigurationLoader.load(text: Array(text.utf8), name: "h")
    #expect(loaded.diagnostics.filter { $0.severity == .error }.map(\.description) == [])
    return try #require(loaded.configuration)
}

/// The sample with its only occurrence of `old` replaced.
func changed(_ old: String, _ new: String) -> String {
    let parts = sample.split(separator: old, omittingEmptySubsequences: false)
    #expect(parts.count == 2, "`\(old)` must stand once in the sample")
    return parts.joined(separator: new)
}

/// A mistake and its answer.
struct Case: Sendable, CustomTestStringConvertible {
    var old = ""
    var new = ""
    var line = ""

    var testDescription: String { line }
}

/// Reads cases separated by blank lines; `\n`, `\t`, `\r`, `\0` stand for those characters.
func cases(_ text: String) -> [Case] {
    text.split(separator: "\n\n").map { block in
        var sample = Case()
        for line in block.split(separator: "\n") {
            let value = line.dropFirst(2).replacing("\\n", with: "\n").replacing("\\t", with: "\t")
                .replacing("\\r", with: "\r").replacing("\\u{0}", with: "\0")
            switch line.first {
            case "-": sample.old = String(value)
            case "+": sample.new = String(value)
            case "=": sample.line = String(value)
            default: Issue.record("`\(line)` is no part of a case")
            }
        }
        return sample
    }
}
