// RecordWhoSawCommand.swift: herse record who-saw: to whom a patient was shown.

import ArgumentParser
import RecordIndex
import RecordReading

struct RecordWhoSawCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "who-saw",
        abstract: "Show to whom a patient was shown.",
        discussion: """
            One line for each professional, or software or structure where none was proven: the \
            first and the last time, in how many requests, which fields, at which structures and \
            how they proved who they are. ABORTED counts those requests whose connection ended \
            before all of the answer had left, WITHHELD those that a limit refused: they showed \
            nothing.

            PATIENT is SYSTEM|VALUE, a matricule INS of 13 or 15 characters, Patient/ID, or \
            patient: and the 16 digits by which an unsealed record knows somebody.

            Examples:
              herse record who-saw "1.2.250.1.213.1.4.8|180067504230160"
              herse record who-saw 180067504230160 --since 365d
              herse record who-saw Patient/4711 --json
            """)

    @Argument(help: ArgumentHelp("The patient.", valueName: "patient"))
    var patient: String

    @OptionGroup var period: PeriodOptions
    @OptionGroup var options: RecordOptions
    @OptionGroup var indexes: IndexOptions
    @OptionGroup var output: OutputOption

    func validate() throws {
        guard PatientArgument(patient) != nil else {
            throw ValidationError("`\(printable(patient))` \(PatientArgument.help)")
        }
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        guard let patient = PatientArgument(patient) else { throw Failure(PatientArgument.help) }
        let (names, note) = try patient.names(options.configuration.path)
        if let note { console.talk(note) }
        let search = try options.search(
            "who-saw", filters: filters(names), indexes, on: console)
        let progress = ProgressLine(console)
        let times = period.milliseconds()
        var query = RecordQuery()
        query.patient = names
        (query.since, query.until) = (times.since, times.until)
        var seen = WhoSaw(names)
        let pass = try passing { () throws(RecordReadingError) in
            var pass = try search.entries(
                matching: query, progress: { progress.update($0) }
            ) { one in
                seen.take(one.entry)
                return true
            }
            if let ends = seen.abortions {
                let rest = try search.entries(
                    matching: ends, progress: { progress.update($0) }
                ) { one in
                    seen.take(aborted: one.entry)
                    return true
                }
                pass.record.broken += rest.record.broken.filter {
                    !pass.record.broken.contains($0)
                }
            }
            return pass
        }
        progress.end()
        let rows = seen.sightings.sorted { ($0.value.first, $0.key) < ($1.value.first, $1.key) }
        if output.json {
            console.print(json(rows.map { SightingJSON(asker: $0.key, $0.value) }))
        } else if rows.isEmpty {
            console.talk("the record shows that patient to nobody")
        } else {
            var table = Table(
                "PROFESSIONAL", "FIRST", "LAST", ">REQUESTS", ">ABORTED", ">WITHHELD", "FIELDS",
                "STRUCTURES", "METHODS")
            for (asker, sighting) in rows {
                table.add(
                    asker.shown, shownMoment(sighting.first), shownMoment(sighting.last),
                    String(sighting.requests), shown(sighting.aborted), shown(sighting.withheld),
                    listed(sighting.fields), listed(sighting.structures), listed(sighting.methods))
            }
            console.print(table.text)
        }
        return tell(pass, on: console)
    }
}

/// Nothing instead of 0, so that what there is stands out.
func shown(_ count: Int) -> String? { count == 0 ? nil : String(count) }

/// Words in order, with commas between them.
func listed(_ words: Set<String>) -> String { words.sorted().joined(separator: ",") }

/// A sighting as it is printed for machines.
struct SightingJSON: Encodable {
    /// Who asked, one of them.
    var professional: String?
    var account: String?
    var client: String?
    var structure: String?
    var certificate: String?
    /// Who was shown: the gate's keyed hash, and the best identifier where the record has one.
    var patient: String?
    var identifier: String?
    let first: String
    let last: String
    let requests: Int
    let aborted: Int
    let withheld: Int
    let fields: [String]
    let structures: [String]
    let methods: [String]
    let routes: [String]

    private init(_ sighting: Sighting) {
        first = shownMoment(sighting.first)
        last = shownMoment(sighting.last)
        requests = sighting.requests
        aborted = sighting.aborted
        withheld = sighting.withheld
        fields = sighting.fields.sorted()
        structures = sighting.structures.sorted()
        methods = sighting.methods.sorted()
        routes = sighting.routes.sorted()
    }

    init(asker: RecordedAsker, _ sighting: Sighting) {
        self.init(sighting)
        switch asker.kind {
        case "professional": professional = asker.name
        case "account": account = asker.name
        case "client": client = asker.name
        case "structure": structure = asker.name
        case "certificate": certificate = asker.name
        default: break
        }
    }

    init(patient: String, _ sighting: Sighting) {
        self.init(sighting)
        self.patient = patient
        identifier = sighting.identifier.isEmpty ? nil : sighting.identifier
    }
}
