// Neutralized.swift: herse neutralized: who is cut off, and by what.

import ArgumentParser
import Gate

struct NeutralizedCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "neutralized",
        abstract: "List who is neutralized, or look somebody up.",
        discussion: """
            Shows every entry in force or to come in the running gate, from the list file and from \
            orders alike; with a SUBJECT, those that concern it. Exits 0 when there is one, 1 when \
            there is none.

            Examples:
              herse neutralized
              herse neutralized account:899700218896
              herse neutralized --json | jq '.[].subject'
            """)

    @Argument(help: ArgumentHelp("Whom to look up.", valueName: "subject"))
    var subject: String?

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    func validate() throws { try validateSubjects(subject.map { [$0] } ?? []) }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        guard case .entries(let entries) = try gate.ask(.neutralized(subject: subject)) else {
            throw .wrongAnswer
        }
        if output.json {
            console.print(json(entries))
        } else if entries.isEmpty {
            console.talk(subject.map { "\($0) is not neutralized" } ?? "nobody is neutralized")
        } else {
            console.print(text(of: entries))
        }
        return entries.isEmpty ? .refused : .done
    }
}

func text(of entries: [NeutralizedReport]) -> String {
    var table = Table("SUBJECT", "STATE", "SINCE", "UNTIL", "REASON", "TICKET", "BY")
    for entry in entries {
        table.add(
            entry.subject, entry.inForce ? "in force" : "not now", entry.since, entry.until,
            entry.reason, entry.ticket, entry.source)
    }
    return table.text
}
