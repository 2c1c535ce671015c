// DirectoryRecord.swift: the professionals' directory, as commands read it from its files.

import Directory
import Policy

/// What the directory on disk says of whoever asks.
struct DirectoryRecord {
    let person: DirectoryPerson?
    let standing: Standing
    /// Why it was not looked at, or what it is; nil when there is nothing to say.
    let note: String?

    /// Reads the directory's files when there is somebody to look for; `assumed` is what was said
    /// on the command line.
    init(_ account: String?, _ configuration: Configuration, assumed: Standing?) {
        guard let rule = configuration.authentication.directory, let account else {
            (person, note) = (nil, nil)
            standing = account == nil ? .unchecked : assumed ?? .unchecked
            return
        }
        let load = loadDirectory(rule.files.map(\.path))
        guard let directory = load.directory else {
            person = nil
            standing = assumed ?? .unchecked
            note = "the directory cannot be read: the gate would refuse this configuration"
            return
        }
        let bytes = Array(account.utf8)
        person = directory.person(bytes.span)
        standing = assumed ?? Standing(directory.standing(of: bytes.span))
        note = person.flatMap { person in
            person.id == account ? nil : "the directory counts \(account) as \(person.id)"
        }
    }
}

extension Standing {
    fileprivate init(_ standing: DirectoryStanding) {
        self =
            switch standing {
            case .unchecked: .unchecked
            case .known: .known
            case .unknown: .unknown
            case .left: .left
            }
    }
}

/// Reads the directory's files as the gate would, and tells what is wrong with them.
func checkDirectory(
    _ configuration: Configuration
) -> (diagnostics: [Diagnostic], summary: String?) {
    guard let rule = configuration.authentication.directory else { return ([], nil) }
    let load = loadDirectory(rule.files.map(\.path))
    var diagnostics = load.problems.map { problem in
        let place = SourceLocation(file: problem.file, line: max(1, problem.line), column: 1)
        return Diagnostic(
            place, problem.fault.isFatal ? .error : .warning, problem.fault.message,
            hint: problem.fault.hint)
    }
    if load.problemCount > load.problems.count {
        diagnostics.append(
            Diagnostic(
                rule.place, .warning,
                "the directory has \(load.problemCount - load.problems.count) more bad lines"))
    }
    guard let directory = load.directory else { return (diagnostics, nil) }
    var parts = [
        "directory of \(directory.listedCount + directory.leftCount) people",
        counted(directory.aliasCount, "other number"),
    ]
    if directory.leftCount > 0 { parts.append("\(directory.leftCount) left") }
    return (diagnostics, parts.joined(separator: ", "))
}
