// Configuration.swift: configurations and policy tests, and what is said of them.

import Policy

extension FuzzTarget {
    static let configuration = FuzzTarget(name: "configuration") { bytes in
        let text = (0..<bytes.count).map { bytes[$0] }
        let loaded = ConfigurationLoader.load(text: text)
        check(loaded.diagnostics)
        let hasError = loaded.diagnostics.contains { $0.severity == .error }
        precondition((loaded.configuration == nil) == hasError, "refused exactly with an error")
        let again = ConfigurationLoader.load(text: text)
        precondition(again.diagnostics == loaded.diagnostics, "the same text, the same answer")
        if let configuration = loaded.configuration {
            check(runPolicyTests(configuration, text: cases, name: "a.test.yaml").diagnostics)
        }
    }

    static let policyTest = FuzzTarget(name: "policy-test") { bytes in
        guard let configuration = small else {
            preconditionFailure("the configuration of this target is one")
        }
        let text = (0..<bytes.count).map { bytes[$0] }
        let run = runPolicyTests(configuration, text: text, name: "a.test.yaml")
        check(run.diagnostics)
        for result in run.results {
            precondition(isOneLine(result.expected) && isOneLine(result.got), "is said on one line")
        }
    }

    private static func check(_ diagnostics: [Diagnostic]) {
        for diagnostic in diagnostics {
            precondition(isOneLine(diagnostic.description), "a message is one line of text")
        }
    }

    private static let cases = Array(
        """
        - name: a
          request: GET /fhir/Patient
          as: account:899700218896
          expect: allow
        """.utf8)

    private static let small = ConfigurationLoader.load(
        text: Array(
            """
            listeners:
              - name: a
                address: 127.0.0.1:8443
                tls: {certificate: c.pem, private_key: k.pem, client_authorities: [ca.pem]}
            identity_servers:
              - {name: mpi, endpoints: ["http://127.0.0.1:9000"]}
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
            """.utf8)
    ).configuration
}
