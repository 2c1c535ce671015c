// RecordCommand.swift: herse record: what the record says, and that it is whole.

import ArgumentParser

struct RecordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Search the record.",
        discussion: """
            The record has a line for each exchange: who asked, what was decided, whom it showed.

            Examples:
              herse record search --professional 899700218896 --since 30d
              herse record who-saw "1.2.250.1.213.1.4.8|180067504230160"
              herse record seen-by 899700218896 --since 2026-09-01T00:00:00Z
            """,
        subcommands: [
            RecordSearchCommand.self, RecordWhoSawCommand.self, RecordSeenByCommand.self,
            RecordIndexCommand.self,
        ])
}
