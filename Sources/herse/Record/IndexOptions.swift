// IndexOptions.swift: where indexes of the record are, and searches that use them.

import ArgumentParser
import Foundation
import RecordIndex
import RecordReading

/// Where the indexes are.
struct IndexOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Folder of the indexes; `index` in that of the record unless given.",
            valueName: "folder"),
        completion: .directory)
    var index: String?
}

extension RecordOptions {
    /// Opens the record to search it; `what` says what it is read for.
    func search(_ what: String, _ options: IndexOptions) throws(Failure) -> RecordSearch {
        RecordSearch(
            reader: try open(what),
            indexFolder: options.index ?? RecordSearch.indexFolder(of: folder))
    }
}

/// Says what a search could not read.
func tell(_ pass: RecordSearch.Pass, on console: Console) -> Outcome {
    if let error = pass.unindexed.first {
        console.talk(printable(error.message) + ": every entry is read instead, which takes longer")
        console.talk("hint: \(error.hint)")
    }
    if pass.unreadable > 0 {
        console.talk("\(counted(pass.unreadable, "line")) could not be read")
    }
    for path in pass.broken { console.talk("\(printable(path)) could not be read to its end") }
    return pass.broken.isEmpty ? .done : .refused
}
