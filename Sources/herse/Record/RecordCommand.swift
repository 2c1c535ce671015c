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
              herse record search --professional 899700218896 --since 30d
              herse record who-saw "1.2.250.1.213.1.4.8|180067504230160"
              herse record seen-by 899700218896 --since 365d
            """,
        subcommands: [
            RecordSearchCommand.self, RecordWhoSawCommand.self, RecordSeenByCommand.self,
            RecordIndexCommand.self,
        ])
}
