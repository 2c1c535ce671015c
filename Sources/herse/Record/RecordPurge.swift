// RecordPurge.swift: herse record purge: the oldest segments go, and the record says so.

import ArgumentParser
import Gate

struct RecordPurgeCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "purge",
        abstract: "Purge the oldest segments of the record.",
        discussion: """
            Whole segments go, the oldest first, never the one that is written to. What is left \
            still verifies: each leaves a signed tombstone with its hashes, and an entry of the \
            record says who purged it and why. What is purged does not come back. Where \
            `administration.four_eyes` has `purge`, a second administrator must approve.

            Examples:
              herse record purge --older-than 3y --reason "kept three years" --preview
              herse record purge --older-than 3y --reason "kept for three years"
              herse record purge --through 41 --reason "copy in the vault"
            """)

    @Option(
        help: ArgumentHelp(
            "Segments whose last entry is older, such as 90d or 3y.", valueName: "duration"))
    var olderThan: String?

    @Option(help: ArgumentHelp("All segments up to this one.", valueName: "segment"))
    var through: Int?

    @Option(help: ArgumentHelp("Why, for the record and its tombstones.", valueName: "text"))
    var reason: String

    @Flag(help: "Only say what would go.")
    var preview = false

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    func validate() throws {
        guard (olderThan == nil) != (through == nil) else {
            throw ValidationError("give --older-than or --through, one of them")
        }
        if let olderThan, secondsOfDuration(olderThan) == nil {
            throw ValidationError(
                "--older-than: `\(printable(olderThan))` is not a duration (such as 90d, 3y)")
        }
        if let through, through < 1 {
            throw ValidationError("--through: segments are numbered from 1")
        }
        try validateText(reason, of: "--reason")
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let request = PurgeRequest(
            olderThanSeconds: olderThan.flatMap(secondsOfDuration).map(Int64.init),
            through: through, reason: reason, preview: preview)
        let answer = try gate.ask(.purge(request))
        return try report(answer, json: output.json, on: console)
    }
}

/// Prints what a purge came to, or why it waits.
func report(
    _ answer: ControlAnswer, json isJSON: Bool, on console: Console
) throws(Failure) -> Outcome {
    switch answer {
    case .purged(let report):
        if isJSON {
            console.print(json(report))
        } else if report.segments.isEmpty {
            console.talk("no segment \(report.isPreview ? "would be" : "was") purged")
        } else {
            console.print(text(of: report))
        }
        if let problem = report.problem { throw Failure(printable(problem)) }
        return .done
    case .waiting(let order): throw Failure(waiting: order)
    default: throw .wrongAnswer
    }
}

func text(of report: PurgeReport) -> String {
    var table = Table(
        report.isPreview ? ">WOULD GO" : ">PURGED", ">ENTRIES", "FIRST", "LAST", ">BYTES")
    for one in report.segments {
        table.add(
            String(one.segment), String(one.ends - one.begins), printable(one.first),
            printable(one.last), String(one.bytes))
    }
    return table.text
}
