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

/// How many people the directory on disk has; nil without one, or when it cannot be believed.
func directorySummary(_ configuration: Configuration) -> String? {
    guard let rule = configuration.authentication.directory,
        let directory = loadDirectory(rule.files.map(\.path)).directory
    else { return nil }
    var parts = [
        "directory of \(directory.listedCount + directory.leftCount) people",
        counted(directory.aliasCount, "other number"),
    ]
    if directory.leftCount > 0 { parts.append("\(directory.leftCount) left") }
    return parts.joined(separator: ", ")
}
