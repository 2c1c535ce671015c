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
    /// Opens the record to search it; `what` says what it is read for, `filters` what narrows it.
    func search(
        _ what: String, filters: [String] = [], _ options: IndexOptions, on console: Console
    ) throws(Failure) -> RecordSearch {
        RecordSearch(
            reader: try open(what, filters: filters, on: console),
            indexFolder: options.index ?? RecordSearch.indexFolder(of: folder))
    }
}

/// A patient as the record may name him among what narrowed a search: by keyed hashes alone.
func filters(_ names: PatientNames) -> [String] {
    names.keys.isEmpty
        ? ["patient"] : names.keys.sorted().prefix(8).map { "patient:" + spelled($0) }
}

/// Says what is missing from what a search found: without it an answer is not whole, and the
/// command is refused.
func tell(_ pass: RecordSearch.Pass, on console: Console) -> Outcome {
    if let error = pass.unindexed.first {
        console.talk(printable(error.message) + ": every entry is read instead, which takes longer")
        console.talk("hint: \(error.hint)")
    }
    return tell(pass.record, on: console) ? .done : .refused
}

/// Says what an answer of the record lacks; whether it is whole, but for what was purged.
func tell(_ pass: RecordReader.Pass, on console: Console) -> Bool {
    if let purged = pass.purged {
        console.talk("note: " + words(of: purged) + ": what they said is not in this answer")
    }
    for path in pass.broken { console.talk("\(printable(path)) could not be read to its end") }
    if !pass.missing.isEmpty {
        let numbers = pass.missing.prefix(20).map(String.init).joined(separator: ", ")
        console.talk("\(counted(pass.missing.count, "segment")) of the record missing: \(numbers)")
        console.talk(
            "hint: what they said is not in this answer, and nothing proves a purge; `herse record "
                + "verify` says more")
    }
    if pass.unreadable > 0 {
        let place = pass.firstUnreadable.map { ", the first of them entry \($0)" } ?? ""
        console.talk("\(counted(pass.unreadable, "line")) of the record could not be read" + place)
        console.talk(
            "hint: what they said is not in this answer; `herse record verify` says what is wrong")
    }
    return pass.broken.isEmpty && pass.missing.isEmpty && pass.unreadable == 0
}

/// `entries 0 to 13, from … to …, were purged`.
private func words(of purged: PurgedEntries) -> String {
    printable(
        "entries \(purged.begins) to \(purged.lastEntry), written from "
            + "\(purged.first) to \(purged.last), were purged (\(purged.purgedAt): "
            + "\(purged.reason))")
}
