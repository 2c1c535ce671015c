// RecordCommand.swift: herse record: the record's integrity, its keys, and what it says.

import ArgumentParser

struct RecordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Who saw whom: prove it, search it, give it to others.",
        discussion: """
            Examples:
              herse record verify
              herse record prove 1234 -o entry.proof
              herse record keys new anne
              herse record export --since 30d -o events.ndjson
            """,
        subcommands: [
            RecordVerifyCommand.self, RecordProveCommand.self, RecordKeysCommand.self,
            RecordExportCommand.self, RecordFeedCommand.self,
        ])
}
