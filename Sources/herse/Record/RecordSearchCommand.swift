// RecordSearchCommand.swift: herse record search: entries of the record, by what is asked of them.

import ArgumentParser
import Foundation
import Record
import RecordIndex
import RecordReading

struct RecordSearchCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Find entries of the record.",
        discussion: """
            Prints the entries for which all that is given holds, the oldest first. An index is \
            made beside the record where one is missing, and says so when that takes long; it \
            holds keyed hashes alone. ENTRY is the number that `herse record prove` takes. A \
            professional is looked for under all numbers that the configured directory has of the \
            same person; the command says which.

            PATIENT is SYSTEM|VALUE, a matricule INS of 13 or 15 characters, Patient/ID, or \
            patient: and the 16 digits by which an unsealed record knows somebody.

            Examples:
              herse record search --professional 899700218896 --since 30d
              herse record search --patient 180067504230160 --decision deny --json
              herse record search --structure 10B0152872 --since 7d --count
            """)

    @Option(help: ArgumentHelp("Of this professional.", valueName: "id"))
    var professional: [String] = []

    @Option(help: ArgumentHelp("Shown or withheld: this patient.", valueName: "patient"))
    var patient: String?

    @Option(help: ArgumentHelp("Of professionals of this structure.", valueName: "id"))
    var structure: [String] = []

    @Option(help: ArgumentHelp("Of this session.", valueName: "id"))
    var session: String?

    @Option(
        help: ArgumentHelp("By this client certificate, such as sha256:HEX.", valueName: "hash"))
    var certificate: String?

    @Option(help: ArgumentHelp("With the id of this request.", valueName: "id"))
    var request: String?

    @Option(help: ArgumentHelp("By this software.", valueName: "id"))
    var client: String?

    @Option(help: ArgumentHelp("By this token: its jti.", valueName: "id"))
    var token: String?

    @Option(help: "So decided.")
    var decision: DecisionWord?

    @Option(help: "Such an event.")
    var event: EventName?

    @Option(help: ArgumentHelp("On this route.", valueName: "name"))
    var route: String?

    @OptionGroup var period: PeriodOptions

    @Option(help: ArgumentHelp("Entries printed at most.", valueName: "number"))
    var limit = 1000

    @Flag(help: "Print the newest first.")
    var reverse = false

    @Flag(help: "Print how many there are, and none of them.")
    var count = false

    @OptionGroup var options: RecordOptions
    @OptionGroup var indexes: IndexOptions
    @OptionGroup var output: OutputOption

    static let limitRange = 1...1_000_000

    func validate() throws {
        try mustSaySomething([
            ("--professional", professional), ("--structure", structure),
            ("--session", [session].compactMap(\.self)),
            ("--certificate", [certificate].compactMap(\.self)),
            ("--request", [request].compactMap(\.self)),
            ("--client", [client].compactMap(\.self)), ("--token", [token].compactMap(\.self)),
            ("--route", [route].compactMap(\.self)),
        ])
        guard Self.limitRange.contains(limit) else {
            throw ValidationError("--limit: is out of range, 1 to 1000000 entries can be printed")
        }
        if let certificate {
            let digits = fingerprint(certificate).dropFirst("sha256:".count)
            guard digits.utf8.count == 64, digits.allSatisfy(\.isHexDigit) else {
                throw ValidationError(
                    "--certificate: `\(printable(certificate))` is not a fingerprint (write "
                        + "sha256:HEX, 64 digits)")
            }
        }
        if let patient, PatientArgument(patient) == nil {
            throw ValidationError("--patient: `\(printable(patient))` \(PatientArgument.help)")
        }
        guard !query.asksForAll || patient != nil || period.isGiven else {
            throw ValidationError(
                "what is to be found? narrow it by --professional, --patient or another option, "
                    + "or by --since 1h")
        }
    }

    /// What is asked for, but for the patient.
    private var query: RecordQuery {
        var query = RecordQuery()
        query.professionals = professional
        query.structures = structure.map { $0.uppercased() }
        query.session = session.map { bare($0, "session:") } ?? ""
        query.certificate = certificate.map(fingerprint) ?? ""
        query.request = request ?? ""
        query.client = client.map { bare($0, "client:") } ?? ""
        query.token = token.map { bare($0, "token:") } ?? ""
        query.decision = decision?.rawValue ?? ""
        query.event = event?.rawValue ?? ""
        query.route = route ?? ""
        let times = period.milliseconds()
        (query.since, query.until) = (times.since, times.until)
        return query
    }

    /// What narrows the search, for the record.
    private func filters(_ query: RecordQuery) -> [String] {
        let texts = [
            ("session", query.session), ("certificate", query.certificate),
            ("request", query.request), ("client", query.client), ("token", query.token),
            ("decision", query.decision), ("event", query.event), ("route", query.route),
        ]
        return query.professionals.map { "professional:" + $0 }
            + (query.patient.map { herse.filters($0) } ?? [])
            + query.structures.map { "structure:" + $0 }
            + texts.filter { !$0.1.isEmpty }.map { $0.0 + ":" + $0.1 }
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        var query = query
        let who = ProfessionalNames(professional, configuration: options.configuration.path)
        query.professionals = who.all
        if let note = who.note { console.talk(note) }
        if let patient = patient.flatMap(PatientArgument.init) {
            let (names, note) = try patient.names(options.configuration.path)
            query.patient = names
            if let note { console.talk(note) }
        }
        let search = try options.search(
            "search", filters: filters(query), indexes, on: console)
        let progress = ProgressLine(console)
        var found = 0
        var table = Self.table
        let pass = try passing { () throws(RecordReadingError) in
            try search.entries(
                matching: query, newestFirst: reverse, progress: { progress.update($0) }
            ) { one in
                found += 1
                if count { return true }
                guard found <= limit else { return false }
                if output.json {
                    progress.end()
                    console.print(line(of: one))
                } else {
                    add(one.entry, to: &table)
                }
                return true
            }
        }
        progress.end()
        if count {
            console.print(output.json ? json(["count": found]) : String(found))
        } else if found == 0 {
            console.talk("no entry is as asked for")
        } else if !output.json {
            console.print(table.text)
        }
        if !count, found > limit {
            console.talk(
                "there are more than \(counted(limit, "entry")): narrow the question, or see more "
                    + "by --limit")
        }
        return tell(pass, on: console)
    }

    private static var table: Table {
        Table(
            "TIME", ">ENTRY", "PROFESSIONAL", "STRUCTURE", "METHOD", "WHAT", ">STATUS",
            ">PATIENTS", "WHY", "REQUEST")
    }

    private func add(_ entry: RecordedEntry, to table: inout Table) {
        let shown = entry.assumed > 0 ? nil : entry.persons.count
        let patients =
            entry.withheld.isEmpty || entry.assumed > 0
            ? shown.map { $0 == 0 ? "" : String($0) } ?? "unknown"
            : "\(entry.withheld.count) withheld"
        let what =
            entry.event.isEmpty
            ? [
                entry.decision, entry.interaction.isEmpty ? entry.action : entry.interaction,
                entry.delivery == "aborted" ? "aborted" : "",
            ]
            .filter { !$0.isEmpty }.joined(separator: " ")
            : [
                entry.event, entry.act, entry.what, entry.subjects.joined(separator: ","),
                entry.by.isEmpty ? "" : "by " + entry.by,
            ]
            .filter { !$0.isEmpty }.joined(separator: " ")
        table.add(
            shownMoment(entry.time), String(entry.sequence), entry.professional, entry.structure,
            entry.method, what, entry.status == 0 ? nil : String(entry.status), patients,
            entry.why, entry.request)
    }
}

/// What was decided, in the words of the record.
enum DecisionWord: String, CaseIterable, ExpressibleByArgument {
    case allow
    case deny
    case reject
}

extension EventName: ExpressibleByArgument {}

/// An entry as JSON on one line, its number first.
func line(of found: borrowing FoundEntry) -> String {
    let line = String(decoding: found.line, as: UTF8.self)
    guard let brace = line.firstIndex(of: "{") else { return line }
    return "{\"entry\":\(found.entry.sequence)," + line[line.index(after: brace)...]
}

/// A subject without the word that says what it is.
private func bare(_ text: String, _ prefix: String) -> String {
    text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
}

/// A certificate as the record has it: `sha256:` and 64 digits.
private func fingerprint(_ text: String) -> String {
    let digits = bare(bare(text, "certificate:"), "sha256:").filter { $0 != ":" }
    return "sha256:" + digits.lowercased()
}
