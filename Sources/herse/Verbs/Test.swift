// Test.swift: herse test: the cases that stand beside a configuration.

import ArgumentParser
import Policy

struct TestCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run the policy tests that stand beside the configuration.",
        discussion: """
            Asks the configuration about each case of its *.test.yaml files (for NAME.yaml, those \
            that begin with NAME. or NAME-) and shows what came out otherwise than expected. Opens \
            no certificate, key or list. Exits 0 when all pass, 1 when one does not or there is \
            none.

            Examples:
              herse test
              herse test -c candidate.yaml
              herse test --json
            """)

    @OptionGroup var source: ConfigurationOption
    @OptionGroup var output: OutputOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let configuration = try loadConfiguration(at: source.path)
        let files = policyTestFiles(beside: source.path)
        guard !files.isEmpty else {
            throw Failure(
                "\(source.path): no policy tests beside it",
                hint: "write cases in a file named `herse.test.yaml` beside `herse.yaml`")
        }
        let run = runPolicyTests(configuration, files: files)
        let failed = run.results.filter { !$0.passed }
        if output.json {
            console.print(json(TestRunJSON(run)))
        } else {
            for diagnostic in run.diagnostics { console.talk(printable(diagnostic.description)) }
            for result in failed {
                console.print(
                    "\(result.place): failed: \(printable(result.name))\n"
                        + "  expected  \(result.expected)\n  got       \(result.got)")
            }
            console.print("\(run.results.count - failed.count) passed, \(failed.count) failed")
        }
        guard !run.results.isEmpty else {
            throw Failure("\(files.joined(separator: ", ")): no case could be run")
        }
        return run.passed ? .done : .refused
    }
}

/// A run of policy tests as machines read it.
private struct TestRunJSON: Encodable {
    struct Case: Encodable {
        let name: String
        let file: String
        let line: Int
        let passed: Bool
        let expected: String
        let got: String
    }

    let passed: Int
    let failed: Int
    let cases: [Case]
    let diagnostics: [DiagnosticJSON]

    init(_ run: PolicyTestRun) {
        passed = run.results.count { $0.passed }
        failed = run.results.count { !$0.passed }
        cases = run.results.map {
            Case(
                name: $0.name, file: $0.place.file, line: $0.place.line, passed: $0.passed,
                expected: $0.expected, got: $0.got)
        }
        diagnostics = run.diagnostics.map(DiagnosticJSON.init)
    }
}
