// RecordExportCommand.swift: herse record export: a period of the record in the forms others take.

import ArgumentParser
import Foundation
import RecordExport
import RecordReading

extension ExportFormat: ExpressibleByArgument {}

struct RecordExportCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write entries as AuditEvents, ATNA messages, JSON lines or CSV.",
        discussion: """
            audit-event: FHIR R4 AuditEvents by IHE BALP, one for each patient that was shown; one \
            on each line, or --bundle in batches of 500. atna: audit messages of DICOM PS3.15, one \
            on each line. jsonl: the record's own entries, in clear. csv: one row for each patient \
            that was shown. A folder (it ends in /) gets a file for each AuditEvent, bundle or \
            message.

            The file appears when it is whole; a run that fails leaves none.

            Examples:
              herse record export --since 30d -o events.ndjson
              herse record export --format csv --professional 899700218896 -o seen.csv
              herse record export --format atna --since 2026-11-01T00:00:00Z -o messages/
            """)

    @Option(help: "What is written: audit-event, atna, jsonl or csv.")
    var format = ExportFormat.auditEvent

    @OptionGroup var period: PeriodOptions

    @Option(help: ArgumentHelp("Only of this professional; several times.", valueName: "id"))
    var professional: [String] = []

    @Option(help: ArgumentHelp("Only of this structure; several times.", valueName: "id"))
    var structure: [String] = []

    @Option(help: "Only so decided: allow, deny or reject; several times.")
    var decision: [DecisionWord] = []

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("Where to: a file, a folder, or - for here.", valueName: "file|dir/|-"),
        completion: .file())
    var place: String

    @Flag(help: "Replace what is there already.")
    var force = false

    @Flag(help: "AuditEvents in FHIR batches of at most 500.")
    var bundle = false

    @Flag(help: "Spell ATNA's codes as RFC 3881 does, for older repositories.")
    var rfc3881 = false

    @Option(
        help: ArgumentHelp(
            "Who is said to have seen it; the record's name unless given.", valueName: "name"))
    var site: String?

    @OptionGroup var options: RecordOptions

    func validate() throws {
        try mustSaySomething([("--professional", professional), ("--structure", structure)])
        if bundle, format != .auditEvent {
            throw ValidationError("--bundle: only AuditEvents go in bundles")
        }
        if rfc3881, format != .atna {
            throw ValidationError("--rfc3881: only ATNA's messages have two spellings")
        }
        if case .folder = exportPlace, format == .csv || format == .jsonl {
            throw ValidationError(
                "--output: \(format.rawValue) goes into one file, `\(printable(place))` is a folder"
            )
        }
        if place.isEmpty { throw ValidationError("--output: name a file, a folder, or -") }
    }

    /// What else narrows it, for the record.
    private var filters: [String] {
        structure.map { "structure:" + $0.uppercased() }
            + decision.map { "decision:" + $0.rawValue }
            + (period.since.map { ["since:" + $0] } ?? [])
            + (period.until.map { ["until:" + $0] } ?? [])
    }

    private var exportPlace: ExportPlace {
        if place == "-" { return .standardOutput }
        let kind = try? FileManager.default.attributesOfItem(atPath: place)[.type]
        let isFolder = kind as? FileAttributeType == .typeDirectory
        return place.hasSuffix("/") || isFolder ? .folder(place) : .file(place)
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        // A reader of ours that goes away ends a write, not the process.
        signal(SIGPIPE, SIG_IGN)
        var request = ExportRequest(format, to: exportPlace)
        let times = period.milliseconds()
        (request.since, request.until) = (times.since, times.until)
        let who = ProfessionalNames(professional, configuration: options.configuration.path)
        if let note = who.note { console.talk(note) }
        request.professionals = Set(who.all)
        request.structures = Set(structure.map { $0.uppercased() })
        request.decisions = Set(decision.map(\.rawValue))
        request.isBundled = bundle
        request.spelling = rfc3881 ? .rfc3881 : .dicom
        request.site = site ?? ""
        request.isForced = force
        let reader = try options.open(
            "export \(format.rawValue)", filters: who.filters + filters, on: console)
        let meter = ExportMeter(reader, console)
        defer { meter.line.end() }
        let report = try writing { () throws(ExportError) in
            try export(request, of: reader) { meter.update(segment: $0, offset: $1) }
        }
        meter.line.end()
        console.talk(
            "\(counted(report.entries, "entry")) of \(report.read) read, "
                + "\(counted(report.pieces, format.piece)) written")
        return tell(report.pass, on: console) ? .done : .refused
    }
}

extension ExportFormat {
    /// What it is made of.
    fileprivate var piece: String {
        switch self {
        case .auditEvent: "AuditEvent"
        case .atna: "message"
        case .jsonl: "line"
        case .csv: "row"
        }
    }
}

/// Gives what `write` gives, and says for the operator why it could not.
func writing<Value>(_ write: () throws(ExportError) -> Value) throws(Failure) -> Value {
    do throws(ExportError) {
        return try write()
    } catch {
        throw Failure(error.message, hint: error.hint)
    }
}

/// Says how far a long export has come, in bytes of the record.
private struct ExportMeter {
    let line: ProgressLine
    private var starts: [Int: Int] = [:]
    private var total = 0

    init(_ reader: RecordReader, _ console: Console) {
        line = ProgressLine(console)
        for segment in reader.segments {
            starts[segment.number] = total
            let facts = try? FileManager.default.attributesOfItem(atPath: segment.path)
            total += (facts?[.size] as? NSNumber)?.intValue ?? 0
        }
    }

    func update(segment: Int, offset: Int) {
        line.update("exporting", (starts[segment] ?? 0) + offset, of: total)
    }
}
