// Check.swift: herse check: everything wrong with a configuration, before it is put in force.

import ArgumentParser
import Gate
import Policy

struct CheckCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Validate the configuration and all it names.",
        discussion: """
            Reads the configuration, then loads the certificates, keys, trust anchors and lists it \
            names as the gate would. Every problem is said on standard error as \
            FILE:LINE:COLUMN: error: WHAT (HINT), the verdict on standard output. Exits 0 when \
            valid, 1 when not.

            Examples:
              herse check
              herse check -c candidate.yaml && herse test -c candidate.yaml
              herse check --json
            """)

    @OptionGroup var source: ConfigurationOption
    @OptionGroup var output: OutputOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let loaded = ConfigurationLoader().load(path: source.path)
        var diagnostics = loaded.diagnostics
        var directory: String?
        if let configuration = loaded.configuration {
            diagnostics += checkMaterial(configuration)
            directory = directorySummary(configuration)
        }
        let isValid = !diagnostics.contains { $0.severity == .error }
        if output.json {
            console.print(json(diagnostics.map(DiagnosticJSON.init)))
        } else {
            for diagnostic in diagnostics { console.talk(printable(diagnostic.description)) }
            console.print(
                verdict(
                    source.path, isValid ? loaded.configuration : nil, directory,
                    diagnostics: diagnostics))
        }
        return isValid ? .done : .refused
    }
}

/// `herse.yaml: valid, 2 listeners, 3 routes, 1 warning`; `configuration` is nil when invalid.
private func verdict(
    _ path: String, _ configuration: Configuration?, _ directory: String?,
    diagnostics: [Diagnostic]
) -> String {
    let errors = diagnostics.count { $0.severity == .error }
    let warnings = diagnostics.count - errors
    var parts: [String] = []
    if let configuration {
        parts = [
            "valid", counted(configuration.listeners.count, "listener"),
            counted(configuration.routes.count, "route"),
        ]
        if let directory { parts.append(directory) }
    } else {
        parts = ["invalid", counted(errors, "error")]
    }
    if warnings > 0 { parts.append(counted(warnings, "warning")) }
    return "\(path): \(parts.joined(separator: ", "))"
}

/// A diagnostic as machines read it.
struct DiagnosticJSON: Encodable {
    let file: String
    let line: Int
    let column: Int
    let severity: String
    let message: String
    let hint: String?

    init(_ diagnostic: Diagnostic) {
        file = diagnostic.file
        line = diagnostic.line
        column = diagnostic.column
        severity = diagnostic.severity.rawValue
        message = diagnostic.message
        hint = diagnostic.hint
    }
}

/// The configuration at `path`, for verbs that only ask it; its files need not exist.
func loadConfiguration(at path: String) throws(Failure) -> Configuration {
    let loaded = ConfigurationLoader(filesMustExist: false).load(path: path)
    let errors = loaded.diagnostics.filter { $0.severity == .error }
    guard let configuration = loaded.configuration, errors.isEmpty else {
        throw Failure(
            lines: errors.map { printable($0.description) },
            hint: "`herse check -c \(path)` also looks at certificates, keys and lists")
    }
    return configuration
}
