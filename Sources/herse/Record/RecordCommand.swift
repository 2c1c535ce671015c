// RecordCommand.swift: herse record: the record's integrity, its keys, and what it says.

import ArgumentParser

struct RecordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Who saw whom: prove it, search it, give it to others.",
        discussion: """
            The record says who asked what and whom they were shown. Nothing leaves before its entry \
            is on disk; entries are a tree whose root the gate signs, and only auditors can open \
            them if `record` names some.

            Examples:
              herse record verify
              herse record who-saw "1.2.250.1.213.1.4.8|180067504230160"
              herse record export --since 30d -o events.ndjson
            """,
        subcommands: [
            RecordVerifyCommand.self, RecordProveCommand.self, RecordCheckProofCommand.self,
            RecordKeysCommand.self, RecordSearchCommand.self, RecordWhoSawCommand.self,
            RecordSeenByCommand.self, RecordIndexCommand.self, RecordPurgeCommand.self,
            RecordExportCommand.self, RecordFeedCommand.self,
        ])
}
