// RecordSeenByCommand.swift: herse record seen-by: which patients a professional was shown.

import ArgumentParser
import Neutralization
import RecordIndex
import RecordReading

struct RecordSeenByCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "seen-by",
        abstract: "Show which patients a professional was shown.",
        discussion: """
            One line for each patient: the first and the last time, in how many requests, which \
            fields, at which structures, by which routes. A patient is the best identifier that a \
            sealed record names, else the gate's keyed hash. ABORTED counts those requests whose \
            connection ended before all of the answer had left, WITHHELD those that a limit \
            refused: they showed nothing. The professional is looked for under all numbers that \
            the configured directory has of the same person; the command says which.

            Examples:
              herse record seen-by 899700218896
              herse record seen-by 899700218896 --since 2026-09-01T00:00:00Z --json
            """)

    @Argument(help: ArgumentHelp("The professional.", valueName: "id"))
    var professional: String

    @OptionGroup var period: PeriodOptions
    @OptionGroup var options: RecordOptions
    @OptionGroup var indexes: IndexOptions
    @OptionGroup var output: OutputOption

    func validate() throws {
        try mustSaySomething([("the professional", [professional])])
        try validateSubjects([professional])
        let kind = professional.prefix { $0 != ":" }
        guard SubjectKind(rawValue: String(kind)) ?? .account == .account else {
            throw ValidationError(
                "`\(printable(professional))` is no professional: `herse record search` finds entries "
                    + "by \(kind)")
        }
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let who = ProfessionalNames([professional], configuration: options.configuration.path)
        if let note = who.note { console.talk(note) }
        let search = try options.search("seen-by", filters: who.filters, indexes, on: console)
        let progress = ProgressLine(console)
        let times = period.milliseconds()
        var query = RecordQuery()
        query.professionals = who.all
        (query.since, query.until) = (times.since, times.until)
        var seen = SeenBy()
        let pass = try passing { () throws(RecordReadingError) in
            try search.entries(matching: query, progress: { progress.update($0) }) { one in
                seen.take(one.entry)
                return true
            }
        }
        progress.end()
        let rows = seen.sightings.map { key, sighting in
            (patient: "patient:" + spelled(key), sighting)
        }.sorted { ($0.1.first, $0.patient) < ($1.1.first, $1.patient) }
        if output.json {
            console.print(json(rows.map { SightingJSON(patient: $0.patient, $0.1) }))
        } else if rows.isEmpty {
            console.talk("the record shows nobody to that professional")
        } else {
            var table = Table(
                "PATIENT", "FIRST", "LAST", ">REQUESTS", ">ABORTED", ">WITHHELD", "FIELDS",
                "STRUCTURES", "ROUTES")
            for (patient, sighting) in rows {
                table.add(
                    sighting.identifier.isEmpty ? patient : sighting.identifier,
                    shownMoment(sighting.first), shownMoment(sighting.last),
                    String(sighting.requests), shown(sighting.aborted), shown(sighting.withheld),
                    listed(sighting.fields), listed(sighting.structures), listed(sighting.routes))
            }
            console.print(table.text)
        }
        if seen.unparsed > 0 {
            console.talk(
                "besides, \(counted(seen.unparsed, "answer")) that could not be understood left, "
                    + "counted for \(counted(seen.assumed, "patient")): nobody knows whom they showed"
            )
        }
        return tell(pass, on: console)
    }
}
