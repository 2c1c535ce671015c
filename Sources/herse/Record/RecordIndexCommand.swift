// RecordIndexCommand.swift: herse record index: makes the indexes that searches use.

import ArgumentParser
import RecordIndex
import RecordReading

struct RecordIndexCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "index",
        abstract: "Make the indexes that searches use.",
        discussion: """
            Searches make what is missing by themselves; this does it beforehand, or anew. An \
            index holds keyed hashes alone, is the searcher's and not the gate's, and may be \
            deleted at any time. Those of segments that are gone are removed.

            Examples:
              herse record index
              herse record index --rebuild --index /srv/audit/index
            """)

    @Flag(help: "Make all of them anew.")
    var rebuild = false

    @OptionGroup var options: RecordOptions
    @OptionGroup var indexes: IndexOptions
    @OptionGroup var output: OutputOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let search = try options.search("index", indexes)
        let progress = ProgressLine(console)
        let (made, pass) = try passing { () throws(RecordReadingError) in
            try search.makeIndexes(isAnew: rebuild) { progress.update($0) }
        }
        progress.end()
        if output.json {
            console.print(json(made.map(IndexJSON.init)))
        } else {
            let entries = made.reduce(0) { $0 + $1.entries }
            let bytes = made.reduce(0) { $0 + $1.bytes }
            let fresh = made.count { $0.isNew }
            console.print(
                "\(counted(made.count, "segment")), \(counted(entries, "entry")): "
                    + "\(shownBytes(bytes)) of index, \(counted(fresh, "segment")) indexed just now"
            )
        }
        if let error = pass.unindexed.first { throw Failure(error.message, hint: error.hint) }
        return tell(pass, on: console)
    }
}

/// An index as it is printed for machines.
private struct IndexJSON: Encodable {
    let segment: Int
    let entries: Int
    let indexedBytes: Int
    let bytes: Int
    let new: Bool

    init(_ summary: IndexSummary) {
        segment = summary.segment
        entries = summary.entries
        indexedBytes = summary.indexedBytes
        bytes = summary.bytes
        new = summary.isNew
    }
}
